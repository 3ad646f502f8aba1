"""Which steps of a described job a run runs, and what of each: decided from the description alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec.structs import replace

from ..errors import DefinitionError, NotFoundError
from ..records.location import InputDescription, JobDescription, StepDescription
from ..wording import nearest_name

__all__ = ["as_asked", "asks_for_rest", "base_step_key", "narrow_job", "not_found", "rest_of"]

_REST = "[?]"


def base_step_key(key: str) -> str:
    """The key of the step in the plan behind the key of one of its runs: without `[mapping]`."""
    return key.partition("[")[0]


def rest_of(key: str) -> str:
    """The key that asks for those runs of a mapped step that have not succeeded in the run which is repeated."""
    return f"{key}{_REST}"


def asks_for_rest(keys: Iterable[str]) -> frozenset[str]:
    """The mapped steps that are asked for by `rest_of`."""
    return frozenset(base_step_key(key) for key in keys if key.endswith(_REST))


def as_asked(steps: Iterable[str], asked: Iterable[str]) -> tuple[str, ...]:
    """The keys of steps, those that are asked for by `rest_of` as it names them."""
    rest = asks_for_rest(asked)
    return tuple(rest_of(key) if key in rest else key for key in steps)


def narrow_job(
    job: JobDescription,
    *,
    assets: Sequence[str] | None = None,
    checks: Sequence[str] | None = None,
    step_keys: Sequence[str] | None = None,
    at_hand: Collection[str] | None = None,
) -> JobDescription:
    """The job with the chosen steps alone, each with the chosen assets and checks alone.

    Args:
        job: The job.
        assets: The assets to make; all if not given.
        checks: The checks to evaluate; if not given, those on the assets to make.
        step_keys: The steps to run; all if not given.
        at_hand: The steps whose values an earlier run has stored. With it, steps of ops whose values the chosen ones
            need are run too where they are not at hand, rather than missed.

    Raises:
        NotFoundError: The job has no such asset, check or step.
        DefinitionError: The selection cannot run by itself.
    """
    if assets is None and checks is None and step_keys is None:
        return job
    steps: Iterable[StepDescription] = job.steps
    if assets is not None or checks is not None:
        if not job.is_asset_job:
            raise DefinitionError(f'Job "{job.name}" runs ops and makes no assets; choose steps of it instead.')
        steps = _of_assets(job, assets, checks)
    if step_keys is not None:
        steps = _of_keys(job, list(steps), step_keys, at_hand)
    chosen = list(steps)
    present = {step.key for step in chosen}
    steps = tuple(_with_inputs(step, tuple(_inputs(job, step, present, at_hand or ()))) for step in chosen)
    return replace(
        job,
        steps=steps,
        assets=tuple(key for step in steps for key in step.assets),
        checks=tuple(key for step in steps for key in step.checks),
    )


def _with_inputs(step: StepDescription, inputs: tuple[InputDescription, ...]) -> StepDescription:
    return step if inputs == step.inputs else replace(step, inputs=inputs)


def _of_assets(
    job: JobDescription, assets: Sequence[str] | None, checks: Sequence[str] | None
) -> Iterable[StepDescription]:
    known_assets, known_checks = set(job.assets), set(job.checks)
    # Checks named alone ask for no asset.
    wanted = set() if assets is None else set(assets)
    for key in sorted(wanted - known_assets):
        raise not_found(f'job "{job.name}" does not make the asset "{key}"', key, known_assets)
    for key in sorted(set(checks or ()) - known_checks):
        raise not_found(f'job "{job.name}" does not evaluate the check "{key}"', key, known_checks)
    wanted_checks = None if checks is None else set(checks)
    for steps in _units(job.steps):
        yield from _of_unit(job, steps, wanted, wanted_checks)


def _units(steps: Iterable[StepDescription]) -> Iterable[list[StepDescription]]:
    """The steps by what decides together: the steps of a graph that makes assets, or one alone."""
    units: dict[str, list[StepDescription]] = {}
    for step in steps:
        units.setdefault(step.graph or step.key, []).append(step)
    return units.values()


def _of_unit(
    job: JobDescription, steps: Sequence[StepDescription], wanted: set[str], wanted_checks: set[str] | None
) -> Iterable[StepDescription]:
    name = steps[0].graph or steps[0].key
    can_subset = steps[0].can_subset
    all_assets = [key for step in steps for key in step.assets]
    all_checks = tuple(key for step in steps for key in step.checks)
    if not all_checks and wanted.isdisjoint(all_assets):
        return
    if not all_checks and wanted.issuperset(all_assets):
        yield from steps
        return
    own = tuple(key for key in all_assets if key in wanted)
    own_checks = _checks_of(all_checks, own, wanted, wanted_checks, can_subset=can_subset)
    if not own and not own_checks:
        return
    missing = [key for key in all_assets if key not in wanted] or [key for key in all_checks if key not in own_checks]
    if not missing:
        yield from steps
        return
    if not can_subset:
        raise DefinitionError(
            f'Step "{name}" of job "{job.name}" makes {", ".join([*own, *own_checks])} together with '
            f"{', '.join(missing)}, which are not selected; select all of them."
        )
    ends = [step.key for step in steps if not {*own, *own_checks}.isdisjoint((*step.assets, *step.checks))]
    needed = _needed(steps, ends)
    for step in steps:
        if step.key not in needed:
            continue
        yield replace(
            step,
            assets=tuple(key for key in step.assets if key in own),
            checks=tuple(key for key in step.checks if key in own_checks),
            outputs=tuple(each for each in step.outputs if each.asset is None or each.asset in wanted),
        )


def _needed(steps: Iterable[StepDescription], ends: Iterable[str]) -> set[str]:
    """The keys of the steps of a unit that these need, and these themselves."""
    by_key = {step.key: step for step in steps}
    reached = set(ends)
    waiting = list(reached)
    while waiting:
        for given in by_key[waiting.pop()].inputs:
            for ref in given.sources:
                if ref.step in by_key and ref.step not in reached:
                    reached.add(ref.step)
                    waiting.append(ref.step)
    return reached


def _checks_of(
    checks: tuple[str, ...], own: tuple[str, ...], wanted: set[str], wanted_checks: set[str] | None, *, can_subset: bool
) -> tuple[str, ...]:
    if own and not can_subset:
        return checks  # a function that cannot choose evaluates its checks with its assets
    if wanted_checks is not None:
        return tuple(key for key in checks if key in wanted_checks)
    along = tuple(key for key in checks if key.rpartition(":")[0] in wanted)
    return along if can_subset or len(along) == len(checks) else ()


def _of_keys(
    job: JobDescription, steps: Sequence[StepDescription], step_keys: Sequence[str], at_hand: Collection[str] | None
) -> list[StepDescription]:
    by_key = {step.key: step for step in steps}
    wanted = {base_step_key(key) for key in step_keys}
    for key in sorted(wanted - by_key.keys()):
        raise not_found(f'job "{job.name}" has no step "{key}"', key, by_key)
    if at_hand is not None and not job.is_asset_job:
        # In reverse of their order each step comes after all that need it.
        for step in reversed(steps):
            if step.key in wanted:
                needed = {ref.step for given in step.inputs for ref in given.sources if given.passes_value}
                wanted |= needed - set(at_hand)
    return [step for step in steps if step.key in wanted]


def _inputs(
    job: JobDescription, step: StepDescription, present: set[str], at_hand: Collection[str]
) -> Iterable[InputDescription]:
    for given in step.inputs:
        kept = tuple(ref for ref in given.sources if ref.step in present)
        if len(kept) == len(given.sources):
            yield given
        elif given.asset is not None or all(ref.step in present or ref.step in at_hand for ref in given.sources):
            yield replace(given, sources=kept)
        elif given.passes_value:
            missing = next(ref.step for ref in given.sources if ref.step not in present)
            raise DefinitionError(
                f'Step "{step.key}" of job "{job.name}" needs the value of step "{missing}", which is not selected and '
                "whose value lives in its own run alone; select that step too."
            )
        elif kept:
            yield replace(given, sources=kept)


def not_found(what: str, name: str, known: Iterable[str]) -> NotFoundError:
    """The error for a name that does not exist, with the nearest one that does."""
    near = nearest_name(name, known)
    hint = f'did you mean "{near}"?' if near is not None else "look at what there is, or reload the code location."
    return NotFoundError(f"{what[0].upper()}{what[1:]}; {hint}")
