"""When schedules and sensors are due: stored facts and the time in, what to store and what to evaluate out.

The next due time is stored. It is computed from now, never from the past, when the definition's rhythm changes or
somebody turns it on; so changing a cron text never fires a run by itself. While nobody looks (every daemon down), a
schedule misses instants; the latest missed one is made up, the others are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from ..codec import digest
from ..partitions.cron import last_tick, next_after, parse
from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, instigator_id
from ..records.location import ScheduleDescription, SensorDescription

_Described = TypeVar("_Described", ScheduleDescription, SensorDescription)

__all__ = [
    "AT_ONCE",
    "Due",
    "Outlook",
    "is_on",
    "look_at_schedules",
    "look_at_sensors",
    "next_schedule_time",
    "poll_seconds",
]

AT_ONCE = 0.001
"""A due time is evaluated once, so one that is due again at once is due a little later."""

_POLLED_BY_DEFAULT = 30.0
_SAFETY_NET = 3600.0


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
    """What to evaluate now, what to store, and when each of the others that are on is due, by id."""

    due: tuple[Due, ...]
    store: tuple[InstigatorState, ...]
    later: dict[str, float]

    @property
    def next_look(self) -> float | None:
        """When to look again; None: when something changes."""
        return min(self.later.values(), default=None)


def is_on(declared: InstigatorStatus, state: InstigatorState | None) -> bool:
    """Whether it is on: as somebody turned it, else as the code says."""
    status = declared
    if state is not None and state.status is not InstigatorStatus.DECLARED_IN_CODE:
        status = state.status
    return status is InstigatorStatus.RUNNING


def next_schedule_time(schedule: ScheduleDescription, after: float) -> float:
    """The schedule's first instant after `after` (seconds since the epoch)."""
    return next_after([parse(text) for text in schedule.cron], after, schedule.timezone)


def poll_seconds(sensor: SensorDescription) -> float:
    """How long after an evaluation a sensor is evaluated again though nothing new was heard of for it."""
    if sensor.kind == "ASSET" or sensor.event_type is not None:
        return max(sensor.interval, _SAFETY_NET)
    return sensor.interval or _POLLED_BY_DEFAULT


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
        next_due=lambda _, state: state.next_due,
        due_at=latest_missed,
    )


def look_at_sensors(
    sensors: Iterable[tuple[str, SensorDescription]],
    states: dict[str, InstigatorState],
    now: float,
    news: Mapping[str, float] = MappingProxyType({}),
) -> Outlook:
    """Look at all sensors, given as (location, description). A sensor that was just turned on is due at once.

    `news` says since when there is something new for a sensor, by its id: it need not wait until it is due anyway, but
    for the interval that its code names.
    """

    def next_due(sensor: SensorDescription, state: InstigatorState) -> float | None:
        heard = news.get(state.id)
        if heard is None or state.next_due is None:
            return state.next_due
        if state.last_tick is not None:
            heard = max(heard, state.last_tick + max(sensor.interval, AT_ONCE))
        return min(state.next_due, heard)

    return _look(
        ((location, each, each.interval) for location, each in sensors),
        InstigatorKind.SENSOR,
        states,
        now,
        first_due=lambda _: now,
        next_due=next_due,
        due_at=lambda _, at: at,
    )


def _look(
    declared: Iterable[tuple[str, _Described, object]],
    kind: InstigatorKind,
    states: dict[str, InstigatorState],
    now: float,
    *,
    first_due: Callable[[_Described], float],
    next_due: Callable[[_Described, InstigatorState], float | None],
    due_at: Callable[[_Described, float], float],
) -> Outlook:
    due: list[Due] = []
    store: list[InstigatorState] = []
    later: dict[str, float] = {}
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
        at = next_due(description, state)
        assert at is not None
        if at <= now:
            due.append(Due(location=location, name=name, at=due_at(description, at), state=state))
        else:
            later[key] = at
    return Outlook(due=tuple(due), store=tuple(store), later=later)
