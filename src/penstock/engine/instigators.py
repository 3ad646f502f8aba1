"""When schedules and sensors are due: stored facts and the time in, what to store and what to evaluate out.

The next due time is stored. It is computed from now, never from the past, when the rhythm changes (by the code or by an
override) or somebody turns it on; so changing a cron text never fires a run by itself. While nobody looks (every daemon
down), a schedule misses instants; the latest ones are made up, so many as it says, and the others are passed over.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from ..codec import digest
from ..errors import ConfigurationError
from ..partitions.cron import Cron, last_tick, last_ticks, next_after, parse, ticks_between
from ..records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Override, instigator_id
from ..records.location import ScheduleDescription, SensorDescription
from .overrides import overridden, paused

_Described = TypeVar("_Described", ScheduleDescription, SensorDescription)

__all__ = [
    "AT_ONCE",
    "DEFAULT_CATCHUP",
    "MOST_COUNTED",
    "SAFETY_NET",
    "Catchup",
    "Due",
    "Outlook",
    "PassedOver",
    "is_on",
    "look_at_schedules",
    "look_at_sensors",
    "next_schedule_time",
    "poll_seconds",
]

AT_ONCE = 0.001
"""A due time is evaluated once, so one that is due again at once is due a little later."""

_POLLED_BY_DEFAULT = 30.0
SAFETY_NET = 3600.0
"""After so many seconds a sensor that waits for events is evaluated without any, in case that one was not heard of."""

DEFAULT_CATCHUP = 5
"""How many missed instants of a schedule that follows partitions are made up, where nothing else is said."""

MOST_COUNTED = 1000
"""Up to so many instants that were passed over are counted."""

_UNCLEAR = 60.0

_SET_BACK = 2.0
"""Clocks of several hosts may differ by less; what lies further ahead was stored before the clock was set back."""


class Catchup(msgspec.Struct, frozen=True, kw_only=True):
    """How many missed instants are made up, and up to what age in seconds."""

    ticks: int
    seconds: float = math.inf


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """Instants of a schedule at which nobody looked and which are not made up, for they are beyond the `bound`.

    `first` and `last` are seconds since the epoch; `count` is None for more than `MOST_COUNTED`.
    """

    first: float
    last: float
    count: int | None
    bound: Catchup


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """An evaluation to do now, for the instant `at` (seconds since the epoch)."""

    location: str
    name: str
    at: float
    state: InstigatorState
    passed_over: PassedOver | None = None

    @property
    def id(self) -> str:
        """The instigator's id."""
        return self.state.id


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What to evaluate now, what to store, and when each of the others that are on is due, by id.

    `unclear` says of those of which that cannot be said why not; they are looked at again later.
    """

    due: tuple[Due, ...]
    store: tuple[InstigatorState, ...]
    later: dict[str, float]
    unclear: dict[str, str] = {}

    @property
    def next_look(self) -> float | None:
        """When to look again; None: when something changes."""
        return min(self.later.values(), default=None)


def is_on(declared: InstigatorStatus, state: InstigatorState | None) -> bool:
    """Whether it is on: as somebody turned it, else as the code says. One that somebody removed is off."""
    if state is not None and state.retired is not None:
        return False
    status = declared
    if state is not None and state.status is not InstigatorStatus.DECLARED_IN_CODE:
        status = state.status
    return status is InstigatorStatus.RUNNING


def next_schedule_time(schedule: ScheduleDescription, after: float, override: Override | None = None) -> float:
    """The schedule's first instant after `after` (seconds since the epoch), and after the pause of an override."""
    effective = overridden(schedule, override)
    return next_after(_crons(effective), paused(override, after), effective.timezone)


def poll_seconds(sensor: SensorDescription) -> float:
    """How long after an evaluation a sensor is evaluated again though nothing new was heard of for it."""
    if sensor.kind in {"ASSET", "WEBHOOK"} or sensor.event_type is not None:
        return max(sensor.interval, SAFETY_NET)
    return sensor.interval or _POLLED_BY_DEFAULT


