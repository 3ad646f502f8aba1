"""A whole deployment in virtual time: daemons, a code server, one storage in memory, and whatever goes wrong with them.

The daemons are the real ones, but for what starts threads. The code server and its runs are played: evaluations take
time, runs begin, renew their leases and end, and a server that is killed takes its runs with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, cast

import msgspec

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.daemon.duties import all_duties
from penstock.daemon.keeper import LeaseKeeper
from penstock.daemon.loop import Loop
from penstock.errors import StorageError
from penstock.instance.alerts.post import Post
from penstock.instance.instance import Instance
from penstock.instance.settings import Settings
from penstock.launch.coordinators import ImmediateRunCoordinator, QueuedRunCoordinator
from penstock.launch.protocols import RunCoordinator
from penstock.locations.catalog import Catalog
from penstock.logs.local import LocalLogStore
from penstock.records.automation import InstigatorStatus
from penstock.records.event import AssetFact
from penstock.records.lease import ProcessInfo
from penstock.records.location import (
    AssetDescription,
    JobDescription,
    LocationDescription,
    ScheduleDescription,
    SensorDescription,
    StepDescription,
)
from penstock.records.run import FINISHED, RunStatus
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import RunFilter, Storage, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from simulation.code_server import Code, CodeServer
from simulation.faulty_storage import FaultyStorage
from simulation.people import People
from simulation.targets import Targets
from simulation.virtual import Process, Simulation, VirtualEvent, VirtualExecutor

__all__ = ["CALM", "Deployment", "Faults", "location_of", "on_schedule", "on_sensor"]

CALM = 300.0
_ANSWERED = 60.0
_UNFINISHED = tuple(set(RunStatus) - FINISHED)
_STRETCH = 5.0
_AHEAD = 20.0
"""A leap ends up to so many seconds before something is due."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """How often things go wrong: chances of one call, and mean seconds between what happens by itself (0: never).

    A daemon fails only while another one is well, so that the promises about gaps can be held against it.
    """

    storage: float = 0.0  # a call fails, before or after its effect
    death: float = 0.0  # the daemon dies in a call
    evaluation: float = 0.0  # the code server cannot be reached
    kills: float = 0.0
    freezes: float = 0.0
    server_kills: float = 0.0
    jumps: float = 0.0
    runs: float = 0.0  # a run fails, and makes what it has announced or not
    targets: float = 0.0  # who is told of alerts takes no messages for a while


def location_of(
    schedules: Sequence[ScheduleDescription],
    sensors: Sequence[SensorDescription],
    assets: Sequence[AssetDescription] = (),
) -> LocationDescription:
    """A code location with these and one job."""
    job = JobDescription(name="job", steps=(StepDescription(key="step", op="step"),), config_schema=Shape(fields={}))
    return LocationDescription(
        name="code", jobs=(job,), schedules=tuple(schedules), sensors=tuple(sensors), assets=tuple(assets)
    )


class Deployment:
    """See the head of this file.

    Args:
        simulation: Time and chance.
        location: What the code defines.
        folder: Where files go that a daemon wants to have.
        daemons: How many there are.
        faults: What goes wrong.
        immediate: Launch runs without a queue.
        places: How many runs may be active at once, with a queue.
        people: Mean seconds between two acts of an operator; 0 for none.
        sensors_ask: Each so many evaluations, a sensor asks for a run.
        code: What the code does.
        settings: What else `penstock.yaml` says.
        makes: Gives what something else tells of an asset, by chance.
        makes_each: Mean seconds between two of these.
    """

    def __init__(
        self,
        simulation: Simulation,
        location: LocationDescription,
        folder: Path,
        *,
        daemons: int,
        faults: Faults,
        immediate: bool = False,
        places: int = 10,
        people: float = 0.0,
        sensors_ask: int = 1,
        code: Code | None = None,
        settings: Mapping[str, Any] | None = None,
        makes: Callable[[Random], AssetFact] | None = None,
        makes_each: float = 20.0,
    ) -> None:
        self.simulation = simulation
        self.faults = faults
        self.storage = SqliteStorage(None, clock=simulation)
        self.storage.locations.put(
            StoredLocation(name=location.name, status=LoadStatus.LOADED, digest="1", description=encode_json(location))
        )
        self.folder = folder
        self.immediate = immediate
        self.places = places
        self.sensors_ask = sensors_ask
        self.settings = msgspec.convert({"run_queue": {"max_concurrent_runs": places}, **(settings or {})}, Settings)
        self.code = CodeServer(self, code or Code())
        self.targets = Targets(self)
        self._wakers: dict[Process, list[tuple[frozenset[str], VirtualEvent]]] = {}
        self.storage.notifier.publish = self._publish  # type: ignore[method-assign]
        self.daemons: list[Process] = []
        self.holders: dict[str, Process] = {}  # all that there were, by the name under which they hold leases
        self.calm = False
        self.asked: dict[tuple[str, float], float] = {}  # (schedule or sensor, due time) -> when its code first ran
        self.broken: list[str] = []  # promises that did not hold
        self.jumped: list[tuple[float, float]] = []  # (from, to), times of day
        self.people = People(self)
        if people:
            simulation.spawn(Process("people"), self._now_and_then(people, self.people.act))
        self.assets = [asset.key for asset in location.assets]
        if makes is not None:
            simulation.spawn(Process("makers"), self._now_and_then(makes_each, partial(self._make_one, makes)))
        self.settled = 0
        self.settled_alerts: set[int] = set()
        for number in range(daemons):
            self._start_daemon(number)
        chaos = Process("chaos")
        for mean, act in (
            (faults.kills, self._kill_one),
            (faults.freezes, self._freeze_one),
            (faults.server_kills, self.code.die),
            (faults.jumps, self._jump),
            (faults.targets, self.targets.rest),
        ):
            if mean:
                simulation.spawn(chaos, self._now_and_then(mean, act))

    def run(self, seconds: float, *, calm: float = CALM) -> None:
        """Let it go on for so long, and then for some time in which nothing more goes wrong. What is stored up to the
        event `settled` was stored long before the end."""
        self.simulation.run(seconds)
        self.calm = True
        self.simulation.run(calm - _ANSWERED)
        self.settled = self.storage.events.last_id()
        self.simulation.run(_ANSWERED)

    def run_and_leap(self, seconds: float) -> None:
        """Let so much time pass at least, but leap over most of that in which nothing is due and nothing works."""
        end = self.simulation.time + seconds
        while self.simulation.time < end:
            before = self.code.asked
            self.simulation.run(_STRETCH)
            if self.code.asked > before:
                continue
            quiet = self._seconds_of_quiet() - self.simulation.random.uniform(0.0, _AHEAD)
            if quiet > 0:
                self.simulation.leap(quiet)

    def leapt(self, due: float, slack: float) -> bool:
        """Whether the time of day was set forward over an instant, or when that had just passed."""
        return any(before - slack < due <= after for before, after in self.jumped)

    def _seconds_of_quiet(self) -> float:
        """How long nothing will be due; 0 if something may be at work."""
        if self.storage.runs.count(RunFilter(statuses=_UNFINISHED), at_most=1):
            return 0.0
        states = self.storage.instigators.states().values()
        return min((state.next_due or 0.0 for state in states), default=0.0) - self.simulation.now()

    def _publish(self, topics: Iterable[str]) -> None:
        published = frozenset(topics)
        for process, wakers in list(self._wakers.items()):
            if process.dead:
                del self._wakers[process]
            for wanted, event in wakers:
                if wanted & published:
                    event.set()

    # -- daemons ------------------------------------------------------------------------------------------------------

    def _start_daemon(self, number: int) -> None:
        process = Process(f"daemon-{number}")
        self.daemons = [each for each in self.daemons if each.name != process.name] + [process]
        simulation = self.simulation
        storage = cast("Storage", FaultyStorage(self, process))
        instance = _instance(self, storage)
        catalog = Catalog(self.storage.locations)
        catalog.client = lambda _name: self.code  # type: ignore[method-assign, assignment, return-value]
        wakers: list[tuple[frozenset[str], VirtualEvent]] = []

        def listen(topics: frozenset[str]) -> VirtualEvent:
            event = VirtualEvent(simulation)
            wakers.append((topics, event))
            return event

        def wake_duties() -> None:
            for _, event in duties:
                event.set()

        holder = f"{process.name}-{simulation.random.randrange(1 << 30):x}"
        self.holders[holder] = process
        keeper = LeaseKeeper(storage.leases, holder, simulation, wake_duties)
        duties = all_duties(
            instance,
            listen,
            catalog,
            lambda workers, _name: VirtualExecutor(simulation, process, workers),
            partial(Post, send=partial(self.targets.take, process)),
        )
        loops = [
            (Loop(duty, keeper, woken, VirtualEvent(simulation), lambda: 1.0), cast("VirtualEvent", woken))
            for duty, woken in duties
        ]

        def keep() -> None:
            while True:
                try:
                    pause = keeper.look(lambda now: _sign_of_life(holder, now))
                except StorageError:
                    pause = 1.0
                simulation.sleep(pause)

        def follow(loop: Loop, woken: VirtualEvent) -> None:
            while True:
                woken.clear()
                pause = loop.step()
                if pause.wakes:
                    simulation.wait(woken, pause.seconds)
                else:
                    simulation.sleep(pause.seconds)

        simulation.spawn(process, keep)
        self._wakers[process] = wakers
        for loop, woken in loops:
            simulation.spawn(process, lambda loop=loop, woken=woken: follow(loop, woken))  # type: ignore[misc]

    def well(self, process: Process) -> bool:
        """Whether a daemon lives and is not frozen."""
        return not process.dead and process.frozen_until <= self.simulation.time

    def may_fail(self, process: Process) -> bool:
        """Whether another daemon is well."""
        return not self.calm and any(self.well(each) for each in self.daemons if each is not process)

    def kill(self, process: Process) -> None:
        """Kill a daemon; a new one takes its place after some time."""
        self.simulation.kill(process)
        number = int(process.name.rpartition("-")[2])
        after = self.simulation.random.uniform(0.0, 60.0)
        self.simulation.spawn(Process("init"), lambda: self._start_daemon(number), after=after)

    # -- what goes wrong ----------------------------------------------------------------------------------------------

    def _now_and_then(self, mean: float, act: Callable[[], None]) -> Callable[[], None]:
        def work() -> None:
            while not self.calm:
                self.simulation.sleep(self.simulation.random.expovariate(1 / mean))
                if not self.calm:
                    act()

        return work

    def _kill_one(self) -> None:
        process = self.simulation.random.choice(self.daemons)
        if not process.dead and self.may_fail(process):
            self.kill(process)

    def _freeze_one(self) -> None:
        process = self.simulation.random.choice(self.daemons)
        if self.well(process) and self.may_fail(process):
            process.frozen_until = self.simulation.time + self.simulation.random.uniform(0.1, 40.0)

    def _make_one(self, makes: Callable[[Random], AssetFact]) -> None:
        self.storage.assets.report([makes(self.simulation.random)], now=self.simulation.now())

    def _jump(self) -> None:
        before = self.simulation.now()
        self.simulation.jump(self.simulation.random.uniform(-3600.0, 3600.0))
        self.jumped.append((before, self.simulation.now()))


def _instance(deployment: Deployment, storage: Storage) -> Instance:
    instance = Instance(
        home=None,
        settings=deployment.settings,
        storage=storage,
        logs=LocalLogStore(deployment.folder / "logs"),
        artifacts=deployment.folder,
        clock=deployment.simulation,
    )
    made: RunCoordinator
    if deployment.immediate:
        made = ImmediateRunCoordinator(runs=storage.runs, launcher=deployment.code, clock=deployment.simulation)
    else:
        made = QueuedRunCoordinator(runs=storage.runs, launcher=deployment.code, clock=deployment.simulation)
    vars(instance)["launcher"] = deployment.code
    vars(instance)["coordinator"] = made
    return instance


def _sign_of_life(holder: str, now: float) -> ProcessInfo:
    return ProcessInfo(id=holder, kind="daemon", host="h", pid=1, version="1", started=now, seen=now)


def on_schedule(name: str, cron: str, zone: str = "UTC") -> ScheduleDescription:
    """A schedule that is on."""
    return ScheduleDescription(
        name=name, cron=(cron,), timezone=zone, job="job", default_status=InstigatorStatus.RUNNING
    )


def on_sensor(name: str, interval: float) -> SensorDescription:
    """A sensor that is on."""
    return SensorDescription(name=name, jobs=("job",), interval=interval, default_status=InstigatorStatus.RUNNING)
