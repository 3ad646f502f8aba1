"""Duty: tell people what has happened, as the rules of the settings ask for it.

What is found is stored as messages before anything is sent, so that whoever takes over sends what is left. Sending
happens in threads of its own, which wait for slow targets.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from concurrent.futures import Executor, Future

from ..clock import Clock
from ..engine.alerts import AlertRule, deliveries
from ..errors import StorageError
from ..instance.alerts.post import Post
from ..instance.alerts.watch import Watch
from ..records.alert import Alert
from ..storage.outbox import TOPIC, Outbox
from .keeper import Held

__all__ = ["SENDERS", "AlertsDuty"]

log = logging.getLogger("penstock.daemon.alerts")

SENDERS = 4
"""How many messages are sent side by side: a slow target holds one of them up."""

_LOOK_EVERY = 10.0
_FORGET_EVERY = 3600.0
_KEPT_SECONDS = 30 * 86_400.0


class AlertsDuty:
    """Reads the event log from a stored place on, looks at everything else now and then, and has messages sent.

    Args:
        watch: Finds what has happened.
        rules: Who is told of what.
        outbox: Where messages wait.
        post: Sends them.
        clock: Tells the time.
        workers: Where they are sent, `SENDERS` side by side.
        woken: Wakes this duty.
    """

    name = "alerts"
    parts = 1
    topics = frozenset({"runs", "assets", TOPIC})

    def __init__(
        self,
        watch: Watch,
        rules: Sequence[AlertRule],
        outbox: Outbox,
        post: Post,
        clock: Clock,
        *,
        workers: Executor,
        woken: threading.Event,
    ) -> None:
        self._watch = watch
        self._rules = rules
        self._outbox = outbox
        self._post = post
        self._clock = clock
        self._workers = workers
        self._woken = woken
        self._look_at = self._forget_at = clock.monotonic()
        self._told: set[str] = set()
        self._sending: list[Future[float | None]] = []
        self._again: float | None = None

    def tick(self, held: Held) -> float | None:
        """Store messages about what is new, and have sent what is due."""
        for found in self._watch.logged(epoch=held.lease.epoch):
            self._tell(found)
        now = self._clock.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY
            told: set[str] = set()
            for found in self._watch.standing(steady_since=held.steady_since):
                self._tell([alert for alert in found if alert.occurrence not in self._told])
                told.update(alert.occurrence for alert in found)
            self._told = told
        if now >= self._forget_at:
            self._forget_at = now + _FORGET_EVERY
            self._outbox.forget(self._clock.now() - _KEPT_SECONDS)
        return self._have_sent()

    def close(self) -> None:
        """Let what is being sent arrive; begin no more."""
        self._post.stop()
        self._workers.shutdown(wait=True)

    def _tell(self, alerts: Sequence[Alert]) -> None:
        wanted = [delivery for alert in alerts for delivery in deliveries(self._rules, alert)]
        if wanted:
            self._outbox.add(wanted, now=self._clock.now())

    def _have_sent(self) -> float | None:
        """Let one more sender begin; gives the seconds until a message that was not taken is due again."""
        for ended in [each for each in self._sending if each.done()]:
            self._sending.remove(ended)
            self._learn_from(ended)
        if len(self._sending) < SENDERS:
            future = self._workers.submit(self._post.send_due)
            self._sending.append(future)
            future.add_done_callback(self._wake)
        if self._again is None:
            return None
        seconds = self._again - self._clock.now()
        if seconds <= 0:  # the sender that has just begun takes it
            self._again = None
            return None
        return seconds

    def _learn_from(self, ended: Future[float | None]) -> None:
        error = ended.exception()
        if isinstance(error, StorageError):
            log.warning("%s", error)
        elif error is not None:
            log.error("sending alerts failed", exc_info=error)
        elif (due := ended.result()) is not None:
            self._again = due if self._again is None else min(due, self._again)

    def _wake(self, ended: Future[float | None]) -> None:
        """Have it learned when more is due, if that is sooner than is known: each look begins another sender, which
        would only tell the same again. One that failed would at once fail again; it has time until the next look."""
        due = None if ended.exception() is not None else ended.result()
        again = self._again
        if due is not None and (again is None or due < again):
            self._woken.set()
