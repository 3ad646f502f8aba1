"""A code server that is played, with its runs: evaluations take time, runs begin, renew their leases and end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, cast

import msgspec

from penstock.errors import CodeServerUnreachableError, FencedError
from penstock.records.automation import RunRequestRecord
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetMaterialization,
    Event,
    Fact,
    RunCanceled,
    RunFailure,
    RunStart,
    RunSuccess,
)
from penstock.records.run import FailureReason, Run
from penstock.records.wire import EvaluateSchedule, EvaluateSensor, Evaluation, LaunchAnswer
from penstock.storage.protocols import Storage
from simulation.faulty_storage import SlowStorage
from simulation.virtual import Process, Simulation

if TYPE_CHECKING:
    from simulation.deployment import Deployment

__all__ = ["HANGING", "Code", "CodeServer", "Evaluate"]

_RUN_LEASE = 15.0
_HANGS = 62.0

HANGING = "hanging-"
"""How the names of sensors begin that hang until their time is over."""

Evaluate: TypeAlias = Callable[[Simulation, Storage, EvaluateSensor], Evaluation]
"""What a sensor's function comes to."""


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """What the code of a location does.

    Args:
        sensors: What the functions of some sensors come to, by name. The others ask for a run with a key.
        tags: The tags of the runs that a schedule or such a sensor asks for, by its name.
    """

    sensors: dict[str, Evaluate] = {}
    tags: dict[str, dict[str, str]] = {}


class CodeServer:
    """The code server of the location, and its runs."""

    def __init__(self, deployment: Deployment, code: Code) -> None:
        self._deployment = deployment
        self._code = code
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
        tags = self._code.tags.get(work.name, {})
        if isinstance(work, EvaluateSchedule):
            return Evaluation(run_requests=(RunRequestRecord(tags=tags),))
        if (sensor := self._code.sensors.get(work.name)) is not None:
            return sensor(deployment.simulation, cast("Storage", SlowStorage(deployment)), work)
        number = int(work.cursor or "0")
        if number % deployment.sensors_ask:
            return Evaluation(skip_reason="not yet", cursor=str(number + 1))
        request = RunRequestRecord(run_key=f"{work.name}:{number}", tags=tags)
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
        made, end = self._facts(run)
        seq = 0

        def tell(*facts: Fact) -> None:
            nonlocal seq
            now = simulation.now()
            events = [Event(time=now, seq=seq + number, fact=fact) for number, fact in enumerate(facts, 1)]
            storage.events.append(run.run_id, run.attempt, events, now=now)
            seq += len(facts)

        try:
            tell(RunStart())
            for _ in range(simulation.random.choice((1, 1, 1, 4))):
                simulation.sleep(simulation.random.uniform(0.1, 5.0))
                if self._workers.get(run.run_id) != run.attempt:
                    return
                if (run.run_id, run.attempt) not in storage.runs.renew(holder, until=simulation.now() + _RUN_LEASE):
                    return
                if made and simulation.random.random() < 0.5:
                    tell(made.pop(0))
            tell(*made, end)
            self.ended[run.run_id] += 1
            if self.ended[run.run_id] > 1:
                deployment.broken.append(f"two workers brought the run {run.run_id} to its end")
        except FencedError:
            pass

    def _facts(self, run: Run) -> tuple[list[AssetMaterialization], RunSuccess | RunFailure]:
        """What a run makes that earlier workers have not made, and how it ends: one that fails stops on its way."""
        deployment = self._deployment
        chance, storage = deployment.simulation.random, deployment.storage
        planned = [(each.asset, each.partition) for each in storage.assets.planned([run.run_id])]
        if planned and run.attempt > 1:
            before = [each.event.fact for each in storage.events.of_run(run.run_id, types=("ASSET_MATERIALIZATION",))]
            done = {(fact.asset, fact.partition) for fact in before if isinstance(fact, AssetMaterialization)}
            planned = [each for each in planned if each not in done]
        planned.sort(key=lambda each: (deployment.assets.index(each[0]), each[1] or ""))
        made = [AssetMaterialization(asset=asset, partition=partition) for asset, partition in planned]
        if chance.random() >= deployment.faults.runs:
            return made, RunSuccess()
        reason = chance.choice((FailureReason.STEP_FAILURE, FailureReason.STEP_FAILURE, FailureReason.RUN_EXCEPTION))
        return made[: chance.randint(0, len(made))], RunFailure(reason=reason, message="no")
