"""What of a run is left to do again, and which of its tags go with it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from ..engine.retry import RetryStrategy
from ..errors import ConfigurationError
from ..records.location import JobDescription, StepDescription
from ..records.run import Run, RunStatus, StepStats, StepStatus, Tag
from .selection import base_step_key, rest_of

__all__ = ["steps_to_repeat", "tags_to_repeat", "what_to_repeat"]

_DONE = frozenset({StepStatus.SUCCESS, StepStatus.SKIPPED})
_OF_ONE_RUN = frozenset(
    {
        Tag.TICK,
        Tag.RUN_KEY,
        Tag.PARENT_RUN,
        Tag.ROOT_RUN,
        Tag.RETRY_NUMBER,
        Tag.WILL_RETRY,
        Tag.AUTO_RETRY_RUN,
    }
)


def tags_to_repeat(run: Run) -> dict[str, str]:
    """The tags of a run without those that say where this one came from, and what became of it."""
    return {key: value for key, value in run.tags.items() if key not in _OF_ONE_RUN}


def what_to_repeat(
    run: Run,
    strategy: RetryStrategy,
    described: JobDescription | None,
    stats: Iterable[StepStats],
    made: Collection[str],
) -> tuple[tuple[str, ...] | None, tuple[str, ...] | None]:
    """The steps and the assets that a repetition of an ended run runs; None is all.

    Args:
        run: The run.
        strategy: What of it.
        described: What the run consisted of, if that is still known.
        stats: What is known of its steps.
        made: The assets that it made, in text form.

    Raises:
        ConfigurationError: Nothing is left to do, or it is not known what.
    """
    if strategy is RetryStrategy.ALL_STEPS:
        return run.step_keys, run.assets
    if run.status is RunStatus.SUCCESS:
        raise ConfigurationError(
            f"The run {run.run_id} succeeded, so nothing of it is left to do; run all its steps again instead."
        )
    if described is None:
        raise ConfigurationError(
            f"What the run {run.run_id} consisted of is no longer stored; run all its steps again instead."
        )
    if strategy is RetryStrategy.FROM_ASSET_FAILURE:
        left = tuple(asset for asset in described.assets if asset not in made)
        if not left:
            raise ConfigurationError(f"The run {run.run_id} made all of its assets.")
        return None, left
    return steps_to_repeat(described.steps, stats), run.assets


def steps_to_repeat(plan: Iterable[StepDescription], stats: Iterable[StepStats]) -> tuple[str, ...]:
    """The steps that neither succeeded nor were skipped, in the plan's order, and those that they feed.

    A mapped step has run as `key[mapping]`, once for each mapping key. Where some of these succeeded, the others are
    asked for by `key[?]`.
    """
    done: dict[str, bool] = {}
    partly: set[str] = set()
    for step in stats:
        key = base_step_key(step.step_key)
        done[key] = done.get(key, True) and step.status in _DONE
        if key != step.step_key and step.status is StepStatus.SUCCESS:
            partly.add(key)
    left: dict[str, str] = {}
    for each in plan:
        feeding = {source.step for given in each.inputs for source in given.sources}
        if not done.get(each.key, False) or not feeding.isdisjoint(left):
            left[each.key] = rest_of(each.key) if each.key in partly else each.key
    return tuple(left.values())
