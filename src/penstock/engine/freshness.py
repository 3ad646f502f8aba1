"""Whether an asset is as fresh as its policy asks for, and until when: functions of policy, last event and now."""

from __future__ import annotations

import math
from functools import lru_cache

from ..partitions.cron import last_tick, next_after, parse
from ..records.asset import AssetState
from ..records.freshness import AnyFreshnessPolicy, CronFreshnessPolicy, TimeWindowFreshnessPolicy
from ..records.freshness_state import FreshnessState

__all__ = ["freshness_of", "made_at", "turns_at"]


def made_at(state: AssetState | None, *, materializable: bool) -> float | None:
    """When an asset was last made, or if something else makes it, last made or observed, in seconds since the epoch;
    None when never."""
    if state is None:
        return None
    return state.materialized_at if materializable else state.latest_event_at


def freshness_of(policy: AnyFreshnessPolicy, made_at: float | None, now: float) -> FreshnessState:
    """Whether an asset is fresh.

    Args:
        policy: What its author asks for.
        made_at: When it was last made, or of an asset that something else makes, last made or observed, in seconds
            since the epoch; None when never.
        now: The time.
    """
    if made_at is None:
        return FreshnessState.UNKNOWN
    match policy:
        case TimeWindowFreshnessPolicy():
            if now > made_at + policy.fail_window.total_seconds():
                return FreshnessState.FAIL
            if policy.warn_window is not None and now > made_at + policy.warn_window.total_seconds():
                return FreshnessState.WARN
            return FreshnessState.PASS
        case CronFreshnessPolicy():
            deadline = _deadline(policy.deadline_cron, policy.timezone, now)
            if deadline is None or made_at + policy.lower_bound_delta.total_seconds() >= deadline:
                return FreshnessState.PASS
            return FreshnessState.FAIL


def turns_at(policy: AnyFreshnessPolicy, made_at: float | None, now: float) -> float | None:
    """The first instant after now at which an asset is no longer as fresh as now, if it is not made before that; None
    if there is none. The arguments are those of `freshness_of`."""
    if made_at is None:
        return None
    match policy:
        case TimeWindowFreshnessPolicy():
            windows = (policy.warn_window, policy.fail_window)
            ends = (made_at + window.total_seconds() for window in windows if window is not None)
            # At the end of a window the asset is fresh still.
            return min((math.nextafter(end, math.inf) for end in ends if end >= now), default=None)
        case CronFreshnessPolicy():
            # What is made counts for each deadline that comes within a stretch of time after it.
            covered = made_at + policy.lower_bound_delta.total_seconds()
            if freshness_of(policy, made_at, now) is FreshnessState.FAIL:
                return None
            return _next_deadline(policy.deadline_cron, policy.timezone, max(covered, now))


# Many assets have the same deadlines, and are asked about at the same instant.


@lru_cache(maxsize=256)
def _deadline(cron: str, timezone: str, now: float) -> float | None:
    return last_tick(parse(cron), now, timezone)


@lru_cache(maxsize=256)
def _next_deadline(cron: str, timezone: str, after: float) -> float:
    return next_after(parse(cron), after, timezone)
