"""Append events of steps, or make runs, in the instance that the environment names: in so many processes at once.

`append.py MODULE events|steps|runs WRITERS COUNT`. `steps`: each step's events are stored as the step ends, as those of
steps in processes of their own are; `events`: in larger batches, as those of a run in one process are. (The peer stores
each event by itself.) Prints how many were stored, in how many seconds, and the CPU seconds of the processes.
"""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from typing import Any

TAGS = {
    "team": "team-1",
    "env": "production",
    "region": "region-3",
    "owner": "owner-17",
    "tier": "tier-2",
    "release": "release-41",
    "shard": "shard-333",
    "batch": "batch-4711",
}


class Penstock:
    """Writes as a run worker does."""

    def __init__(self, kind: str, writer: int) -> None:
        from penstock.instance.instance import Instance

        self._instance = Instance.open()
        self._kind = kind
        self._name = f"asset_{writer}"

    def prepare(self) -> None:
        """Make a run that has begun."""
        from penstock.ids import new_run_id
        from penstock.records.event import RunStart
        from penstock.records.run import Run
        from penstock.storage.derive import RUN_EVENTS
        from penstock.storage.protocols import NewRun
        from penstock.storage.writer import URGENT, EventWriter

        storage, now = self._instance.storage, time.time()
        run = Run(run_id=new_run_id(), location="bench", job="bench", created=now)
        storage.runs.create([NewRun(run=run)])
        claimed = storage.runs.claim([run.run_id], owner="bench", until=now + 3600, now=now)[0]
        urgent = URGENT if self._kind == "steps" else RUN_EVENTS
        self._writer = EventWriter(storage.events, run.run_id, claimed.attempt, urgent=urgent)
        self._writer.emit(RunStart(executor="multiprocess"))

    def append(self, count: int) -> int:
        """Store the events of steps, about so many in all."""
        from benchmarks.storage.seed_penstock import step_facts

        facts = step_facts(self._name)
        steps = max(1, count // len(facts))
        for number in range(steps):
            for fact in facts:
                self._writer.emit(fact, f"{self._name}_{number}")
        self._writer.close()
        return steps * len(facts)

    def runs(self, count: int) -> int:
        """Make so many runs, one by one."""
        from penstock.ids import new_run_id
        from penstock.records.run import Run
        from penstock.storage.protocols import NewRun

        for _ in range(count):
            run = Run(run_id=new_run_id(), location="bench", job="bench", tags=TAGS, created=time.time())
            self._instance.storage.runs.create([NewRun(run=run)])
        return count

    def close(self) -> None:
        """Let go."""
        self._instance.close()


class Peer:
    """Writes as the peer's run worker does."""

    def __init__(self, kind: str, writer: int) -> None:
        import dagster

        self._dagster = dagster
        self._instance = dagster.DagsterInstance.get()
        self._name = f"asset_{writer}"

        @dagster.asset(name=self._name)
        def made(context) -> Any:
            context.log.info(f"read 48,211 rows of {self._name} from the warehouse")
            return dagster.MaterializeResult(metadata={"rows": 48_211, "seconds": 1.482})

        self._asset = made
        self._job = dagster.Definitions(assets=[made]).resolve_implicit_global_asset_job_def()

    def prepare(self) -> None:
        """Make a run, and what a step tells: as one that was executed told it."""
        with self._dagster.DagsterInstance.ephemeral() as ephemeral:
            run_id = self._dagster.materialize([self._asset], instance=ephemeral).run_id
            log = ephemeral.all_logs(run_id)
        kinds = {
            "LOGS_CAPTURED",
            "STEP_START",
            "STEP_OUTPUT",
            "ASSET_MATERIALIZATION",
            "HANDLED_OUTPUT",
            "STEP_SUCCESS",
        }
        self._step = [each for each in log if not each.is_dagster_event or each.dagster_event_type.value in kinds]
        self._run = self._instance.create_run_for_job(self._job)

    def append(self, count: int) -> int:
        """Store the events of steps, about so many in all."""
        steps = max(1, count // len(self._step))
        for _ in range(steps):
            for event in self._step:
                self._instance.handle_new_event(event._replace(run_id=self._run.run_id, timestamp=time.time()))
        return steps * len(self._step)

    def runs(self, count: int) -> int:
        """Make so many runs, one by one."""
        for _ in range(count):
            self._instance.create_run_for_job(self._job, tags=TAGS)
        return count

    def close(self) -> None:
        """Let go."""
        self._instance.dispose()


def work(kind: str, writer: int, count: int, start: Any, told: Any) -> None:
    """In a process of its own: make ready, wait for the others, write; who fails lets nobody wait."""
    try:
        told.put(measured(kind, writer, count, start))
    except BaseException:
        start.abort()
        told.put(None)
        raise


def measured(kind: str, writer: int, count: int, start: Any) -> tuple[int, float, float, float]:
    """How many were stored, from when to when, and the CPU seconds."""
    subject = Penstock(kind, writer) if sys.argv[1] == "penstock" else Peer(kind, writer)
    if kind != "runs":
        subject.prepare()
    start.wait(300)
    cpu, began = time.process_time(), time.monotonic()
    done = subject.runs(count) if kind == "runs" else subject.append(count)
    found = (done, began, time.monotonic(), time.process_time() - cpu)
    subject.close()
    return found


def main() -> None:
    """Start the writers, and print what they tell."""
    kind, writers, count = sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(writers), context.Queue()
    processes = [
        context.Process(target=work, args=(kind, each, count // writers, start, told)) for each in range(writers)
    ]
    for process in processes:
        process.start()
    found = [told.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    assert all(found), "a writer has failed"
    seconds = max(each[2] for each in found) - min(each[1] for each in found)
    print(
        json.dumps(
            {"stored": sum(each[0] for each in found), "seconds": seconds, "cpu": sum(each[3] for each in found)}
        )
    )


if __name__ == "__main__":
    main()
