"""Coordinators: what a submitted run becomes, and that a cancel is right in every state."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from penstock.errors import CodeServerUnreachableError, NotFoundError
from penstock.ids import new_run_id
from penstock.launch.coordinators import ImmediateRunCoordinator, QueuedRunCoordinator, SubmitRunContext
from penstock.records.event import Fact, RunStart, RunStarting
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.records.wire import LaunchAnswer
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite.storage import SqliteStorage


class FakeLauncher:
    """Remembers what it was asked, and answers as it is told."""

    def __init__(self) -> None:
        self.launched: list[Run] = []
        self.canceled: list[tuple[str, bool]] = []
        self.answer: LaunchAnswer | Exception = LaunchAnswer(accepted=True, pid=1)
        self.on_cancel: Callable[[Run], None] = lambda run: None

    def launch(self, run: Run) -> LaunchAnswer:
        self.launched.append(run)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        self.canceled.append((run.run_id, force))
        self.on_cancel(run)
        if isinstance(self.answer, Exception):
            raise self.answer
        return True


class Ticking:
    """A clock that moves by a second with each look."""

    def __init__(self) -> None:
        self._seconds = itertools.count(1_000_000)

    def now(self) -> float:
        return float(next(self._seconds))

    monotonic = now


@pytest.fixture
def storage() -> SqliteStorage:
    return SqliteStorage(None)


@pytest.fixture
def launcher() -> FakeLauncher:
    return FakeLauncher()


@pytest.fixture
def queued(storage: SqliteStorage, launcher: FakeLauncher) -> QueuedRunCoordinator:
    return QueuedRunCoordinator(runs=storage.runs, launcher=launcher, clock=Ticking())


@pytest.fixture
def immediate(storage: SqliteStorage, launcher: FakeLauncher) -> ImmediateRunCoordinator:
    return ImmediateRunCoordinator(runs=storage.runs, launcher=launcher, clock=Ticking())


def new_run() -> NewRun:
    return NewRun(run=Run(run_id=new_run_id(), location="shop", job="nightly", created=1.0))


def types_of(storage: SqliteStorage, run_id: str) -> list[str]:
    return [stored.event.type for stored in storage.events.of_run(run_id)]


def started(storage: SqliteStorage, coordinator: QueuedRunCoordinator) -> Run:
    (run,) = coordinator.submit([new_run()])
    storage.runs.claim([run.run_id], owner="somebody", until=2e9, now=1.0)
    assert storage.runs.record(run.run_id, [RunStart()], now=2.0)
    found = storage.runs.get(run.run_id)
    assert found is not None
    return found


def test_queued_runs_wait_for_the_daemon(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    runs = queued.submit([new_run(), new_run()])
    assert [run.status for run in runs] == [RunStatus.QUEUED, RunStatus.QUEUED]
    assert types_of(storage, runs[0].run_id) == ["RUN_ENQUEUED"]
    assert not launcher.launched


def test_immediate_runs_are_claimed_and_launched(
    immediate: ImmediateRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    (run,) = immediate.submit([new_run()])
    assert (run.status, run.attempt) == (RunStatus.STARTING, 1)
    assert [each.attempt for each in launcher.launched] == [1]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (LaunchAnswer(accepted=False, reason="the code is broken."), "the code is broken"),
        (CodeServerUnreachableError("nobody at unix:/x"), "nobody at unix:/x"),
    ],
)
def test_an_immediate_run_that_cannot_be_launched_fails_with_the_reason(
    immediate: ImmediateRunCoordinator,
    storage: SqliteStorage,
    launcher: FakeLauncher,
    answer: LaunchAnswer | Exception,
    says: str,
) -> None:
    launcher.answer = answer
    (run,) = immediate.submit([new_run()])
    assert run.status is RunStatus.FAILURE
    assert run.failure_reason is FailureReason.JOB_INITIALIZATION_FAILURE
    fact: Fact = storage.events.of_run(run.run_id)[-1].event.fact
    assert says in getattr(fact, "message", "")


def test_a_queued_run_is_canceled_at_once(queued: QueuedRunCoordinator, launcher: FakeLauncher) -> None:
    (run,) = queued.submit([new_run()])
    assert queued.cancel(run.run_id, actor="ada").status is RunStatus.CANCELED
    assert not launcher.canceled


def test_a_started_run_is_told_and_waits_for_its_worker(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    run = started(storage, queued)
    assert queued.cancel(run.run_id).status is RunStatus.CANCELING
    assert launcher.canceled == [(run.run_id, False)]


def test_a_second_cancel_asks_the_launcher_again(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    run = started(storage, queued)
    queued.cancel(run.run_id)
    queued.cancel(run.run_id)
    assert types_of(storage, run.run_id).count("RUN_CANCELING") == 1
    assert len(launcher.canceled) == 2


def test_the_intent_is_kept_when_nobody_answers(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    run = started(storage, queued)
    launcher.answer = CodeServerUnreachableError("nobody at unix:/x")
    assert queued.cancel(run.run_id).status is RunStatus.CANCELING
    note = storage.events.of_run(run.run_id)[-1].event.fact
    assert "nobody at unix:/x" in getattr(note, "message", "")


def test_force_ends_the_run_even_when_nobody_answers(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    run = started(storage, queued)
    launcher.answer = CodeServerUnreachableError("nobody at unix:/x")
    assert queued.cancel(run.run_id, force=True).status is RunStatus.CANCELED
    assert launcher.canceled == [(run.run_id, True)]


def test_a_run_claimed_in_between_is_canceled_where_it_is_then(
    storage: SqliteStorage, launcher: FakeLauncher, monkeypatch: pytest.MonkeyPatch
) -> None:
    coordinator = QueuedRunCoordinator(runs=storage.runs, launcher=launcher, clock=Ticking())
    (run,) = coordinator.submit([new_run()])
    record = storage.runs.record

    def claimed_first(run_id: str, facts: list[Fact], *, now: float, attempt: int | None = None) -> bool:
        monkeypatch.setattr(storage.runs, "record", record)
        storage.runs.claim([run_id], owner="daemon", until=2e9, now=now)
        record(run_id, [RunStarting()], now=now)
        return False

    monkeypatch.setattr(storage.runs, "record", claimed_first)
    assert coordinator.cancel(run.run_id).status is RunStatus.CANCELING
    assert launcher.canceled == [(run.run_id, False)]


def test_an_ended_run_stays_as_it_is(
    queued: QueuedRunCoordinator, storage: SqliteStorage, launcher: FakeLauncher
) -> None:
    (run,) = queued.submit([new_run()])
    queued.cancel(run.run_id)
    before = types_of(storage, run.run_id)
    assert queued.cancel(run.run_id, force=True).status is RunStatus.CANCELED
    assert types_of(storage, run.run_id) == before


def test_a_run_that_does_not_exist_is_named(queued: QueuedRunCoordinator) -> None:
    with pytest.raises(NotFoundError, match="no-such-run"):
        queued.cancel("no-such-run")


class Tagging(QueuedRunCoordinator):
    """A user's coordinator: it tags each run, and keeps those out of the queue whose job is not its own."""

    def submit_run(self, context: SubmitRunContext) -> Run:
        self.runs.add_tags(context.run.run_id, {"owner": "data"})
        if context.run.job_name != "nightly":
            self.cancel(context.run.run_id, actor="the coordinator")
            return context.run
        return super().submit_run(context)


def test_a_coordinator_of_the_user_s_is_asked_for_each_run(storage: SqliteStorage, launcher: FakeLauncher) -> None:
    coordinator = Tagging(runs=storage.runs, launcher=launcher, clock=Ticking())
    other = NewRun(run=Run(run_id=new_run_id(), location="shop", job="other", created=1.0))
    queued, refused = coordinator.submit([new_run(), other])
    assert (queued.status, queued.tags) == (RunStatus.QUEUED, {"owner": "data"})
    assert refused.status is RunStatus.CANCELED
    prepared = coordinator.prepare(new_run())
    (stored,) = storage.runs.create([prepared])
    coordinator.dispatch([stored.run_id, "unknown"])
    assert types_of(storage, stored.run_id) == ["RUN_ENQUEUED"]
    coordinator.dispatch([stored.run_id])
    assert types_of(storage, stored.run_id) == ["RUN_ENQUEUED"]
