"""Who is told of alerts, in virtual time: they take their time, refuse for a while, and their answers get lost."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from penstock.errors import DeliveryError
from penstock.instance.settings import AlertTarget
from penstock.records.alert import Delivery
from simulation.virtual import Process

if TYPE_CHECKING:
    from simulation.deployment import Deployment

__all__ = ["DEAF", "Targets"]

DEAF = "deaf"
"""The rule whose targets never take anything."""

_LOST = 0.03
"""How often an answer is lost."""


class Targets:
    """All targets of all rules."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.taken: Counter[str] = Counter()  # how often each message was
        self._rests: dict[str, float] = {}
        self._at: dict[tuple[Process, str], str] = {}  # what each process sends to each target

    def rest(self) -> None:
        """One of them takes nothing for some time."""
        simulation = self._deployment.simulation
        rules = [rule for rule in self._deployment.settings.alerts.rules for _ in rule.targets]
        if rules:
            name = _name_of(simulation.random.choice(rules).name, simulation.random.choice(("slack", "webhook")))
            self._rests[name] = simulation.time + simulation.random.uniform(5.0, 90.0)

    def take(self, process: Process, delivery: Delivery, _target: AlertTarget, _web_url: str | None) -> None:
        """Be told by a process.

        Raises:
            DeliveryError: As far as it knows, the message was not taken.
        """
        deployment, simulation, chance = (
            self._deployment,
            self._deployment.simulation,
            self._deployment.simulation.random,
        )
        name = _name_of(delivery.rule, delivery.target)
        if (process, name) in self._at:
            deployment.broken.append(f"{process.name} sends two messages to {name} at once")
        if not deployment.jumped:
            others = [each for (other, _), each in self._at.items() if each == delivery.key and not other.dead]
            if others:
                deployment.broken.append(f"two daemons send {delivery.key} at once")
        self._at[process, name] = delivery.key
        try:
            simulation.sleep(chance.choice((0.02, 0.02, 0.2, 8.0 if chance.random() < 0.1 else 0.5)))
            if delivery.rule == DEAF or simulation.time < self._rests.get(name, 0.0):
                raise DeliveryError(f"{name} takes nothing now")
            self.taken[delivery.key] += 1
            simulation.sleep(0.01)
            if not deployment.calm and chance.random() < _LOST:
                raise DeliveryError(f"{name} has not answered")
        finally:
            del self._at[process, name]


def _name_of(rule: str, target: str) -> str:
    return f"{rule}/{target}"
