"""Duty: evaluate sensors at their intervals, and those that watch assets or runs when something happens to these."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ..engine.back_pressure import why_held_back
from ..engine.instigators import Due, Outlook, is_on, look_at_sensors, poll_seconds
from ..engine.overrides import overridden, paused
from ..engine.watched import AUTOMATION_KIND
from ..records.automation import InstigatorKind, InstigatorState, TickStatus, instigator_id
from ..records.location import LocationDescription, SensorDescription
from ..records.run import RunStatus, Tag
from ..records.webhook import WebhookRequest
from ..records.wire import EvaluateSensor
from ..storage.inbox import PAUSE, Inbox
from ..storage.inbox import TOPIC as WEBHOOKS
from ..storage.protocols import RunFilter, RunStorage
from .event_watch import EventWatch
from .instigators import CHANGES, InstigatorDuty
from .keeper import Part
from .ticks import TRY_AGAIN

__all__ = ["WEBHOOKS_KEPT", "SensorsDuty"]

WEBHOOKS_KEPT = 7 * 86_400.0
"""For so many seconds after its end a request to a webhook sensor is kept, and its key known."""

_FORGET_EVERY = 3600.0
_REQUESTS_AT_ONCE = 100
_BYTES_AT_ONCE = 4 << 20


class SensorsDuty(InstigatorDuty[SensorDescription]):
    """See the head of this file.

    Args:
        watch: Tells for which of them there is something new.
        runs: Where the queue is.
        inbox: Where requests to webhook sensors are; None where the storage keeps none.
        max_queued_runs: How many runs of a sensor may wait in it; -1 for any number.
        shared: What schedules' duty takes too.
    """

    name = "sensors"
    kind = InstigatorKind.SENSOR
    topics = CHANGES | {"assets", "runs", WEBHOOKS}
    origin_tag = Tag.SENSOR
    again_after_failure = 30.0

    def __init__(
        self, *shared: Any, watch: EventWatch, runs: RunStorage, inbox: Inbox | None, max_queued_runs: int
    ) -> None:
        super().__init__(*shared)
        self._runs = runs
        self._inbox = inbox
        self._news: dict[str, float] = {}
        self._webhooks: set[str] = set()
        self._forgotten_at = -math.inf
        self._max_queued_runs = max_queued_runs
        self._watch = watch
        self._settled: dict[str, Part] = {}  # those whose last tick has ended, and in which part of ours
        self._conditions: dict[str, tuple[str | None, bool]] = {}

    def followed(
        self, declared: Iterable[tuple[str, SensorDescription]], states: Mapping[str, InstigatorState]
    ) -> None:
        """Watch for those that are on."""
        on = {
            instigator_id(location, self.kind, each.name): (location, each)
            for location, each in declared
            if is_on(each.default_status, states.get(instigator_id(location, self.kind, each.name)))
        }
        self._settled = {key: part for key, part in self._settled.items() if key in on}
        self._watch.follow(on.values(), states)
        self._note_other_conditions(on, states)
        self._webhooks = {key for key, (_, each) in on.items() if each.kind == "WEBHOOK"}
        self._forget()

    def _note_other_conditions(
        self, on: Mapping[str, tuple[str, SensorDescription]], states: Mapping[str, InstigatorState]
    ) -> None:
        """Have conditions evaluated of which no event tells that they may come to something else: those of other code,
        or whose cursor was reset."""
        stand = {
            key: (
                self._catalog.locations[location].stored.digest,
                (state := states.get(key)) is None or not state.cursor,
            )
            for key, (location, each) in on.items()
            if each.kind == AUTOMATION_KIND
        }
        for key, (digest, is_blank) in stand.items():
            before, was_blank = self._conditions.get(key, (None, False))
            if digest != before or (is_blank and not was_blank):  # a first cursor tells nothing: it was just evaluated
                self._watch.note_now(key)
        self._conditions = stand

    def woken_ids(self) -> Iterable[str]:
        """Those that watch what has happened, or that somebody has called."""
        self._watch.hear()
        called = self._inbox.waiting() if self._inbox is not None and self._webhooks else {}
        now = self._clock.now()
        # No event is of the future, and no request waits for longer than its pause, unless the clock was set back.
        self._news = {key: min(since, now) for key, since in self._watch.since.items()} | {
            key: due if due <= now + PAUSE else now for key, due in called.items() if key in self._webhooks
        }
        return self._news

    def _forget(self) -> None:
        """Remove requests that were taken long ago, and their keys."""
        now = self._clock.now()
        if self._inbox is not None and self._webhooks and not 0 <= now - self._forgotten_at < _FORGET_EVERY:
            self._inbox.forget(now - WEBHOOKS_KEPT)
            self._forgotten_at = now

    def begun(self, key: str) -> None:
        """Its evaluation sees what has happened until now."""
        self._settled.pop(key, None)
        self._watch.begun(key)

    def over(self, key: str) -> None:
        """It has seen that."""
        if key in self._ours:
            self._settled[key] = self._ours[key][2]
        self._watch.ended(key, self._states.get(key))

    def declared(self, description: LocationDescription) -> Iterable[SensorDescription]:
        """The sensors of a code location."""
        return description.sensors

    def outlook(
        self, declared: Iterable[tuple[str, SensorDescription]], states: dict[str, InstigatorState], now: float
    ) -> Outlook:
        """Which are due by their intervals, or by what has happened."""
        outlook = look_at_sensors(declared, states, now, self._news)
        held = self._held_back(outlook.due)
        return msgspec.structs.replace(
            outlook,
            due=self._as_begun([each for each in outlook.due if each.id not in held]),
            later=outlook.later | dict.fromkeys(held, now + TRY_AGAIN),
        )

    def _held_back(self, due: Sequence[Due]) -> set[str]:
        """Those of which too many runs wait in the queue."""
        most = self._max_queued_runs
        if not due or most < 0 or why_held_back(self._queued(), most) is None:
            return set()
        return {each.id for each in due if why_held_back(self._queued(each), most) is not None}

    def _queued(self, due: Due | None = None) -> int:
        """How many runs wait, in all or of a sensor, counted as far as it matters."""
        of_sensor = {} if due is None else {Tag.SENSOR: due.name}
        where = RunFilter(
            statuses=(RunStatus.QUEUED,), location=None if due is None else due.location, tags=dict(of_sensor)
        )
        return self._runs.count(where, at_most=self._max_queued_runs + 1)

    def _as_begun(self, due: Sequence[Due]) -> tuple[Due, ...]:
        """The tick that was begun and left, in place of another one of the same sensor: what was heard, or the time of
        day, may be another than when it was begun."""
        unknown = [each.id for each in due if self._settled.get(each.id) is not self._ours[each.id][2]]
        newest = self._instigators.latest_ticks(unknown, limit=1) if unknown else {}
        left = {key: tick.due for key, (tick,) in newest.items() if tick.status is TickStatus.STARTED}
        return tuple(msgspec.structs.replace(each, at=left[each.id]) if each.id in left else each for each in due)

    def work(self, description: SensorDescription, due: Due) -> EvaluateSensor:
        """Evaluate it from its cursor, and for what was sent to it."""
        webhooks: Sequence[WebhookRequest] = ()
        if description.kind == "WEBHOOK" and self._inbox is not None:
            webhooks = self._inbox.first(due.id, limit=_REQUESTS_AT_ONCE, most_bytes=_BYTES_AT_ONCE)
        return EvaluateSensor(
            name=description.name,
            due=due.at,
            cursor=due.state.cursor,
            last_run_key=due.state.last_run_key,
            last_tick=due.state.last_tick,
            turned_on=due.state.turned_on,
            webhooks=tuple(webhooks),
            timeout=description.timeout or self._timeout,
        )

    def own_job(self, description: SensorDescription) -> str | None:
        """Its job, if it has but one."""
        return description.jobs[0] if len(description.jobs) == 1 else None

    def next_due(self, description: SensorDescription, due: Due, now: float) -> float:
        """Some time after the end of this tick, should nothing happen before."""
        override = due.state.override
        return paused(override, now + poll_seconds(overridden(description, override)))
