"""Builds the execution plan of a job, or of a part of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec.structs import replace

from ..definitions.assets.layer import AssetLayer
from ..definitions.garbage import paused_collection
from ..definitions.ops.job import JobDefinition
from ..definitions.steps.job_steps import job_steps
from ..errors import DefinitionError
from .inheritance import inherited_step, with_needed
from .model import ExecutionPlan, FromAsset, OrderOnly, Step, StepInput
from .selection import base_step_key, not_found

__all__ = ["build_plan"]


def build_plan(
    job: JobDefinition,
    *,
    step_keys: Sequence[str] | None = None,
    assets: Sequence[str] | None = None,
    checks: Sequence[str] | None = None,
    at_hand: Collection[str] | None = None,
) -> ExecutionPlan:
    """The plan of a run.

    Args:
        job: The job, with its resources.
        step_keys: Of its steps, those to run; a mapped step may be named with its mapping key, and runs for all keys.
        assets: Of a job of assets, those to make, in text form.
        checks: Those to evaluate, as `asset/key:name`; if not given, all of the job's checks on the assets to make.
        at_hand: With `step_keys`, the steps whose values an earlier run has stored: they are inherited where a step to
            run needs them, and what else it needs runs too. None where there is no earlier run.

    Raises:
        NotFoundError: The job has no such step, asset or check.
        DefinitionError: The selection cannot run by itself; the message names what is missing.
    """
    with paused_collection():
        return _build(job, step_keys, assets, checks, at_hand)


def _build(
    job: JobDefinition,
    step_keys: Sequence[str] | None,
    assets: Sequence[str] | None,
    checks: Sequence[str] | None,
    at_hand: Collection[str] | None,
) -> ExecutionPlan:
    layer = job.asset_layer
    if layer is None:
        if assets or checks:
            raise DefinitionError(
                f'Job "{job.name}" runs ops and makes no assets, so none of its assets can be selected.'
            )
        steps = job_steps(job)
    else:
        chosen_assets, chosen_checks = _selection(job, layer, assets, checks)
        steps = job_steps(job, chosen_assets, chosen_checks)
    inherited: Mapping[str, Step] = {}
    if step_keys is not None:
        wanted = _wanted(job, steps, step_keys)
        if at_hand is not None:
            wanted, taken = with_needed(steps, wanted, frozenset(at_hand))
            inherited = {key: inherited_step(steps[key], taken) for key in steps if key in taken}
        steps = {key: _alone(job, step, wanted | inherited.keys()) for key, step in steps.items() if key in wanted}
    resources = frozenset[str]().union(*(step.used_resources for step in steps.values()))
    return ExecutionPlan(job_name=job.name, steps=steps, resources=resources, inherited=inherited)


def _selection(
    job: JobDefinition, layer: AssetLayer, assets: Sequence[str] | None, checks: Sequence[str] | None
) -> tuple[frozenset[str], frozenset[str]]:
    chosen = layer.assets if assets is None else frozenset(assets)
    for key in sorted(chosen - layer.assets):
        raise not_found(f'job "{job.name}" does not make the asset "{key}"', key, layer.assets)
    if checks is not None:
        for key in sorted(set(checks) - layer.checks):
            raise not_found(f'job "{job.name}" does not evaluate the check "{key}"', key, layer.checks)
        # Checks alone: naming them without assets asks for no asset.
        return (frozenset() if assets is None else chosen), frozenset(checks)
    if assets is None:
        return chosen, layer.checks
    return chosen, _checks_along(layer, chosen)


def _checks_along(layer: AssetLayer, assets: frozenset[str]) -> frozenset[str]:
    """The checks that assets bring along: not those whose function would also evaluate checks on other assets."""
    graph = layer.graph
    found = set()
    for key in layer.checks:
        node = graph.checks[key]
        if node.asset in assets and (
            node.definition.can_subset
            or all(spec.asset_key.to_user_string() in assets for spec in node.definition.check_specs)
        ):
            found.add(key)
    return frozenset(found)


def _wanted(job: JobDefinition, steps: Mapping[str, Step], step_keys: Sequence[str]) -> set[str]:
    wanted = {base_step_key(key) for key in step_keys}
    for key in sorted(wanted - steps.keys()):
        raise not_found(f'job "{job.name}" has no step "{key}"', key, steps)
    return wanted


def _alone(job: JobDefinition, step: Step, wanted: set[str]) -> Step:
    """The step without the steps that are left out: values of assets are loaded, orders fall away."""
    left_out = {source.step for given in step.inputs for source in given.upstream()} - wanted
    if not left_out:
        return step
    inputs = tuple(each for given in step.inputs if (each := _input_alone(job, step, given, left_out)) is not None)
    return replace(step, inputs=inputs)


def _input_alone(job: JobDefinition, step: Step, given: StepInput, left_out: set[str]) -> StepInput | None:
    missing = [source.step for source in given.upstream() if source.step in left_out]
    if not missing:
        return given
    match given.source:
        case FromAsset():
            return replace(given, source=replace(given.source, made_by=None))
        case OrderOnly(sources=sources):
            kept = tuple(each for each in sources if each.step not in left_out)
            return replace(given, source=OrderOnly(kept)) if kept else None
        case _:
            raise DefinitionError(
                f'Step "{step.key}" of job "{job.name}" needs the value of step "{missing[0]}", which is not '
                "selected and "
                "whose value lives in its own run alone; select that step too."
            )
