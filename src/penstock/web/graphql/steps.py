"""The steps of a plan, and how those of a run went."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ...records.location import InputDescription, OutputDescription
from ...records.run import StepAttempt, StepStats
from ...records.step_figures import StepFigures
from .context import Context
from .failures import Result
from .fields import Fields
from .keys import Pair, pairs
from .nodes import PlanNode, StepNode

__all__ = ["TABLES", "ExecutionPlan", "plan_of"]

_STEP = Fields("ExecutionStep", source=StepNode)
_OUTPUT = Fields("ExecutionStepOutput", source=OutputDescription)
_STATS = Fields("RunStepStats", source=StepStats)
_MARKER = Fields("RunMarker", source=StepAttempt)
_FIGURES = Fields("StepFigures", source=StepFigures)


class _Input(NamedTuple):
    plan: PlanNode
    input: InputDescription


_INPUT = Fields("ExecutionStepInput", source=_Input)


class ExecutionPlan(Result, frozen=True, kw_only=True):
    """Steps in an order that respects dependencies, and the assets that they make."""

    steps: tuple[StepNode, ...]
    asset_keys: tuple[str, ...]
    artifacts_persisted: bool = True


TABLES = (_STEP, _OUTPUT, _STATS, _MARKER, _FIGURES, _INPUT)


def plan_of(plan: PlanNode) -> ExecutionPlan:
    """A plan as the API tells it."""
    made = {asset: None for step in plan.steps.values() for asset in step.assets}
    return ExecutionPlan(steps=tuple(plan.step_nodes()), asset_keys=tuple(made))


_STEP.rename(
    key="step.key",
    op_name="step.op",
    kind="step.kind",
    description="step.description",
    outputs="step.outputs",
    asset_keys="step.assets",
    asset_checks="step.checks",
    compute_kind="step.compute_kind",
    max_retries="step.max_retries",
    timeout_seconds="step.timeout",
    pool="step.pool",
    resources="step.resources",
)


@_STEP.field
def inputs(node: StepNode, _: Context) -> list[_Input]:
    return [_Input(node.plan, each) for each in node.step.inputs]


@_STEP.field
def tags(node: StepNode, _: Context) -> Iterable[Pair]:
    return pairs(node.step.tags)


_INPUT.rename(name="input.name", type_name="input.type_name")


@_INPUT.field
def upstream_keys(node: _Input, _: Context) -> list[str]:
    return list(dict.fromkeys(source.step for source in node.input.sources))


@_INPUT.field
def depends_on(node: _Input, _: Context) -> list[StepNode]:
    keys = dict.fromkeys(source.step for source in node.input.sources)
    return [StepNode(node.plan, node.plan.steps[key]) for key in keys if key in node.plan.steps]


_OUTPUT.rename(is_dynamic="dynamic", is_required="required")
_STATS.rename(worker_start_time="worker_started", start_time="started", end_time="ended")
_MARKER.rename(start_time="start", end_time="end")
