"""The run config schema of a job: what its ops, resources and executor may and must be told.

    ops:        by node: config, inputs (values that nothing else feeds, or what an input manager is told of them),
                outputs (what an IO manager is told of them), and for a graph, its own ops
    inputs:     values of the inputs of the job's graph that have none
    resources:  by key: config
    execution:  the executor's config
    loggers:    by name, those that get the lines of the run: config

A part is required only where something inside it is. A graph with a config mapping has a `config` of its own in place
of its `ops`; a job with one is launched with what its mapping takes, in place of all this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

from ..config.schema import UNSET, ConfigType, Field, Scalar, Shape
from ..errors import DefinitionError
from ..records.location import MappedPart
from .assets.definition import AssetsDefinition
from .loggers import LoggerDefinition
from .ops.graph import GraphDefinition
from .ops.job import JobDefinition
from .ops.op import OpDefinition
from .ops.ports import In
from .ops.type_loader import input_form, is_configurable
from .ops.value_type import on_register
from .resources.resource import ResourceDefinition
from .store_config import input_configs, output_configs

__all__ = [
    "asset_functions",
    "full_run_config_schema",
    "graph_config_schema",
    "job_ops",
    "mapped_part",
    "needed_resources",
    "run_config_schema",
    "takes_config",
]

_EMPTY = Field(type=Shape(), required=False)

_schemas: WeakKeyDictionary[JobDefinition, Shape] = WeakKeyDictionary()  # to describe, launch and run asks for it
on_register.append(_schemas.clear)


def run_config_schema(job: JobDefinition) -> ConfigType:
    """The schema of what a job is launched with: its run config, or what its config mapping makes that of.

    Raises:
        DefinitionError: A config schema cannot be read, or an input can come from nowhere.
    """
    if job.config_mapping is None:
        return full_run_config_schema(job)
    return job.config_mapping.declared_config.field.type


def full_run_config_schema(job: JobDefinition) -> Shape:
    """The schema of a job's run config, as its config mapping has to make it.

    Raises:
        DefinitionError: A config schema cannot be read, or an input can come from nowhere.
    """
    schema = _schemas.get(job)
    if schema is None:
        schema = _schemas[job] = _full_schema(job)
    return schema


def _full_schema(job: JobDefinition) -> Shape:
    inputs: dict[str, Field] = {}
    if job.graph is not None:
        ops = _graph_part(job.graph, job)
        inputs = _inputs(job.graph.ins, frozenset(job.input_values), f'graph "{job.graph.name}"', job)
    else:
        ops = {each.name: _assets_entry(each, job) for each in asset_functions(job)}
    resources = {
        key: _entry({"config": field})
        for key, definition in sorted(job.resource_defs.items())
        if (field := definition.config_field) is not None
    }
    return Shape(
        fields={
            "ops": _entry(ops),
            "resources": _entry(resources),
            "execution": _execution_field(job),
            "loggers": _entry({name: _logger_field(each) for name, each in sorted(job.loggers.items())}),
            **inputs,
        }
    )


def _execution_field(job: JobDefinition) -> Field:
    """What a run config may say of a job's executor."""
    field = job.executor_def.declared_config.field
    return _entry({} if field is None else {"config": field})


def _logger_field(logger: LoggerDefinition) -> Field:
    """What a run config may say of a logger that it chooses."""
    field = logger.declared_config.field
    return Field(type=Shape(fields={} if field is None else {"config": field}), required=False)


def mapped_part(job: JobDefinition) -> MappedPart:
    """The part of a job's run config that is given in another form, from which a config mapping makes it."""
    if job.config_mapping is not None:
        return "all"
    return "ops" if job.graph is not None and job.graph.declared_config is not None else ""


def job_ops(job: JobDefinition) -> list[OpDefinition]:
    """The ops of a job, in no particular order; an op that is used twice occurs twice."""
    if job.asset_layer is not None:
        return [op for each in asset_functions(job) for op in each.ops()]
    return job.graph.all_ops() if job.graph is not None else []


def asset_functions(job: JobDefinition) -> list[AssetsDefinition]:
    """The functions that make the assets of a job and evaluate its checks, each once."""
    if job.asset_layer is None:
        return []
    layer = job.asset_layer
    names = dict.fromkeys(
        [
            *(node.definition.name for key in sorted(layer.assets) if (node := layer.graph.assets[key]).definition),
            *(layer.graph.checks[key].definition.name for key in sorted(layer.checks)),
        ]
    )
    return [layer.graph.definitions[name] for name in names]


