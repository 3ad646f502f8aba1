"""Runs in processes of their own that share a pool: who goes, who waits, and what a death gives back."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.records.event import EngineNote, RunFailure
from penstock.records.pool import PoolState
from penstock.records.run import FailureReason, RunStatus
from penstock.storage.sqlite.storage import SqliteStorage
from support.run_worker import Worker

pytestmark = pytest.mark.system

PROGRAM = Path(__file__).with_name("pools_user_code.py")
EXECUTORS = ["in_processes", "in_one_process", "in_one_loop"]


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """Two run workers to start, on one storage whose pool `db` has one slot."""
    for point in ("a", "b"):
        os.mkfifo(tmp_path / f"{point}.here")
        os.mkfifo(tmp_path / f"{point}.go")
    database = tmp_path / "penstock.db"
    storage = SqliteStorage(database)
    storage.migrate()
    storage.slots.set_limit("db", 1)
    made = [Worker(tmp_path, storage, database, program=PROGRAM) for _ in range(2)]
    yield made[0], made[1]
    for each in made:
        if each.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(each.process.pid, signal.SIGKILL)
            each.process.communicate()
        if each.channel is not None:
            each.channel.close()
    storage.close()


def pool(worker: Worker, name: str = "db") -> PoolState:
    return next(each for each in worker.storage.slots.pools(now=time.time()) if each.pool == name)


def waits(worker: Worker) -> bool:
    return any(each.run_id == worker.run_id for each in pool(worker).waiting)


def holds(worker: Worker) -> bool:
    return any(each.run_id == worker.run_id for each in pool(worker).held)


def notes(worker: Worker, step: str | None = "guarded") -> list[str]:
    facts = [each.fact for each in worker.events() if each.step_key == step]
    return [each.message for each in facts if isinstance(each, EngineNote)]


def begin_both(first: Worker, second: Worker, job: str, *, granularity: str = "op") -> None:
    """Let the first hold the slot and the second wait for it."""
    first.start(job, POINT="a", GRANULARITY=granularity)
    first.awaits("a")
    assert holds(first)
    second.start(job, POINT="b", GRANULARITY=granularity)
    second.wait_until(lambda: waits(second), "the second run waits for the slot")


@pytest.mark.parametrize("job", EXECUTORS)
def test_one_waits_for_the_other_and_its_other_steps_go_on(workers: tuple[Worker, Worker], job: str) -> None:
    first, second = workers
    begin_both(first, second, job)
    second.wait_until(lambda: "STEP_SUCCESS" in second.types("unguarded"), "the step without a pool has run")
    assert not holds(second)
    assert notes(second) == [
        f"Step guarded waits for pool db: 1 of 1 slot taken by run {first.run_id[-8:]} step guarded, place 1 of 1."
    ]
    first.releases("a")
    second.awaits("b")
    assert first.end() == 0
    assert holds(second)
    second.releases("b")
    assert second.end() == 0
    assert notes(second)[1].startswith("Step guarded has its slot of pool db, after ")
    assert first.status() is second.status() is RunStatus.SUCCESS
    assert (pool(first).held, pool(first).waiting) == ((), ())
    ended = next(e for e in first.storage.events.of_run(first.run_id) if e.event.type == "STEP_SUCCESS")
    begun = next(
        e
        for e in first.storage.events.of_run(second.run_id)
        if e.event.type == "STEP_START" and e.event.step_key == "guarded"
    )
    assert ended.id < begun.id


def test_a_killed_step_gives_its_slot_to_who_waits(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    begin_both(first, second, "in_processes")
    os.kill(first.pid_of("guarded"), signal.SIGKILL)
    second.awaits("b")
    second.releases("b")
    assert (first.end(), second.end()) == (0, 0)
    assert (first.status(), second.status()) == (RunStatus.FAILURE, RunStatus.SUCCESS)


def test_a_killed_worker_gives_its_slot_to_who_waits_when_its_run_is_ended(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    begin_both(first, second, "in_processes")
    first.kill()
    assert holds(first)
    lost = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="It was killed.")
    assert first.storage.runs.record(first.run_id, [lost], now=time.time(), attempt=1)
    second.awaits("b")
    second.releases("b")
    assert second.end() == 0
    assert second.status() is RunStatus.SUCCESS


@pytest.mark.parametrize("job", EXECUTORS)
def test_a_worker_that_nobody_misses_gives_its_slot_when_its_lease_is_over(
    workers: tuple[Worker, Worker], job: str
) -> None:
    first, second = workers
    begin_both(first, second, job)
    first.kill()
    assert first.storage.runs.take_over(first.run_id, attempt=1, owner="gone", until=time.time())
    second.awaits("b")
    assert not holds(first)
    second.releases("b")
    assert second.end() == 0
    assert second.status() is RunStatus.SUCCESS
    assert [each.run_id for each in first.storage.runs.expired(time.time())] == [first.run_id]


@pytest.mark.parametrize("job", EXECUTORS)
def test_a_run_that_waits_can_be_stopped(workers: tuple[Worker, Worker], job: str) -> None:
    first, second = workers
    begin_both(first, second, job)
    os.kill(second.pid, signal.SIGTERM)
    assert second.end() == 0
    assert second.status() is RunStatus.CANCELED
    assert pool(first).waiting == ()
    first.releases("a")
    assert first.end() == 0
    assert first.status() is RunStatus.SUCCESS


def test_an_attempt_that_failed_releases_its_slot_and_the_next_one_claims_again(
    workers: tuple[Worker, Worker],
) -> None:
    first, _ = workers
    first.start("retrying")
    assert first.end() == 0
    assert first.status() is RunStatus.SUCCESS
    assert first.types("second_time_lucky").count("STEP_UP_FOR_RETRY") == 1
    assert pool(first).held == ()


def test_a_raised_limit_lets_the_next_one_go(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    begin_both(first, second, "in_processes")
    first.storage.slots.set_limit("db", 2)
    second.awaits("b")
    assert len(pool(first).held) == 2
    second.releases("b")
    first.releases("a")
    assert (first.end(), second.end()) == (0, 0)


def test_a_run_may_hold_a_slot_of_each_of_its_pools_for_its_life(workers: tuple[Worker, Worker]) -> None:
    first, second = workers
    begin_both(first, second, "two_pools", granularity="run")
    first.wait_until(lambda: "STEP_SUCCESS" in first.types("other"), "the step in the other pool has ended")
    assert [each.step_key for each in pool(first, "api").held] == [""]  # the run, also after the step
    assert second.types("unguarded") == []
    assert notes(second, None)[0].startswith("The run waits for pool db: 1 of 1 slot taken by run ")
    first.releases("a")
    assert first.end() == 0
    second.awaits("b")
    second.releases("b")
    assert second.end() == 0
    assert first.status() is second.status() is RunStatus.SUCCESS
