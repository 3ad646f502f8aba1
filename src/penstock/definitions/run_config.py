"""The run config schema of a job: what its ops, resources and executor may and must be told.

    ops:        by node: config, inputs (values that nothing else feeds, or what an input manager is told of them),
                outputs (what an IO manager is told of them), and for a graph, its own ops
    resources:  by key: config
    execution:  the executor's config

A part is required only where something inside it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..config.fields import to_field
from ..config.schema import UNSET, Field, Scalar, Shape
from ..errors import DefinitionError
from .executors import default_executor
from .ops.graph import GraphDefinition
from .ops.job import JobDefinition
from .ops.op import OpDefinition
from .ops.ports import In
from .resources.resource import ResourceDefinition
from .store_config import input_fields, output_fields

__all__ = ["job_ops", "needed_resources", "run_config_schema", "takes_config"]

_EMPTY = Field(type=Shape(), required=False)
_NO_FIELDS: Mapping[str, Field] = {}


def run_config_schema(job: JobDefinition) -> Shape:
    """The schema of a job's run config.

    Raises:
        DefinitionError: A config schema cannot be read, or an input can come from nowhere.
    """
    if job.graph is not None:
        ops = _graph_entries(job.graph, job)
    else:
        ops = {op.name: _op_entry(op, job, frozenset(op.ins)) for op in job_ops(job)}
    resources = {
        key: _entry({"config": field})
        for key, definition in sorted(job.resource_defs.items())
        if (field := definition.config_field) is not None
    }
    executor = job.executor_def or default_executor
    execution = {"config": Field(type=executor.config_type(), required=False, default=executor.preset or UNSET)}
    return Shape(
        fields={
            "ops": _entry(ops),
            "resources": _entry(resources),
            "execution": Field(type=Shape(fields=execution), required=False, default={}),
        }
    )


def job_ops(job: JobDefinition) -> list[OpDefinition]:
    """The ops of a job, in no particular order; an op that is used twice occurs twice."""
    if job.asset_layer is not None:
        layer = job.asset_layer
        names = dict.fromkeys(
            [
                *(
                    node.definition.op.name
                    for key in sorted(layer.assets)
                    if (node := layer.graph.assets[key]).definition
                ),
                *(layer.graph.checks[key].definition.op.name for key in sorted(layer.checks)),
            ]
        )
        return [layer.graph.definitions[name].op for name in names]
    return _graph_ops(job.graph) if job.graph is not None else []


def _graph_ops(graph: GraphDefinition) -> list[OpDefinition]:
    ops: list[OpDefinition] = []
    for node in graph.nodes.values():
        if isinstance(node.definition, GraphDefinition):
            ops += _graph_ops(node.definition)
        else:
            ops.append(node.definition)
    return ops


def _graph_entries(graph: GraphDefinition, job: JobDefinition) -> dict[str, Field]:
    entries = {}
    for name, node in graph.nodes.items():
        fed = frozenset(node.sources)
        if isinstance(node.definition, GraphDefinition):
            parts = {"ops": _entry(_graph_entries(node.definition, job))}
            entries[name] = _entry(parts | _inputs(node.definition.ins, fed, f'graph "{name}"', job))
        else:
            entries[name] = _op_entry(node.definition, job, fed)
    return entries


def _op_entry(op: OpDefinition, job: JobDefinition, fed: frozenset[str]) -> Field:
    config = op.config_field
    managed = input_fields(op.ins, job.resource_defs)
    outputs = output_fields(op.outs, job.resource_defs)
    if config is None and len(fed) == len(op.ins) and not managed and not outputs:
        return _EMPTY
    parts = {} if config is None else {"config": config}
    parts |= _inputs(op.ins, fed, f'op "{op.name}" ({op.source})', job, managed)
    return _entry(parts | ({"outputs": _entry(outputs)} if outputs else {}))


def _inputs(
    ins: Mapping[str, In],
    fed: frozenset[str],
    what: str,
    job: JobDefinition,
    managed: Mapping[str, Field] = _NO_FIELDS,
) -> dict[str, Field]:
    fields = {name: _input_field(name, each, what, job) for name, each in ins.items() if takes_config(name, each, fed)}
    fields |= managed
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


def _input_field(name: str, definition: In, what: str, job: JobDefinition) -> Field:
    try:
        kind = to_field(definition.python_type).type if definition.type_name != "Any" else Scalar()
    except DefinitionError as error:
        raise DefinitionError(
            f'The input "{name}" of {what} is fed by nothing in job "{job.name}" ({job.source}), and a run config '
            f"cannot give a value of its type {definition.type_name}; pass it an output of another op, or give it "
            "a default."
        ) from error
    return Field(type=kind, required=True, description=definition.description)


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
