"""The monitor duty: runs whose holder is gone end with the cause or go back to the queue."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.daemon.keeper import Held
from penstock.daemon.monitor import MonitorDuty, MonitorLimits
from penstock.errors import StorageUnavailableError
from penstock.launch.coordinators import ImmediateRunCoordinator
from penstock.logs.local import LocalLogStore
from penstock.logs.store import log_key
from penstock.records.event import RunCanceling, RunEnqueued, RunResumed
from penstock.records.lease import Lease
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.records.wire import LaunchAnswer
from penstock.storage.run_log import lost_workers
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import NOW, given_run, queued_run, started_run
from support.held import whole

HELD = whole(Lease(name="monitor", holder="daemon-1", epoch=1, until=NOW + 10))


NO_LOGS = LocalLogStore(Path("/nonexistent"))


class Launcher:
    """Remembers whom it was asked to stop."""

    def __init__(self) -> None:
        self.launched: list[str] = []
        self.stopped: list[tuple[str, bool]] = []

    def launch(self, run: Run) -> LaunchAnswer:
        self.launched.append(run.run_id)
        return LaunchAnswer(accepted=True)

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        self.stopped.append((run.run_id, force))
        return True


@pytest.fixture
def storage() -> Iterator[SqliteStorage]:
    opened = SqliteStorage(None)
    yield opened
    opened.close()


def monitor_of(
    storage: SqliteStorage,
    clock: FakeClock,
    *,
    limits: MonitorLimits | None = None,
    launcher: Launcher | None = None,
    logs: LocalLogStore = NO_LOGS,
) -> MonitorDuty:
    launcher = launcher or Launcher()
    coordinator = ImmediateRunCoordinator(runs=storage.runs, launcher=launcher, clock=clock)
    return MonitorDuty(storage, logs, launcher, coordinator, limits or MonitorLimits(), clock)


def look(
    storage: SqliteStorage,
    clock: FakeClock,
    *,
    limits: MonitorLimits | None = None,
    launcher: Launcher | None = None,
    logs: LocalLogStore = NO_LOGS,
) -> None:
    monitor_of(storage, clock, limits=limits, launcher=launcher, logs=logs).tick(HELD)


def status(storage: SqliteStorage, run: Run) -> Run:
    found = storage.runs.get(run.run_id)
    assert found is not None
    return found


def test_a_run_whose_lease_holds_is_left_alone(storage: SqliteStorage) -> None:
    run = started_run(storage)
    look(storage, FakeClock(NOW + 20))
    assert status(storage, run).status is RunStatus.STARTED


def test_a_started_run_that_nobody_holds_goes_back_to_the_queue_as_often_as_it_may(storage: SqliteStorage) -> None:
    run = started_run(storage)
    later = NOW + 60
    for number in (1, 2):
        look(storage, FakeClock(later), limits=MonitorLimits(resumes=2))
        queued = status(storage, run)
        assert (queued.status, queued.attempt, queued.owner) == (RunStatus.QUEUED, number, None)
        assert f"({number} of 2 times)" in (queued.note or "")
        (claimed,) = storage.runs.claim([run.run_id], owner="server-2", until=later + 15, now=later + 1)
        assert claimed.attempt == number + 1
        assert storage.runs.record(run.run_id, [RunResumed()], now=later + 2, attempt=claimed.attempt)
        later += 60
    look(storage, FakeClock(later), limits=MonitorLimits(resumes=2))
    ended = status(storage, run)
    assert (ended.status, ended.failure_reason) == (RunStatus.FAILURE, FailureReason.UNEXPECTED_TERMINATION)
    assert "server-2" in (ended.note or "")
    assert "number 3" in (ended.note or "")


def test_a_refused_launch_does_not_count_as_a_lost_worker(storage: SqliteStorage) -> None:
    run = started_run(storage)
    look(storage, FakeClock(NOW + 60), limits=MonitorLimits(resumes=1))
    for number in range(3):
        (claimed,) = storage.runs.claim([run.run_id], owner="daemon-1", until=NOW + 75, now=NOW + 61 + number)
        refused = RunEnqueued(reason="Not started: no code server answers.")
        assert storage.runs.record(run.run_id, [refused], now=NOW + 61 + number, attempt=claimed.attempt)
    assert lost_workers(storage.events, run.run_id) == 1


def test_without_a_budget_a_lost_run_has_failed(storage: SqliteStorage) -> None:
    by_setting, by_tag = started_run(storage), started_run(storage, tags={"penstock/max_resume_run_attempts": "0"})
    look(storage, FakeClock(NOW + 60), limits=MonitorLimits(resumes=0))
    assert status(storage, by_setting).status is RunStatus.FAILURE
    look(storage, FakeClock(NOW + 60))
    assert status(storage, by_tag).status is RunStatus.FAILURE


def test_a_claim_that_nobody_confirmed_goes_back_to_the_queue(storage: SqliteStorage) -> None:
    run = queued_run(storage)
    storage.runs.claim([run.run_id], owner="dead-daemon", until=NOW + 15, now=NOW)
    look(storage, FakeClock(NOW + 16))
    assert status(storage, run).status is RunStatus.QUEUED


def test_a_run_that_waited_long_in_the_queue_goes_back_all_the_same(storage: SqliteStorage) -> None:
    run = queued_run(storage)
    storage.runs.claim([run.run_id], owner="dead-daemon", until=NOW + 1015, now=NOW + 1000)
    look(storage, FakeClock(NOW + 1016), limits=MonitorLimits(start_timeout=180))
    assert status(storage, run).status is RunStatus.QUEUED


def test_a_run_whose_worker_never_begins_fails_in_the_end(storage: SqliteStorage) -> None:
    run = queued_run(storage)
    storage.runs.claim([run.run_id], owner="daemon-1", until=NOW + 15, now=NOW)
    # The code server has taken it over and renews its lease, and nothing comes of it.
    assert storage.runs.take_over(run.run_id, attempt=1, owner="server-1", until=NOW + 500)
    launcher = Launcher()
    look(storage, FakeClock(NOW + 100), limits=MonitorLimits(start_timeout=180))
    assert status(storage, run).status is RunStatus.STARTING
    look(storage, FakeClock(NOW + 200), limits=MonitorLimits(start_timeout=180), launcher=launcher)
    ended = status(storage, run)
    assert (ended.status, ended.failure_reason) == (RunStatus.FAILURE, FailureReason.START_TIMEOUT)
    assert launcher.stopped == [(run.run_id, True)]


def test_a_canceled_run_that_nobody_holds_is_canceled(storage: SqliteStorage) -> None:
    run = started_run(storage)
    storage.runs.record(run.run_id, [RunCanceling()], now=NOW + 5)
    look(storage, FakeClock(NOW + 60))
    assert status(storage, run).status is RunStatus.CANCELED


def test_a_run_over_its_time_is_asked_to_stop(storage: SqliteStorage) -> None:
    run = started_run(storage, tags={"penstock/max_runtime": "10"})
    launcher = Launcher()
    look(storage, FakeClock(NOW + 20), launcher=launcher)
    assert status(storage, run).status is RunStatus.CANCELING
    assert launcher.stopped == [(run.run_id, False)]


def test_a_run_that_does_not_stop_is_killed(storage: SqliteStorage) -> None:
    run = started_run(storage)
    storage.runs.record(run.run_id, [RunCanceling()], now=NOW + 3)
    launcher = Launcher()
    look(storage, FakeClock(NOW + 25), launcher=launcher, limits=MonitorLimits(cancel_timeout=10))
    assert launcher.stopped == [(run.run_id, True)]


def test_after_an_outage_holders_have_time_to_renew(storage: SqliteStorage) -> None:
    run = started_run(storage)
    clock = FakeClock(NOW + 5)
    monitor = monitor_of(storage, clock)
    monitor.tick(HELD)
    clock.advance(60)  # nobody could look, or write, for a minute
    monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.STARTED
    clock.advance(10)
    monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.STARTED
    clock.advance(6)
    monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.QUEUED


def test_looks_that_failed_do_not_hide_an_outage(storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = started_run(storage)
    clock = FakeClock(NOW + 5)
    monitor = monitor_of(storage, clock)
    monitor.tick(HELD)
    with monkeypatch.context() as patched:
        patched.setattr("penstock.storage.sqlite.runs.SqliteRuns.active", _away)
        for _ in range(3):
            clock.advance(10)
            with pytest.raises(StorageUnavailableError):
                monitor.tick(HELD)
    monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.STARTED
    for seconds in (10, 6):
        clock.advance(seconds)
        monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.QUEUED


def test_a_clock_that_is_set_forward_lets_a_run_start(storage: SqliteStorage) -> None:
    run = queued_run(storage)
    storage.runs.claim([run.run_id], owner="daemon-1", until=NOW + 1e5, now=NOW + 5)
    clock = FakeClock(NOW + 5)
    monitor = monitor_of(storage, clock, limits=MonitorLimits(start_timeout=180))
    monitor.tick(HELD)
    for seconds in (3600, 10):
        clock.advance(seconds)
        monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.STARTING
    clock.advance(6)
    monitor.tick(HELD)
    assert status(storage, run).failure_reason is FailureReason.START_TIMEOUT


def test_a_clock_that_is_set_back_again_leaves_no_time_without_judgement(storage: SqliteStorage) -> None:
    run = started_run(storage)
    clock = FakeClock(NOW + 5)
    monitor = monitor_of(storage, clock)
    for seconds in (0, 3600, -3590, 10, 6):
        clock.advance(seconds)
        monitor.tick(HELD)
    assert status(storage, run).status is RunStatus.QUEUED


def _away(_runs: object) -> None:
    raise StorageUnavailableError("the database is away")


def test_what_the_steps_of_a_lost_worker_printed_is_settled(storage: SqliteStorage, tmp_path: Path) -> None:
    run, logs = started_run(storage), LocalLogStore(tmp_path)
    key = log_key(run.run_id, "a")
    path = logs.path(key, "stdout")
    path.parent.mkdir()
    path.write_text("last words")
    look(storage, FakeClock(NOW + 60), logs=logs)
    assert logs.marks(key).complete


def test_a_run_of_a_tick_that_was_never_launched_is_launched(storage: SqliteStorage) -> None:
    of_tick = given_run(storage, tags={"penstock/tick": "7"})
    by_hand = given_run(storage)
    clock = FakeClock(of_tick.created + 10)
    launcher = Launcher()
    monitor = monitor_of(storage, clock, launcher=launcher)
    assert monitor.tick(HELD) is not None  # who has the tick may be about to
    assert launcher.launched == []
    clock.advance(6)
    monitor.tick(HELD)
    monitor.tick(HELD)
    assert launcher.launched == [of_tick.run_id]
    assert status(storage, by_hand).status is RunStatus.NOT_STARTED


def test_a_run_that_a_launcher_fails_over_holds_up_no_other(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (started_run(storage, tags={"penstock/max_runtime": "10"}) for _ in range(2))
    launcher = Launcher()
    stop = launcher.cancel

    def fail(run: Run, *, force: bool = False) -> bool:
        if run.run_id == first.run_id:
            raise KeyError("pod")
        return stop(run, force=force)

    monkeypatch.setattr(launcher, "cancel", fail)
    look(storage, FakeClock(NOW + 20), launcher=launcher)
    assert launcher.stopped == [(second.run_id, False)]


def test_runs_that_a_coordinator_fails_over_hold_up_no_other(
    storage: SqliteStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = given_run(storage, tags={"penstock/tick": "7"})
    lost = started_run(storage)

    def fail(_coordinator: ImmediateRunCoordinator, _run_ids: object) -> None:
        raise KeyError("owner")

    monkeypatch.setattr(ImmediateRunCoordinator, "dispatch", fail)
    look(storage, FakeClock(left.created + 60))
    assert status(storage, lost).status is RunStatus.QUEUED


def test_a_daemon_that_comes_after_an_outage_gives_holders_time_to_renew(storage: SqliteStorage) -> None:
    run = started_run(storage)
    clock = FakeClock(NOW + 60)
    monitor = monitor_of(storage, clock)
    held = Held(["monitor"], {"monitor": HELD.parts[0]}, steady_since=NOW + 59)
    monitor.tick(held)
    assert status(storage, run).status is RunStatus.STARTED
    clock.advance(14)
    monitor.tick(held)
    assert status(storage, run).status is RunStatus.QUEUED
