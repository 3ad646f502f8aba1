"""Which steps of a plan need not run, since an earlier run has stored their values."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from msgspec.structs import replace

from .model import FromAsset, FromMapped, FromOutput, OrderOnly, Step, StepInput

__all__ = ["inherited_step", "mapped_over", "with_needed"]


def with_needed(
    steps: Mapping[str, Step], wanted: Collection[str], at_hand: Collection[str]
) -> tuple[set[str], set[str]]:
    """The steps to run, with those that they need and nobody has run; and the steps to take from an earlier run.

    A mapped step is taken only together with the step that it is mapped over: if that runs, it may give other keys.

    Args:
        steps: All steps of the job by key, each after those that feed it.
        wanted: Those to run.
        at_hand: Those whose values are stored.
    """
    mapped = mapped_over(steps)
    at_hand = {key for key in steps if key in at_hand and key not in wanted}
    for key in steps:  # each after all that it needs
        if not mapped.get(key, set()) <= at_hand:
            at_hand.discard(key)
    run, taken = set(wanted), set[str]()
    for key in reversed(list(steps)):
        if key in run:
            needed = {source for given in steps[key].inputs for source in _values(given)}
        elif key in taken:
            needed = set(mapped.get(key, ()))
        else:
            continue
        for source in needed - run:
            (taken if source in at_hand else run).add(source)
    return run, taken


def inherited_step(step: Step, taken: Collection[str]) -> Step:
    """The step with those of its inputs alone that say what it is mapped over."""
    return replace(
        step,
        inputs=tuple(
            given
            for given in step.inputs
            if isinstance(given.source, FromMapped | FromOutput) and given.source.step in taken
        ),
    )


def mapped_over(steps: Mapping[str, Step]) -> dict[str, set[str]]:
    """For each mapped step, the steps that say what it is mapped over."""
    mapped: dict[str, set[str]] = {}
    for step in steps.values():
        for given in step.inputs:
            if isinstance(given.source, FromMapped) or (
                isinstance(given.source, FromOutput) and given.source.step in mapped
            ):
                mapped.setdefault(step.key, set()).add(given.source.step)
    return mapped


def _values(given: StepInput) -> Iterator[str]:
    """The steps whose values an input takes, but for assets, which are loaded from where they are kept."""
    if not isinstance(given.source, FromAsset | OrderOnly):
        yield from (source.step for source in given.upstream())
