"""What of a run is left to do again."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.run import StepStats, StepStatus
from .selection import base_step_key

__all__ = ["steps_to_repeat"]

_DONE = frozenset({StepStatus.SUCCESS, StepStatus.SKIPPED})


def steps_to_repeat(plan: Iterable[str], stats: Iterable[StepStats]) -> tuple[str, ...]:
    """The steps that neither succeeded nor were skipped, in the plan's order.

    A mapped step has run as `key[mapping]`, once for each mapping key; it is repeated when one of these has to be.
    """
    done: dict[str, bool] = {}
    for step in stats:
        key = base_step_key(step.step_key)
        done[key] = done.get(key, True) and step.status in _DONE
    return tuple(key for key in plan if not done.get(key, False))
