"""The storage as a process in virtual time sees it: calls take time, fail, and are where a daemon dies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock.errors import StorageUnavailableError
from penstock.records.alert import DeliveryStatus
from penstock.records.run import ACTIVE
from penstock.storage.protocols import RunFilter
from simulation.virtual import Killed, Process, Simulation

if TYPE_CHECKING:
    from simulation.deployment import Deployment

__all__ = ["FaultyStorage", "SlowStorage"]

_WITH_FAULTS = frozenset(
    {"runs", "events", "assets", "instigators", "one_offs", "leases", "slots", "backfills", "outbox", "locations"}
)
_UNDER_A_LOCK = frozenset({("outbox", "claim")})
"""Calls that may fail but take no time: to tasks of one thread a lock is no obstacle, so that nobody would wait."""


class FaultyStorage:
    """The storage as one daemon sees it: calls take time, fail, and are where the daemon dies."""

    def __init__(self, deployment: Deployment, process: Process) -> None:
        self._deployment = deployment
        self._process = process
        self._nouns: dict[str, object] = {}

    def __getattr__(self, name: str) -> Any:
        noun = getattr(self._deployment.storage, name)
        if name not in _WITH_FAULTS:
            return noun
        return self._nouns.setdefault(name, _FaultyNoun(self._deployment, self._process, noun, name))


class _FaultyNoun:
    def __init__(self, deployment: Deployment, process: Process, noun: object, name: str) -> None:
        self._deployment = deployment
        self._process = process
        self._noun = noun
        self._name = name

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._noun, name)
        takes_time = (self._name, name) not in _UNDER_A_LOCK

        def call(*args: Any, **kwargs: Any) -> Any:
            self._go_wrong(takes_time)
            answer = method(*args, **kwargs)
            self._look_at(name, args, answer)
            self._go_wrong(takes_time)
            return answer

        if self._process.dead:
            raise Killed
        return call

    def _look_at(self, name: str, args: tuple[Any, ...], answer: Any) -> None:
        """What no call may come to."""
        deployment = self._deployment
        match self._name, name:
            case "runs", "claim" if not deployment.immediate:
                active = deployment.storage.runs.count(RunFilter(statuses=tuple(ACTIVE)))
                if active > deployment.places:
                    deployment.broken.append(f"{active} runs are active at once, and {deployment.places} may be")
            case "outbox", "settle" if answer:
                delivery, status = args
                if delivery.id in deployment.settled_alerts:
                    deployment.broken.append(f"{delivery.key} was settled after its end")
                if status is not DeliveryStatus.PENDING:
                    deployment.settled_alerts.add(delivery.id)

    def _go_wrong(self, takes_time: bool) -> None:
        deployment, process = self._deployment, self._process
        chance, faults = deployment.simulation.random, deployment.faults
        if process.dead:
            raise Killed
        if takes_time:
            _take_time(deployment.simulation)
        if deployment.calm:
            return
        if chance.random() < faults.death and deployment.may_fail(process):
            deployment.kill(process)
            raise Killed
        if chance.random() < faults.storage and deployment.may_fail(process):
            raise StorageUnavailableError("The database does not answer; try again.")


class SlowStorage:
    """The storage as user code sees it: much happens between two of its calls."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment

    def __getattr__(self, name: str) -> Any:
        return _SlowNoun(self._deployment.simulation, getattr(self._deployment.storage, name))


class _SlowNoun:
    def __init__(self, simulation: Simulation, noun: object) -> None:
        self._simulation = simulation
        self._noun = noun

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._noun, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            _take_time(self._simulation)
            return method(*args, **kwargs)

        return call


def _take_time(simulation: Simulation) -> None:
    if simulation.random.random() < 0.2:
        simulation.sleep(simulation.random.choice((0.0, 0.001, 0.02)))
