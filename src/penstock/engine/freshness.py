"""Whether an asset is as fresh as its policy asks for: a function of policy, last event and now."""

from __future__ import annotations

from ..partitions.cron import last_tick, parse
from ..records.freshness import AnyFreshnessPolicy, CronFreshnessPolicy, FreshnessState, TimeWindowFreshnessPolicy

__all__ = ["freshness_of"]


def freshness_of(policy: AnyFreshnessPolicy, made_at: float | None, now: float) -> FreshnessState:
    """Whether an asset is fresh.

    Args:
        policy: What its author asks for.
        made_at: When it was last made, or of an asset that something else makes, last made or observed, in seconds
            since the epoch; None when never.
        now: The time.
    """
    match policy:
        case TimeWindowFreshnessPolicy():
            if made_at is None:
                return FreshnessState.UNKNOWN
            age = now - made_at
            if age > policy.fail_window.total_seconds():
                return FreshnessState.FAIL
            if policy.warn_window is not None and age > policy.warn_window.total_seconds():
                return FreshnessState.WARN
            return FreshnessState.PASS
        case CronFreshnessPolicy():
            if made_at is None:
                return FreshnessState.UNKNOWN
            deadline = last_tick(parse(policy.deadline_cron), now, policy.timezone)
            if deadline is None or made_at >= deadline - policy.lower_bound_delta.total_seconds():
                return FreshnessState.PASS
            return FreshnessState.FAIL