def look_at_schedules(
    schedules: Iterable[tuple[str, ScheduleDescription]],
    states: dict[str, InstigatorState],
    now: float,
    *,
    max_catchup: int = DEFAULT_CATCHUP,
    max_age: float = math.inf,
) -> Outlook:
    """Look at all schedules, given as (location, description).

    Args:
        schedules: Those that are declared.
        states: What is stored of them.
        now: The time.
        max_catchup: How many missed instants of a schedule of partitions are made up, where it does not say.
        max_age: Seconds after which a missed instant is not made up any more.
    """

    def make_due(schedule: ScheduleDescription, due: Due) -> Due:
        made_up = schedule.max_catchup
        if made_up is None:
            made_up = max_catchup if schedule.follows_partitions else 1
        return _caught_up(overridden(schedule, due.state.override), due, Catchup(ticks=made_up, seconds=max_age), now)

    def next_due(schedule: ScheduleDescription, state: InstigatorState) -> float | None:
        if state.next_due is None or not _is_ahead(state, now):
            return state.next_due
        return min(state.next_due, next_schedule_time(schedule, now))

    return _look(
        schedules,
        InstigatorKind.SCHEDULE,
        states,
        now,
        rhythm=_schedule_rhythm,
        first_due=lambda schedule, override: next_schedule_time(schedule, now, override),
        next_due=next_due,
        make_due=make_due,
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
        if state.next_due is not None and _is_ahead(state, now):
            return min(state.next_due, now)
        if heard is None or state.next_due is None:
            return state.next_due
        if state.last_tick is not None:
            heard = max(heard, state.last_tick + max(overridden(sensor, state.override).interval, AT_ONCE))
        return min(state.next_due, heard)

    return _look(
        sensors,
        InstigatorKind.SENSOR,
        states,
        now,
        rhythm=lambda sensor: sensor.interval,
        first_due=lambda _, override: paused(override, now),
        next_due=next_due,
        make_due=lambda _, due: due,
    )


def _is_ahead(state: InstigatorState, now: float) -> bool:
    """Whether it was planned before the clock was set back, so that its next due time says nothing."""
    last = state.turned_on if state.last_tick is None else state.last_tick
    return last is not None and last > now + _SET_BACK


def _crons(schedule: ScheduleDescription) -> list[Cron]:
    return [parse(text, gap=schedule.dst_gap, fold=schedule.dst_fold) for text in schedule.cron]


def _schedule_rhythm(schedule: ScheduleDescription) -> object:
    clocks = (schedule.dst_gap, schedule.dst_fold)
    # What most have is left out, as it was before there was a choice, so that their due times count on.
    return (schedule.cron, schedule.timezone, *(() if clocks == ("after", "first") else clocks))


def _caught_up(schedule: ScheduleDescription, due: Due, bound: Catchup, now: float) -> Due:
    """The first instant to make up, or the next to come if there is none, and those before it that are passed over."""
    crons, zone, first = _crons(schedule), schedule.timezone, due.at
    latest = last_ticks(crons, now, zone, after=first - 1, count=bound.ticks)
    young = [instant for instant in latest if instant >= now - bound.seconds]
    at = young[0] if young else next_after(crons, now, zone)
    if not latest or at <= first:
        return due
    missed = list(itertools.islice(ticks_between(crons, first - 1, at - 1, zone), MOST_COUNTED + 1))
    last = last_tick(crons, at - 1, zone, after=first - 1)
    passed_over = PassedOver(
        first=first,
        last=first if last is None else last,
        count=len(missed) if len(missed) <= MOST_COUNTED else None,
        bound=bound,
    )
    return msgspec.structs.replace(due, at=at, passed_over=passed_over)


def _look(
    declared: Iterable[tuple[str, _Described]],
    kind: InstigatorKind,
    states: dict[str, InstigatorState],
    now: float,
    *,
    rhythm: Callable[[_Described], object],
    first_due: Callable[[_Described, Override | None], float],
    next_due: Callable[[_Described, InstigatorState], float | None],
    make_due: Callable[[_Described, Due], Due],
) -> Outlook:
    due: list[Due] = []
    store: list[InstigatorState] = []
    later: dict[str, float] = {}
    unclear: dict[str, str] = {}

    def look(key: str, location: str, description: _Described, state: InstigatorState | None) -> None:
        override = None if state is None else state.override
        effective = overridden(description, override)
        fingerprint = _fingerprint(rhythm(effective), override)
        planned = state
        if planned is None or planned.next_due is None or planned.fingerprint != fingerprint:
            known = state or InstigatorState(id=key, location=location, kind=kind, name=description.name)
            planned = msgspec.structs.replace(
                known,
                next_due=first_due(description, override),
                fingerprint=fingerprint,
                turned_on=now if known.turned_on is None else known.turned_on,
            )
            store.append(planned)
        at = next_due(effective, planned)
        assert at is not None
        # Whatever planned it, nothing is due in a pause.
        when = paused(override, at)
        if when <= now:
            due.append(make_due(description, Due(location=location, name=description.name, at=at, state=planned)))
        else:
            later[key] = when

    for location, description in declared:
        key = instigator_id(location, kind, description.name)
        state = states.get(key)
        if not is_on(description.default_status, state):
            continue
        try:
            look(key, location, description, state)
        except ConfigurationError as error:
            # A zone that this host does not know, or a text of another version: the others are due all the same.
            unclear[key] = str(error)
            later[key] = now + _UNCLEAR
    return Outlook(due=tuple(due), store=tuple(store), later=later, unclear=unclear)


def _fingerprint(rhythm: object, override: Override | None) -> str:
    """Another one means that the next due time is to be computed again from now."""
    pause = None if override is None else override.paused_until
    return digest(rhythm if pause is None else (rhythm, pause))
