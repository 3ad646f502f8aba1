"""When schedules and sensors are due: stored facts and the time in, what to store and what to evaluate out.

The next due time is stored. It is computed from now, never from the past, when the definition's rhythm changes or
somebody turns it on; so changing a cron text never fires a run by itself. While nobody looks (every daemon down), a
schedule misses instants; the latest missed one is made up, the others are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import msgspec

from ..codec import digest
from ..partitions.cron import last_tick, next_after, parse
from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, instigator_id
from ..records.location import ScheduleDescription, SensorDescription

_Described = TypeVar("_Described", ScheduleDescription, SensorDescription)

__all__ = ["Due", "Outlook", "is_on", "look_at_schedules", "look_at_sensors", "next_schedule_time"]


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation to do now, for the instant `at` (seconds since the epoch)."""

    location: str
    name: str
    at: float
    state: InstigatorState

    @property
    def id(self) -> str:
        """The instigator's id."""
        return self.state.id


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What to evaluate now, what to store, and when to look again (None: when something changes)."""

    due: tuple[Due, ...]
    store: tuple[InstigatorState, ...]
    next_look: float | None


def is_on(declared: InstigatorStatus, state: InstigatorState | None) -> bool:
    """Whether it is on: as somebody turned it, else as the code says."""
    status = declared
    if state is not None and state.status is not InstigatorStatus.DECLARED_IN_CODE:
        status = state.status
    return status is InstigatorStatus.RUNNING


def next_schedule_time(schedule: ScheduleDescription, after: float) -> float:
    """The schedule's first instant after `after` (seconds since the epoch)."""
    return next_after([parse(text) for text in schedule.cron], after, schedule.timezone)


def look_at_schedules(
    schedules: Iterable[tuple[str, ScheduleDescription]], states: dict[str, InstigatorState], now: float
) -> Outlook:
    """Look at all schedules, given as (location, description)."""

    def latest_missed(schedule: ScheduleDescription, first: float) -> float:
        latest = last_tick([parse(text) for text in schedule.cron], now, schedule.timezone, after=first - 1)
        return first if latest is None else latest

    return _look(
        ((location, each, (each.cron, each.timezone)) for location, each in schedules),
        InstigatorKind.SCHEDULE,
        states,
        now,
        first_due=lambda schedule: next_schedule_time(schedule, now),
        due_at=latest_missed,
    )


def look_at_sensors(
    sensors: Iterable[tuple[str, SensorDescription]], states: dict[str, InstigatorState], now: float
) -> Outlook:
    """Look at all sensors, given as (location, description). A sensor that was just turned on is due at once."""
    return _look(
        ((location, each, each.interval) for location, each in sensors),
        InstigatorKind.SENSOR,
        states,
        now,
        first_due=lambda _: now,
        due_at=lambda _, at: at,
    )


def _look(
    declared: Iterable[tuple[str, _Described, object]],
    kind: InstigatorKind,
    states: dict[str, InstigatorState],
    now: float,
    *,
    first_due: Callable[[_Described], float],
    due_at: Callable[[_Described, float], float],
) -> Outlook:
    due: list[Due] = []
    store: list[InstigatorState] = []
    looks: list[float] = []
    for location, description, rhythm in declared:
        name = description.name
        key = instigator_id(location, kind, name)
        state = states.get(key)
        if not is_on(description.default_status, state):
            continue
        fingerprint = digest(rhythm)
        if state is None or state.next_due is None or state.fingerprint != fingerprint:
            known = state or InstigatorState(id=key, location=location, kind=kind, name=name)
            state = msgspec.structs.replace(
                known,
                next_due=first_due(description),
                fingerprint=fingerprint,
                turned_on=now if known.turned_on is None else known.turned_on,
            )
            store.append(state)
        assert state.next_due is not None
        if state.next_due <= now:
            due.append(Due(location=location, name=name, at=due_at(description, state.next_due), state=state))
        else:
            looks.append(state.next_due)
    return Outlook(due=tuple(due), store=tuple(store), next_look=min(looks, default=None))
