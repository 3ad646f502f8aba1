"""Operators in virtual time: they ask for one-off runs, call some off, and override a schedule."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.records.automation import InstigatorKind, Override
from penstock.records.one_off import OneOff

if TYPE_CHECKING:
    from simulation.deployment import Deployment

__all__ = ["OVERRULED", "People"]

OVERRULED = "overruled"
"""The schedule that operators override."""


class People:
    """An operator who asks for one-off runs and calls some off, and who overrides the schedule `OVERRULED`."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.planned: list[OneOff] = []
        self.canceled: set[int] = set()
        self.pauses: list[tuple[float, float]] = []  # (since, until), times of day

    def act(self) -> None:
        """Do one thing."""
        self._deployment.simulation.random.choice((self._plan, self._plan, self._cancel, self._override))()

    def _plan(self) -> None:
        simulation = self._deployment.simulation
        now = simulation.now()
        due = now + simulation.random.uniform(1.0, 600.0)
        asked = OneOff(location="code", job="job", due=due, until=due + 86_400)
        self.planned.append(self._deployment.storage.one_offs.plan(asked, now=now))

    def _cancel(self) -> None:
        waiting = self._deployment.storage.one_offs.waiting()
        if waiting:
            number = self._deployment.simulation.random.choice(waiting).id
            self._deployment.storage.one_offs.cancel(number, now=self._deployment.simulation.now())
            self.canceled.add(number)

    def _override(self) -> None:
        chance, now = self._deployment.simulation.random, self._deployment.simulation.now()
        if self.pauses and self.pauses[-1][1] > now:
            self.pauses[-1] = (self.pauses[-1][0], now)  # what comes takes its place
        until = now + chance.uniform(30.0, 900.0)
        override = chance.choice((None, Override(paused_until=until), Override(cron=("*/3 * * * *",))))
        if override is not None and override.paused_until is not None:
            self.pauses.append((now, until))
        self._deployment.storage.instigators.override(
            f"code/schedule/{OVERRULED}", "code", InstigatorKind.SCHEDULE, OVERRULED, override, now=now
        )
