"""Where a name of Dagster's means something else here, or is not here: what differs, and why.

The page `docs/reference/compatibility.md` is written from it, and a test holds that every gap in the surface is named.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DIFFERENT", "LEFT_OUT", "NOT_CONSTRUCTED"]

NOT_CONSTRUCTED: frozenset[str] = frozenset(
    {
        "AssetCheckExecutionContext",
        "AssetChecksDefinition",
        "AssetExecutionContext",
        "AutomationContext",
        "DagsterEvent",
        "DagsterInstance",
        "DagsterInvalidConfigError",
        "DagsterLogManager",
        "DagsterRun",
        "DagsterTypeLoaderContext",
        "DefaultRunLauncher",
        "EvaluateAutomationConditionsResult",
        "EventLogEntry",
        "ExecuteInProcessResult",
        "HookContext",
        "InitResourceContext",
        "JobExecutionResult",
        "OpExecutionContext",
        "PendingNodeInvocation",
        "QueuedRunCoordinator",
        "RepositoryDefinition",
        "RunRecord",
        "StepExecutionContext",
        "SubmitRunContext",
        "TypeCheckContext",
    }
)
"""Classes whose objects users are given and do not make: what their constructors take is our own."""

_RUN_LOADS_ITSELF = "private to the processes of Dagster; instances and definitions are given as objects"
_OLD_FRESHNESS = "of an older policy that Dagster itself has replaced; use `freshness_policy`"

DIFFERENT: Mapping[str, str] = {
    "AssetSpec.legacy_freshness_policy": _OLD_FRESHNESS,
    "AssetValueLoader(assets_defs_by_key)": "made of `Definitions`, by `get_asset_value_loader`",
    "AssetsDefinition(auto_materialize_policies_by_key)": "of an older form of automation; use `automation_condition`",
    "AssetsDefinition(execution_type)": "follows from the decorator that made it",
    "AssetsDefinition(is_subset)": "a selection is part of a run, not of the definition",
    "AssetsDefinition(legacy_freshness_policies_by_key)": _OLD_FRESHNESS,
    "AssetsDefinition(selected_asset_check_keys)": "a selection is part of a run, not of the definition",
    "AssetsDefinition(selected_asset_keys)": "a selection is part of a run, not of the definition",
    "AutomationConditionSensorDefinition(use_user_code_server)": (
        "conditions are always evaluated beside the code, in a process of their own, so there is nothing to choose"
    ),
    "DagsterEvent": (
        "A record of what is stored: `type`, `fact` with the fields of that kind of event, `time`, `step_key`; "
        "the job is "
        "told by the run or the `EventLogEntry`, and the old attributes read these."
    ),
    "Config": "Fields that a class does not have are refused, also when its objects are made in code.",
    "ConfigurableResource": "Fields that a class does not have are refused, also when its objects are made in code.",
    "DagsterEventType": "The stored names are `RUN_*`; `PIPELINE_*` are aliases of them.",
    "DagsterInvalidConfigError": "Raised by the checker alone; `problems` has one entry for each mistake.",
    "DagsterRun": "Made as `Run(job=...)`; what only Dagster's own processes need (snapshots, origins) is not on it.",
    "DefaultRunLauncher": "Made by the instance from `penstock.yaml`; it launches by the code server.",
    "DagsterType(is_builtin)": "private to Dagster's own built-in types",
    "DagsterType(kind)": "private to Dagster's own built-in types",
    "DagsterTypeCheckDidNotPass(dagster_type)": "raised by the engine alone; `python_type` has the type",
    "Definitions(component_tree)": "components are not part of this version",
    "EventLogEntry": "A view of an event in a run; `event` has the record itself.",
    "ExecuteInProcessResult": "`all_events` has the lines that user code logged too, of the type LOG.",
    "Executor": (
        "`execute` gets a `PlanContext` (what is ready, run a step, record a fact) in place of Dagster's "
        "internals, and "
        "`retries` is true or false."
    ),
    "In(asset_partitions)": "an input's partitions follow from its asset's partition mapping",
    "In.asset_partitions": "an input's partitions follow from its asset's partition mapping",
    "MAX_RUNTIME_SECONDS_TAG": "Its value is `penstock/max_runtime`.",
    "MultiAssetSensorEvaluationContext": (
        "`update_cursor` is refused, since the cursor is one for each asset; events that were not consumed are "
        "kept without "
        "a limit."
    ),
    "OpDefinition": "`compute_fn` is called as a function of `@op` is: the context, then inputs by name.",
    "Output": "A plain value where `Output[int]` is annotated is taken, and so is an `Output` where `int` is.",
    "OutputContext": "`get_identifier` of an asset's value is the same as `get_asset_identifier`.",
    "QueuedRunCoordinator": "Made by the instance from `penstock.yaml`; its limits stand under `concurrency` there.",
    "RepositorySelector": "A location has one repository, so the repository's name is carried and not compared.",
    "RetryRequested": "Where all attempts are used up, `raise_on_error` raises it itself, or its cause.",
    "RunConfig": "`to_config_dict` leaves empty sections out.",
    "RunsFilter(snapshot_id)": "there is no index behind it",
    "ScheduleDefinition.environment_vars": "Dagster itself has deprecated it",
    "UPathIOManager": (
        "A run that makes several partitions may return a dict by partition key; an input of no partition at all is an "
        "empty one, and parts of a key that would leave the folder are escaped."
    ),
    "TypeCheck": "A value that does not pass is told by the step's failure alone, and not as an input or output too.",
    "asset_sensor": "Called for each materialization since its cursor, in order, not only for the newest.",
    "build_hook_context": "What was not given is None instead of an error.",
    "build_input_context(step_context)": "what it knows is on the context itself: `run_id`, `step_key`, `job_name` ...",
    "build_schedule_context(instance_ref)": _RUN_LOADS_ITSELF,
    "build_sensor_context(instance_ref)": _RUN_LOADS_ITSELF,
    "config_from_files": "Errors are `SettingsError`, with line and column.",
    "configured": "The config of ops and graphs is checked where it is written, not when a run begins.",
    "deserialize_value(whitelist_map)": "the records that can be written are known",
    "graph(input_defs)": "the classes for it are not public in Dagster either; annotate, or give `ins`",
    "graph(output_defs)": "the classes for it are not public in Dagster either; annotate, or give `out`",
    "instance_for_test(synchronous_run_launcher)": (
        "no launcher runs user code in the process that asks; use `execute_in_process` or `materialize(instance=...)`"
    ),
    "make_email_on_run_failure_sensor": "`smtp_type` may also be PLAIN, and an empty password means no login.",
    "multiprocess_executor": "Steps are forked from the run's worker, so `start_method` and its like are no settings.",
    "run_failure_sensor": (
        "Begins where it was turned on, and takes every event in order; a tick takes up to 100 and the next one "
        "follows at "
        "once while there are more."
    ),
    "run_status_sensor": (
        "Begins where it was turned on, and takes every event in order; a tick takes up to 100 and the next one "
        "follows at "
        "once while there are more."
    ),
    "schedule(environment_vars)": "Dagster itself has deprecated it",
    "serialize_value": "The text is of our own form, for our records and plain values.",
    "serialize_value(whitelist_map)": "the records that can be written are known",
}
"""By `name`, `name(parameter)` or `Class.member`: how it differs, and why."""

LEFT_OUT: Mapping[str, str] = {}
"""Names that are not here, and why."""