def _assets_entry(definition: AssetsDefinition, job: JobDefinition) -> Field:
    node = definition.node_def
    if isinstance(node, GraphDefinition):
        return _entry(_graph_parts(node, job))
    return _op_entry(node, job, frozenset(node.ins))


def graph_config_schema(graph: GraphDefinition, job: JobDefinition) -> Shape:
    """The schema of the entries of a graph's nodes, by name, as its config mapping has to make them."""
    return Shape(fields=_graph_entries(graph, job))


def _graph_part(graph: GraphDefinition, job: JobDefinition) -> dict[str, Field]:
    """What stands in the place of a graph's entries: these, or the config that its mapping takes."""
    declared = graph.declared_config
    if declared is None:
        return _graph_entries(graph, job)
    return {} if declared.field is None else {"config": declared.field}


def _graph_parts(graph: GraphDefinition, job: JobDefinition) -> dict[str, Field]:
    """What the entry of a graph inside a job holds."""
    part = _graph_part(graph, job)
    return {"ops": _entry(part)} if graph.declared_config is None else part


def _graph_entries(graph: GraphDefinition, job: JobDefinition) -> dict[str, Field]:
    entries = {name: Field(type=Scalar(), required=False) for name in graph.wiring.left_out}
    for name, node in graph.nodes.items():
        fed = frozenset(node.sources)
        if isinstance(node.definition, GraphDefinition):
            inputs = _inputs(node.definition.ins, fed, f'graph "{name}"', job)
            entries[name] = _entry(_graph_parts(node.definition, job) | inputs)
        else:
            entries[name] = _op_entry(node.definition, job, fed)
    return entries


def _op_entry(op: OpDefinition, job: JobDefinition, fed: frozenset[str]) -> Field:
    config = op.config_field
    outputs = {name: each.field for name, each in output_configs(op.outs, job.resource_defs).items()}
    inputs = _inputs(op.ins, fed, f'op "{op.name}" ({op.source})', job)
    if config is None and not inputs and not outputs:
        return _EMPTY
    parts = {} if config is None else {"config": config}
    return _entry(parts | inputs | ({"outputs": _entry(outputs)} if outputs else {}))


def _inputs(ins: Mapping[str, In], fed: frozenset[str], what: str, job: JobDefinition) -> dict[str, Field]:
    fields = {}
    for name, each in ins.items():
        if takes_config(name, each, fed):
            fields[name] = _input_field(name, each, what, job)
        elif _may_replace_default(name, each, fed):
            fields[name] = Field(
                type=input_form(each.python_type).config.field.type, required=False, description=each.description
            )
    fields |= {name: each.field for name, each in input_configs(ins, job.resource_defs).items()}
    return {"inputs": _entry(fields)} if fields else {}


def takes_config(name: str, definition: In, fed: frozenset[str]) -> bool:
    """Whether an input's value can only come from the run config."""
    return not (
        name in fed
        or definition.has_default
        or definition.is_nothing
        or definition.asset_key is not None
        or definition.input_manager_key is not None
    )


def _may_replace_default(name: str, definition: In, fed: frozenset[str]) -> bool:
    """Whether the run config may give another value than the input's default."""
    return (
        definition.has_default
        and name not in fed
        and not definition.is_nothing
        and definition.input_manager_key is None
        and is_configurable(definition.python_type)
    )


_FED_BY_NOTHING = "an input that nothing in the job feeds"


def _input_field(name: str, definition: In, what: str, job: JobDefinition) -> Field:
    try:
        kind = input_form(definition.python_type).config.field.type
    except DefinitionError as error:
        raise DefinitionError(
            f'The input "{name}" of {what} is fed by nothing in job "{job.name}" ({job.source}), and {error}; '
            "pass it an output of another op, or give it a default."
        ) from error
    return Field(type=kind, required=True, description=definition.description or _FED_BY_NOTHING)


def _entry(fields: Mapping[str, Field]) -> Field:
    required = any(field.required for field in fields.values())
    return Field(type=Shape(fields=dict(fields)), required=required, default=UNSET if required else {})


def needed_resources(keys: Iterable[str], resources: Mapping[str, ResourceDefinition]) -> tuple[str, ...]:
    """These resources and those that they need in turn, sorted; keys that nothing defines are kept."""
    reached: set[str] = set()
    waiting = list(keys)
    while waiting:
        key = waiting.pop()
        if key not in reached:
            reached.add(key)
            definition = resources.get(key)
            waiting += definition.required_resource_keys if definition is not None else ()
    return tuple(sorted(reached))
