"""A whole deployment in virtual time: daemons, a code server, one storage in memory, and whatever goes wrong with them.

The daemons are the real ones, but for what starts threads. The code server and its runs are played: evaluations take
time, runs begin, renew their leases and end, and a server that is killed takes its runs with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.daemon.duties import all_duties
from penstock.daemon.keeper import LeaseKeeper
from penstock.daemon.loop import Loop
from penstock.errors import CodeServerUnreachableError, FencedError, StorageError, StorageUnavailableError
from penstock.instance.instance import Instance
from penstock.instance.settings import Settings
from penstock.launch.coordinators import ImmediateRunCoordinator, QueuedRunCoordinator
from penstock.launch.protocols import RunCoordinator
from penstock.locations.catalog import Catalog
from penstock.logs.local import LocalLogStore
from penstock.records.automation import InstigatorKind, InstigatorStatus, Override, RunRequestRecord
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetMaterialization,
    AssetWiped,
    Event,
    Fact,
    RunCanceled,
    RunFailure,
    RunStart,
    RunSuccess,
)
from penstock.records.lease import ProcessInfo
from penstock.records.location import (
    AssetDescription,
    JobDescription,
    LocationDescription,
    ScheduleDescription,
    SensorDescription,
    StepDescription,
)
from penstock.records.one_off import OneOff
from penstock.records.run import ACTIVE, FINISHED, FailureReason, Run, RunStatus
from penstock.records.wire import EvaluateSchedule, EvaluateSensor, Evaluation, LaunchAnswer, LoadStatus
from penstock.storage.protocols import RunFilter, Storage, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from simulation.events import WATCHING, seen_by_sensor
from simulation.virtual import Killed, Process, Simulation, VirtualEvent, VirtualExecutor

__all__ = ["Deployment", "Faults", "location_of"]

_WITH_FAULTS = frozenset({"runs", "events", "assets", "instigators", "one_offs", "leases", "slots", "backfills"})
_RUN_LEASE = 15.0
_UNFINISHED = tuple(set(RunStatus) - FINISHED)
_STRETCH = 5.0
_AHEAD = 20.0
"""A leap ends up to so many seconds before something is due."""

_HANGS = 62.0

OVERRULED = "overruled"
"""The schedule that operators override."""

HANGING = "hanging-"
"""How the names of sensors begin that hang until their time is over."""


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
        makes: Mean seconds between two assets that something else makes; 0 for none.
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
        makes: float = 0.0,
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
        self.code = CodeServer(self)
        self._wakers: dict[Process, list[tuple[frozenset[str], VirtualEvent]]] = {}
        self.storage.notifier.publish = self._publish  # type: ignore[method-assign]
        self.daemons: list[Process] = []
        self.calm = False
        self.asked: dict[tuple[str, float], float] = {}  # (schedule or sensor, due time) -> when its code first ran
        self.broken: list[str] = []  # promises that did not hold
        self.jumped: list[tuple[float, float]] = []  # (from, to), times of day
        self.people = People(self)
        if people:
            simulation.spawn(Process("people"), self._now_and_then(people, self.people.act))
        self._assets = [asset.key for asset in location.assets]
        if makes:
            simulation.spawn(Process("makers"), self._now_and_then(makes, self._make_one))
        for number in range(daemons):
            self._start_daemon(number)
        chaos = Process("chaos")
        for mean, act in (
            (faults.kills, self._kill_one),
            (faults.freezes, self._freeze_one),
            (faults.server_kills, self.code.die),
            (faults.jumps, self._jump),
        ):
            if mean:
                simulation.spawn(chaos, self._now_and_then(mean, act))

    def run(self, seconds: float, *, calm: float = 300.0) -> None:
        """Let it go on for so long, and then for some time in which nothing more goes wrong."""
        self.simulation.run(seconds)
        self.calm = True
        self.simulation.run(calm)

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
        keeper = LeaseKeeper(storage.leases, holder, simulation, wake_duties)
        duties = all_duties(
            instance, listen, catalog, lambda workers, _name: VirtualExecutor(simulation, process, workers)
        )
        loops = [
            (Loop(duty, keeper, woken, VirtualEvent(simulation), lambda: 1.0), cast("VirtualEvent", woken))
            for duty, woken in duties
        ]

        def keep() -> None:
            while True:
                try:
                    pause = keeper.look(lambda: _sign_of_life(holder, simulation.now()))
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

    def _make_one(self) -> None:
        key = self.simulation.random.choice(self._assets)
        fact = AssetMaterialization(asset=key) if self.simulation.random.random() < 0.9 else AssetWiped(asset=key)
        self.storage.assets.report([fact], now=self.simulation.now())

    def _jump(self) -> None:
        before = self.simulation.now()
        self.simulation.jump(self.simulation.random.uniform(-3600.0, 3600.0))
        self.jumped.append((before, self.simulation.now()))


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


class CodeServer:
    """The code server of the location, and its runs."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._process = Process("server")
        self._number = 0
        self.asked = 0  # how often it was asked to evaluate something
        self.ended: Counter[str] = Counter()  # how often each run came to its end
        self._workers: dict[str, int] = {}  # the attempt of each run that works here

    def die(self) -> None:
        """It is killed with all of its runs, and another one is there at once."""
        self._deployment.simulation.kill(self._process)
        self._workers.clear()
        self._number += 1
        self._process = Process(f"server-{self._number}")

    def evaluate(self, work: EvaluateSchedule | EvaluateSensor) -> Evaluation:
        """Run the user's code."""
        deployment, chance = self._deployment, self._deployment.simulation.random
        self.asked += 1
        if not deployment.calm and chance.random() < deployment.faults.evaluation:
            raise CodeServerUnreachableError("The code server does not answer; it is being restarted.")
        deployment.asked.setdefault((work.name, work.due), deployment.simulation.now())
        if work.name.startswith(HANGING):
            deployment.simulation.sleep(_HANGS)
            return Evaluation(error=ErrorInfo(cls="TimeLimitExceededError", message="It ran for too long."))
        deployment.simulation.sleep(chance.choice((0.005, 0.05, 0.5, 12.0 if chance.random() < 0.05 else 0.02)))
        if isinstance(work, EvaluateSchedule):
            return Evaluation(run_requests=(RunRequestRecord(),))
        if work.name == WATCHING:
            return seen_by_sensor(deployment.storage, work)
        number = int(work.cursor or "0")
        if number % deployment.sensors_ask:
            return Evaluation(skip_reason="not yet", cursor=str(number + 1))
        request = RunRequestRecord(run_key=f"{work.name}:{number}")
        return Evaluation(run_requests=(request,), cursor=str(number + 1))

    def launch(self, run: Run) -> LaunchAnswer:
        """Take a run over and let it work."""
        deployment, process = self._deployment, self._process
        simulation, runs = deployment.simulation, deployment.storage.runs
        holder = f"{process.name}/{run.run_id}"
        until = simulation.now() + _RUN_LEASE
        if not runs.take_over(run.run_id, attempt=run.attempt, owner=holder, until=until):
            return LaunchAnswer(accepted=False, reason="the attempt is not current")
        self._workers[run.run_id] = run.attempt  # the worker of an earlier attempt is ended
        simulation.spawn(process, lambda: self._work(run, holder))
        return LaunchAnswer(accepted=True, pid=1)

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        """End a run's worker."""
        now = self._deployment.simulation.now()
        is_here = self._workers.pop(run.run_id, None) is not None
        if is_here:
            self._deployment.storage.runs.record(run.run_id, [RunCanceled(message="asked to")], now=now)
        return is_here

    def _work(self, run: Run, holder: str) -> None:
        deployment = self._deployment
        simulation, storage = deployment.simulation, deployment.storage
        try:
            now = simulation.now()
            storage.events.append(run.run_id, run.attempt, [Event(time=now, seq=1, fact=RunStart())], now=now)
            for _ in range(simulation.random.choice((1, 1, 1, 4))):
                simulation.sleep(simulation.random.uniform(0.1, 5.0))
                if self._workers.get(run.run_id) != run.attempt:
                    return
                if (run.run_id, run.attempt) not in storage.runs.renew(holder, until=simulation.now() + _RUN_LEASE):
                    return
            now = simulation.now()
            facts = self._facts(run)
            events = [Event(time=now, seq=seq, fact=fact) for seq, fact in enumerate(facts, 2)]
            storage.events.append(run.run_id, run.attempt, events, now=now)
            self.ended[run.run_id] += 1
            if self.ended[run.run_id] > 1:
                deployment.broken.append(f"two workers brought the run {run.run_id} to its end")
        except FencedError:
            pass

    def _facts(self, run: Run) -> list[Fact]:
        """What a run makes, and how it ends."""
        chance = self._deployment.simulation.random
        fails = chance.random() < self._deployment.faults.runs
        planned = self._deployment.storage.assets.planned([run.run_id])
        made = [each for each in planned if not fails or chance.random() < 0.5]
        end = RunFailure(reason=FailureReason.STEP_FAILURE, message="no") if fails else RunSuccess()
        return [*(AssetMaterialization(asset=each.asset, partition=each.partition) for each in made), end]


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
        return self._nouns.setdefault(name, _FaultyNoun(self._deployment, self._process, noun))


