"""What Dagster calls otherwise than we do: the one place where the old spellings stand.

`penstock.compat` serves them at run time, and `penstock migrate` rewrites them in a project's files.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ATTRIBUTES", "LABEL_PREFIXES", "NAMES", "PARAMETERS"]

NAMES: Mapping[str, str] = {
    "DagsterAssetMetadataValue": "AssetMetadataValue",
    "DagsterConfigMappingFunctionError": "ConfigMappingError",
    "DagsterError": "PenstockError",
    "DagsterEvent": "Event",
    "DagsterEventLogInvalidForRun": "StorageError",
    "DagsterEventType": "EventType",
    "DagsterExecutionInterruptedError": "ExecutionInterruptedError",
    "DagsterExecutionStepExecutionError": "StepExecutionError",
    "DagsterExecutionStepNotFoundError": "StepNotFoundError",
    "DagsterInstance": "Instance",
    "DagsterInvalidConfigDefinitionError": "ConfigSchemaError",
    "DagsterInvalidConfigError": "InvalidRunConfigError",
    "DagsterInvalidDefinitionError": "DefinitionError",
    "DagsterInvalidInvocationError": "InvocationError",
    "DagsterInvalidSubsetError": "SubsetError",
    "DagsterInvariantViolationError": "UsageError",
    "DagsterJobMetadataValue": "JobMetadataValue",
    "DagsterLogManager": "ContextLogger",
    "DagsterResourceFunctionError": "ResourceError",
    "DagsterRun": "Run",
    "DagsterRunMetadataValue": "RunMetadataValue",
    "DagsterRunNotFoundError": "RunNotFoundError",
    "DagsterRunStatus": "RunStatus",
    "DagsterStepOutputNotFoundError": "StepOutputNotFoundError",
    "DagsterSubprocessError": "SubprocessError",
    "DagsterType": "ValueType",
    "DagsterTypeCheckDidNotPass": "TypeCheckDidNotPassError",
    "DagsterTypeCheckError": "TypeCheckError",
    "DagsterTypeLoader": "TypeLoader",
    "DagsterTypeLoaderContext": "TypeLoaderContext",
    "DagsterUnknownPartitionError": "PartitionNotFoundError",
    "DagsterUnknownResourceError": "UnknownResourceError",
    "DagsterUnmetExecutorRequirementsError": "UnmetExecutorRequirementsError",
    "DagsterUserCodeExecutionError": "UserCodeError",
    "DefaultRunLauncher": "LocalRunLauncher",
    "PythonObjectDagsterType": "PythonObjectType",
    "check_dagster_type": "check_type",
    "dagster_type_loader": "type_loader",
    "get_dagster_logger": "get_logger",
    "make_python_type_usable_as_dagster_type": "make_python_type_usable_as_type",
    "usable_as_dagster_type": "usable_as_type",
}
"""Public names: the old one, and ours."""

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "AssetIn": {"dagster_type": "python_type"},
    "AssetMetadataValue": {"asset_key": "asset"},
    "AssetOut": {"dagster_type": "python_type"},
    "DynamicOut": {"dagster_type": "python_type"},
    "In": {"dagster_type": "python_type"},
    "InputMapping": {"dagster_type": "python_type"},
    "Out": {"dagster_type": "python_type"},
    "OutputMapping": {"dagster_type": "python_type"},
    "TableColumnLineageMetadataValue": {"column_lineage": "references"},
    "asset": {"dagster_type": "python_type"},
    "build_input_context": {"dagster_type": "python_type"},
    "build_output_context": {"dagster_type": "python_type"},
    "build_resources": {"dagster_run": "run", "log_manager": "log"},
    "build_run_status_sensor_context": {"dagster_event": "event", "dagster_instance": "instance", "dagster_run": "run"},
    "check_type": {"dagster_type": "python_type"},
    "instance_for_test": {"set_dagster_home": "set_home"},
    "make_python_type_usable_as_type": {"dagster_type": "value_type"},
}
"""Keyword arguments: by our name of what is called, the old one and ours."""

ATTRIBUTES: Mapping[str, Mapping[str, str]] = {
    "AssetIn": {"dagster_type": "python_type"},
    "AssetOut": {"dagster_type": "python_type"},
    "Definitions": {
        "resolve_job_def": "get_job_def",
        "resolve_schedule_def": "get_schedule_def",
        "resolve_sensor_def": "get_sensor_def",
    },
    "Event": {
        "asset_materialization_planned_data": "fact",
        "asset_observation_data": "fact",
        "event_specific_data": "fact",
        "event_type_value": "type",
        "step_failure_data": "fact",
        "step_input_data": "fact",
        "step_materialization_data": "fact",
        "step_output_data": "fact",
        "step_retry_data": "fact",
        "step_success_data": "fact",
    },
    "EventLogEntry": {
        "dagster_event": "event",
        "dagster_event_type": "event_type",
        "get_dagster_event": "get_event",
        "is_dagster_event": "is_event",
    },
    "ExecuteInProcessResult": {"dagster_run": "run"},
    "ExecutorRequirement": {"RECONSTRUCTABLE_PIPELINE": "RECONSTRUCTABLE_JOB"},
    "In": {"dagster_type": "python_type"},
    "InitResourceContext": {"dagster_run": "run", "log_manager": "log"},
    "InputContext": {"dagster_type": "python_type"},
    "JobExecutionResult": {"dagster_run": "run"},
    "MetadataValue": {"dagster_run": "run"},
    "OpExecutionContext": {"dagster_run": "run"},
    "Out": {"dagster_type": "python_type"},
    "OutputContext": {"dagster_type": "python_type"},
    "Run": {"job_snapshot_id": "snapshot", "step_keys_to_execute": "step_keys"},
    "RunRecord": {"dagster_run": "run"},
    "RunStatusSensorContext": {"dagster_event": "event", "dagster_instance": "instance", "dagster_run": "run"},
    "SubmitRunContext": {"dagster_run": "run"},
    "TypeCheckContext": {"dagster_type": "python_type"},
    "TypeCheckDidNotPassError": {"dagster_type": "python_type"},
}
"""Attributes and methods: by our name of the class, the old one and ours. Subclasses have them too."""

LABEL_PREFIXES: Mapping[str, str] = {"dagster/": "penstock/", ".dagster/": ".penstock/"}
"""How the keys of tags, and the labels of metadata, that mean something begin."""
