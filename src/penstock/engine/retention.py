"""How long things are kept, and how fast they may be removed. Pure: rules and times in, what to do out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from ..records.automation import InstigatorKind, TickStatus
from ..records.retention import (
    Cut,
    Kept,
    OldActs,
    OldEvaluations,
    OldEvents,
    OldOutput,
    OldRuns,
    OldTicks,
    RetentionKind,
)

__all__ = [
    "DAY",
    "FOR_EVER",
    "Pace",
    "Rule",
    "amount_of",
    "cuts",
    "next_time",
    "pace_after",
    "rest_after",
    "words_of",
]

DAY = 86_400.0

FOR_EVER = -1
"""The number of days that means: nothing of it is ever removed."""

_STEP_SECONDS = 0.02
_REST = 4.0
_FEWEST, _MOST = 200, 5000  # on a machine that is busy, less would not be quicker, and would come to no end
_PLACE = {kind: place for place, kind in enumerate(RetentionKind)}
"""The order in which kinds are removed: a run whose log is gone goes quickly."""

_NOUNS = {
    RetentionKind.EVENTS: ("event of the log", "events of the log"),
    RetentionKind.RUNS: ("run", "runs"),
    RetentionKind.TICKS: ("tick", "ticks"),
    RetentionKind.EVALUATIONS: ("evaluation", "evaluations"),
    RetentionKind.ACTS: ("act", "acts"),
    RetentionKind.COMPUTE_LOGS: ("run's output", "runs' output"),
}

Days: TypeAlias = int


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """After how many days something of a kind is removed; -1 for never.

    Args:
        kind: What of.
        days: How many.
        of: Of ticks: whether those of schedules or of sensors.
        statuses: Of ticks: those that ended so.
    """

    kind: RetentionKind
    days: Days
    of: InstigatorKind | None = None
    statuses: tuple[TickStatus, ...] = ()


class Pace(msgspec.Struct, frozen=True):
    """How many rows the next step may remove."""

    rows: int = 500


def cuts(rules: Sequence[Rule], now: float) -> list[Cut]:
    """What is too old at a time, in the order in which it is to be removed.

    Args:
        rules: The rules, in any order.
        now: The time, in seconds since the epoch.
    """
    found = [_cut(rule, now - rule.days * DAY) for rule in rules if rule.days != FOR_EVER]
    if all(cut.kind is not RetentionKind.EVENTS for cut in found):
        found.append(OldEvents(before=0.0))  # a month that was taken away before is still to be cleared away
    return sorted(found, key=lambda cut: _PLACE[cut.kind])


def _cut(rule: Rule, before: float) -> Cut:
    match rule.kind:
        case RetentionKind.EVENTS:
            return OldEvents(before=before)
        case RetentionKind.RUNS:
            return OldRuns(before=before)
        case RetentionKind.TICKS:
            assert rule.of is not None
            return OldTicks(before=before, of=rule.of, statuses=rule.statuses)
        case RetentionKind.EVALUATIONS:
            return OldEvaluations(before=before)
        case RetentionKind.ACTS:
            return OldActs(before=before)
        case RetentionKind.COMPUTE_LOGS:
            return OldOutput(before=before)


def next_time(rules: Sequence[Rule], kept: Kept, now: float) -> float | None:
    """When the oldest of a kind will be too old; None where that never comes, or where it is past and what is there
    stays for another reason."""
    days = [rule.days for rule in rules if rule.kind is kept.kind and rule.days != FOR_EVER]
    if not days or kept.aged_from is None:
        return None
    at = kept.aged_from + min(days) * DAY
    return at if at > now else None


def words_of(rules: Sequence[Rule], kind: RetentionKind) -> str:
    """How long things of a kind are kept: "90 days", "for ever", "schedules 30 days, sensors 30 days (skipped 7)"."""
    mine = [rule for rule in rules if rule.kind is kind]
    if kind is not RetentionKind.TICKS:
        return _days(mine[0].days) if mine else _days(FOR_EVER)
    return ", ".join(f"{of.lower()}s {_ticks([rule for rule in mine if rule.of is of])}" for of in InstigatorKind)


def _ticks(rules: Sequence[Rule]) -> str:
    by_days: dict[Days, list[TickStatus]] = {}
    for rule in rules:
        by_days.setdefault(rule.days, []).extend(rule.statuses)
    if not by_days:
        return _days(FOR_EVER)
    most = max(by_days, key=lambda days: len(by_days[days]))
    other = [
        f"{status.lower()} {_days(days)}" for days, statuses in by_days.items() if days != most for status in statuses
    ]
    return f"{_days(most)} ({', '.join(other)})" if other else _days(most)


def _days(days: Days) -> str:
    if days == FOR_EVER:
        return "for ever"
    return f"{days} day" if days == 1 else f"{days} days"


def amount_of(kind: RetentionKind, count: int) -> str:
    """So much of a kind: "1 tick", "12,345 events of the log"."""
    one, many = _NOUNS[kind]
    return f"{count:,} {one if count == 1 else many}"


def pace_after(pace: Pace, took: float) -> Pace:
    """The size of the next step: one is to take about 20 ms, for which a writer would not notice it.

    Args:
        pace: The size of the last one.
        took: How many seconds it took.
    """
    if took > 2 * _STEP_SECONDS:
        return Pace(max(_FEWEST, pace.rows // 2))
    if took < _STEP_SECONDS / 2:
        return Pace(min(_MOST, pace.rows * 2))
    return pace


def rest_after(took: float) -> float:
    """How many seconds to rest after a step, so that four fifths of the time belong to everybody else."""
    return max(_STEP_SECONDS, _REST * took)