class _FaultyNoun:
    def __init__(self, deployment: Deployment, process: Process, noun: object) -> None:
        self._deployment = deployment
        self._process = process
        self._noun = noun

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._noun, name)
        deployment, process = self._deployment, self._process

        def call(*args: Any, **kwargs: Any) -> Any:
            self._go_wrong()
            answer = method(*args, **kwargs)
            if name == "claim" and self._noun is deployment.storage.runs and not deployment.immediate:
                active = deployment.storage.runs.count(RunFilter(statuses=tuple(ACTIVE)))
                if active > deployment.places:
                    deployment.broken.append(f"{active} runs are active at once, and {deployment.places} may be")
            self._go_wrong()
            return answer

        if process.dead:
            raise Killed
        return call

    def _go_wrong(self) -> None:
        deployment, process = self._deployment, self._process
        chance, faults = deployment.simulation.random, deployment.faults
        if process.dead:
            raise Killed
        if chance.random() < 0.2:
            deployment.simulation.sleep(chance.choice((0.0, 0.001, 0.02)))
        if deployment.calm:
            return
        if chance.random() < faults.death and deployment.may_fail(process):
            deployment.kill(process)
            raise Killed
        if chance.random() < faults.storage and deployment.may_fail(process):
            raise StorageUnavailableError("The database does not answer; try again.")


def _instance(deployment: Deployment, storage: Storage) -> Instance:
    instance = Instance(
        home=None,
        settings=msgspec.convert({"run_queue": {"max_concurrent_runs": deployment.places}}, Settings),
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
