"""Whether a run that has failed is run again by itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from ..errors import ConfigurationError
from ..records.run import FailureReason, Run, RunStatus, Tag
from ..wording import listed

__all__ = ["RetryPolicyOfRuns", "RetryRun", "RetryStrategy", "decide_retry"]


class RetryStrategy(StrEnum):
    """What of a failed run is run again."""

    FROM_FAILURE = "FROM_FAILURE"
    ALL_STEPS = "ALL_STEPS"
    FROM_ASSET_FAILURE = "FROM_ASSET_FAILURE"


class RetryPolicyOfRuns(msgspec.Struct, frozen=True, kw_only=True):
    """How often a run is run again, where its tags do not say it, and whether also when it was a step that failed."""

    max_retries: int = 0
    on_step_failure: bool = True


class RetryRun(msgspec.Struct, frozen=True, kw_only=True):
    """The run is to be run again: the `number`-th time of `allowed`."""

    number: int
    allowed: int
    strategy: RetryStrategy


def decide_retry(run: Run, policy: RetryPolicyOfRuns, *, made: int) -> RetryRun | str | None:
    """What to do about a run.

    Args:
        run: The run as it is now.
        policy: What holds where the run's tags say nothing.
        made: How many runs have repeated it or the first run of its chain, those that somebody asked for among them.

    Returns:
        The retry; or why there is none; None where none was asked for.

    Raises:
        ConfigurationError: A tag has a value that means nothing.
    """
    if run.status is not RunStatus.FAILURE:
        return None
    allowed = _count(run.tags, policy.max_retries)
    if not allowed:
        return None
    if run.failure_reason is FailureReason.STEP_FAILURE and not _on_step_failure(run.tags, policy.on_step_failure):
        return "A step failed, and only runs that break otherwise are run again."
    if made >= allowed:
        return f"It was run again {made} of {allowed} times."
    return RetryRun(number=made + 1, allowed=allowed, strategy=_strategy(run.tags))


def _count(tags: Mapping[str, str], default: int) -> int:
    given = tags.get(Tag.MAX_RETRIES)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit()):
        raise ConfigurationError(f"The tag {Tag.MAX_RETRIES} has the value {given!r}; give a whole number from 0 on.")
    return int(given)


def _on_step_failure(tags: Mapping[str, str], default: bool) -> bool:
    given = tags.get(Tag.RETRY_ON_STEP_FAILURE)
    if given is None:
        return default
    if given.lower() not in ("true", "false"):
        raise ConfigurationError(f"The tag {Tag.RETRY_ON_STEP_FAILURE} has the value {given!r}; give true or false.")
    return given.lower() == "true"


def _strategy(tags: Mapping[str, str]) -> RetryStrategy:
    given = tags.get(Tag.RETRY_STRATEGY, RetryStrategy.FROM_FAILURE)
    try:
        return RetryStrategy(given)
    except ValueError as error:
        known = listed(RetryStrategy, "or")
        raise ConfigurationError(f"The tag {Tag.RETRY_STRATEGY} has the value {given!r}; give {known}.") from error
