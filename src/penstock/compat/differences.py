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

_RUN_EVENTS = (
    "Begins where it was turned on, and takes every event in order; a tick takes up to 100 and the next one "
    "follows at once while there are more."
)
_UNKNOWN_KEY = "A key that the set does not have is refused where it is used."
_NO_SCHEMA = "A run config may give nothing to one without a config schema, so that mistakes are told."

DIFFERENT: Mapping[str, str] = {
    "AssetCheckSpec": "A check's name is letters, digits and underscores.",
    "AssetKey": "Its text, also in an f-string, is that of the key (`a/b`); `repr` has the form with brackets.",
    "AssetSelection": (
        "A walk keeps the assets that it began with and finds besides only what the code location makes, in both "
        "directions; texts combine bare keys with `and`, `or`, `not`."
    ),
    "AssetSpec.legacy_freshness_policy": _OLD_FRESHNESS,
    "AssetValueLoader(assets_defs_by_key)": "made of `Definitions`, by `get_asset_value_loader`",
    "AssetsDefinition(auto_materialize_policies_by_key)": "of an older form of automation; use `automation_condition`",
    "AssetsDefinition(execution_type)": "follows from the decorator that made it",
    "AssetsDefinition(is_subset)": "a selection is part of a run, not of the definition",
    "AssetsDefinition(legacy_freshness_policies_by_key)": _OLD_FRESHNESS,
    "AssetsDefinition(selected_asset_check_keys)": "a selection is part of a run, not of the definition",
    "AssetsDefinition(selected_asset_keys)": "a selection is part of a run, not of the definition",
    "AutomationCondition": (
        "`cron_tick_passed` counts each time of a cron text once, and an update that names no data version is a change."
    ),
    "AutomationConditionSensorDefinition": (
        "The runs for several partitions of one tick share a backfill tag and are made at once, not by a backfill."
    ),
    "AutomationConditionSensorDefinition(use_user_code_server)": (
        "conditions are always evaluated beside the code, in a process of their own, so there is nothing to choose"
    ),
    "AutomationContext": (
        "What is private to a tick of Dagster is not on it; `for_child_condition(...).evaluate()` evaluates a part."
    ),
    "AutomationResult": (
        "`true_subset` is made of its context's subsets, which can be united, intersected and subtracted."
    ),
    "Config": "Fields that a class does not have are refused, also when its objects are made in code.",
    "ConfigurableResource": "Fields that a class does not have are refused, also when its objects are made in code.",
    "DagsterEvent": (
        "A record of what is stored: `type`, `fact` with the fields of that kind of event, `time`, `step_key`; "
        "the job is told by the run or the `EventLogEntry`, and the old attributes read these."
    ),
    "DagsterEventType": "The stored names are `RUN_*`; `PIPELINE_*` are aliases of them.",
    "DagsterInstance": (
        "Runs are ordered by their creation only; wiping an asset forgets its history and keeps the logs of its "
        "runs; what is private to Dagster's own processes is not there."
    ),
    "DagsterInvalidConfigError": "Raised by the checker alone; `problems` has one entry for each mistake.",
    "DagsterRun": "Made as `Run(job=...)`; what only Dagster's own processes need (snapshots, origins) is not on it.",
    "DagsterType(is_builtin)": "private to Dagster's own built-in types",
    "DagsterType(kind)": "private to Dagster's own built-in types",
    "DagsterTypeCheckDidNotPass(dagster_type)": "raised by the engine alone; `python_type` has the type",
    "DataProvenance": "Has no storage id for an input that the same run made, whose event has no number yet.",
    "DataVersion": "Versions that nobody gives are hashes of our own, so they compare only among themselves.",
    "DefaultRunLauncher": "Made by the instance from `penstock.yaml`; it launches by the code server.",
    "Definitions(component_tree)": "components are not part of this version",
    "DynamicPartitionsDefinition": (
        "With `partition_fn`, pages and schedules see the keys of the time when the code was loaded, since they "
        "hold no user code."
    ),
    "EvaluateAutomationConditionsResult": (
        "`results` has what was evaluated again; what nothing happened to is as it was."
    ),
    "EventLogEntry": "A view of an event in a run; `event` has the record itself.",
    "ExecuteInProcessResult": "`all_events` has the lines that user code logged too, of the type LOG.",
    "Executor": (
        "`execute` gets a `PlanContext` (what is ready, run a step, record a fact) in place of Dagster's "
        "internals, and `retries` is true or false."
    ),
    "FilesystemIOManager": "Names files in a way that no two values share one; `UPathIOManager` has Dagster's layout.",
    "FreshnessPolicy": (
        "A cron policy passes as soon as the asset was made for the last deadline, also when that was late."
    ),
    "IOManagerDefinition": _NO_SCHEMA,
    "In(asset_partitions)": "an input's partitions follow from its asset's partition mapping",
    "In.asset_partitions": "an input's partitions follow from its asset's partition mapping",
    "List": "The one of Python's typing, as `Dict`, `Optional`, `Set` and `Tuple`; all are config schemas too.",
    "LoggerDefinition": (
        "Nothing is written to the console unless the run config names a logger, since captured output would hold "
        "each line twice; records carry `penstock_meta`."
    ),
    "MAX_RUNTIME_SECONDS_TAG": "Its value is `penstock/max_runtime`.",
    "MultiAssetSensorEvaluationContext": (
        "`update_cursor` is refused, since the cursor is one for each asset; events that were not consumed are "
        "kept without a limit."
    ),
    "MultiPartitionMapping": (
        "By default two sets with the same dimensions are related dimension by dimension, windows of time by what "
        "they cover, and not key by key."
    ),
    "MultiPartitionsDefinition": (
        "Takes any number of dimensions; keys are listed by the time dimension first, so that positions stay when "
        "time goes on."
    ),
    "OpDefinition": "`compute_fn` is called as a function of `@op` is: the context, then inputs by name.",
    "Output": "A plain value where `Output[int]` is annotated is taken, and so is an `Output` where `int` is.",
    "OutputContext": "`get_identifier` of an asset's value is the same as `get_asset_identifier`.",
    "PartitionMapping": (
        "A rule of one's own gets and gives `PartitionsSubset` and `UpstreamPartitionsResult`, which are public "
        "names here."
    ),
    "PartitionedConfig": "A launch without config takes that of its partition from the code server.",
    "PipesMessageHandler": (
        "A wrong line is told in the log and does not end the reading; a report that cannot be understood fails "
        "the step."
    ),
    "PipesSubprocessClient": (
        "Its error has the exit code or signal and the last lines of stderr; on Linux the process ends with its step."
    ),
    "QueuedRunCoordinator": "Made by the instance from `penstock.yaml`; its limits stand under `concurrency` there.",
    "ReexecutionOptions": (
        "Steps whose values the chosen ones need run again too, as values of ops belong to their run."
    ),
    "RepositoryDefinition": "Made as `RepositoryDefinition(name, definitions=...)` or by `@repository`.",
    "RepositorySelector": "A location has one repository, so the repository's name is carried and not compared.",
    "ResourceDefinition": _NO_SCHEMA,
    "RetryRequested": "Where all attempts are used up, `raise_on_error` raises it itself, or its cause.",
    "RunConfig": "`to_config_dict` leaves empty sections out.",
    "RunRecord": "`storage_id` is the run id, which sorts by creation.",
    "RunsFilter(snapshot_id)": "there is no index behind it",
    "ScheduleDefinition.environment_vars": "Dagster itself has deprecated it",
    "SpecificPartitionsPartitionMapping": _UNKNOWN_KEY,
    "StaticPartitionMapping": _UNKNOWN_KEY,
    "TableColumnLineageMetadataValue": "Holds `references` as plain data; `lineage` and `value` give the lineage.",
    "TimeWindowPartitionMapping": (
        "The two sets may be of different time zones; an upstream partition that is needed and does not exist "
        "raises `DagsterUnknownPartitionError`."
    ),
    "TimeWindowPartitionsDefinition": (
        "Takes time windows among its `exclusions`; no window is lost or doubled where clocks change, and a "
        "format that writes two windows alike is refused. The wall time of a start counts, and its own zone where "
        "`timezone` is not given."
    ),
    "TypeCheck": "A value that does not pass is told by the step's failure alone, and not as an input or output too.",
    "UPathIOManager": (
        "A run that makes several partitions may return a dict by partition key; an input of no partition at all "
        "is an empty one, and parts of a key that would leave the folder are escaped."
    ),
    "asset_check": "A function that gives something else than results, for example a bool, fails.",
    "asset_sensor": "Called for each materialization since its cursor, in order, not only for the newest.",
    "build_hook_context": "What was not given is None instead of an error.",
    "build_input_context(step_context)": "what it knows is on the context itself: `run_id`, `step_key`, `job_name` ...",
    "build_metadata_bounds_checks": "Characters of a label that cannot be in a name are `_` in the check's name.",
    "build_schedule_context(instance_ref)": _RUN_LOADS_ITSELF,
    "build_schedule_from_partitioned_job": (
        "Sets without time need a `cron_schedule`; then each tick runs all of their partitions."
    ),
    "build_sensor_context(instance_ref)": _RUN_LOADS_ITSELF,
    "build_sensor_for_freshness_checks": (
        "A check that failed is asked for again when its asset was made or observed since."
    ),
    "config_from_files": "Errors are `SettingsError`, with line and column.",
    "configured": "The config of ops and graphs is checked where it is written, not when a run begins.",
    "deserialize_value(whitelist_map)": "the records that can be written are known",
    "execute_job": "Takes a job as it is too; its steps then run in this process.",
    "graph(input_defs)": "the classes for it are not public in Dagster either; annotate, or give `ins`",
    "graph(output_defs)": "the classes for it are not public in Dagster either; annotate, or give `out`",
    "graph_asset": "Refuses metadata on an `AssetIn`, since the op inside loads the value; give it to that op's `In`.",
    "instance_for_test(synchronous_run_launcher)": (
        "no launcher runs user code in the process that asks; use `execute_in_process` or `materialize(instance=...)`"
    ),
    "link_code_references_to_git": "Slashes and `.git` at the end of the address do no harm.",
    "load_from_defs_folder": "Folders with components are refused, since there are none yet.",
    "make_email_on_run_failure_sensor": "`smtp_type` may also be PLAIN, and an empty password means no login.",
    "map_asset_specs": "A changed spec may not leave out what a parameter of its function loads.",
    "materialize": "A partition that does not exist is refused, as by a launch.",
    "multiprocess_executor": "Steps are forked from the run's worker, so `start_method` and its like are no settings.",
    "run_failure_sensor": _RUN_EVENTS,
    "run_status_sensor": _RUN_EVENTS,
    "schedule": (
        "Several requests of one tick need no run key, the tags of the schedule are on requests of its function "
        "too, and what the function raises comes through `evaluate_tick` as it is."
    ),
    "schedule(environment_vars)": "Dagster itself has deprecated it",
    "serialize_value": "The text is of our own form, for our records and plain values.",
    "serialize_value(whitelist_map)": "the records that can be written are known",
}
"""By `name`, `name(parameter)` or `Class.member`: how it differs, and why."""

LEFT_OUT: Mapping[str, str] = {}
"""Names that are not here, and why."""
