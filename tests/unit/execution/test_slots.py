"""Claims of a run's steps: what is asked for and when, what an outage changes, and what is withdrawn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from penstock.definitions.ops.job import JobDefinition, job
from penstock.definitions.ops.op import op
from penstock.engine.pools import PoolRules
from penstock.engine.step_messages import Command, Start, Succeeded
from penstock.engine.step_state import StepState
from penstock.engine.steps import StepScheduler
from penstock.errors import FencedError, StorageError, StorageUnavailableError
from penstock.execution.own_run import Wish, plan_run_here
from penstock.execution.recorder import MemoryRecorder
from penstock.execution.scope import RunScope, specs_of
from penstock.execution.slots import SlotKeeper, slot_keeper
from penstock.instance.instance import Instance
from penstock.records.event import RunCanceled, StepSuccess
from penstock.records.pool import SlotRequest
from penstock.storage.protocols import NewRun
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from, started_run


@op(pool="db")
def one() -> None: ...


@op(pool="db")
def two() -> None: ...


@op
def free() -> None: ...


@job
def pooled() -> None:
    one()
    two()
    free()


@job
def unpooled() -> None:
    free()


class FailingSlots:
    """The slots of a storage, whose claims raise what `error` is."""

    def __init__(self, storage: SqliteStorage) -> None:
        self._slots = storage.slots
        self.error: Exception | None = None
        self.calls = 0

    def claim(self, *arguments: Any, **more: Any) -> Any:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self._slots.claim(*arguments, **more)


class Storage:
    """A storage in memory with such slots."""

    def __init__(self, storage: SqliteStorage) -> None:
        self._storage = storage
        self.slots = FailingSlots(storage)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


class Claiming:
    """A run that claims, with all that stands around it."""

    def __init__(self, instance: Instance, clock: FakeClock, wanted: JobDefinition, *, places: int | None) -> None:
        self.clock = clock
        self.real = instance.storage
        assert isinstance(self.real, SqliteStorage)
        self.storage = Storage(self.real)
        scope = plan_run_here(wanted, Wish(run_config=None, tags=None), instance, capture=False)
        scope.environment = replace(scope.environment, clock=clock, storage=self.storage, pools=PoolRules())
        self.real.runs.create([NewRun(run=scope.run)])
        (scope.run,) = self.real.runs.claim([scope.run.run_id], owner="me", until=NOW + 900, now=clock.now())
        self.scope: RunScope = scope
        keeper = slot_keeper(scope, MemoryRecorder(clock))
        assert keeper is not None
        self.keeper: SlotKeeper = keeper
        self.scheduler = StepScheduler(specs_of(scope.plan, keeper.pools_of), max_concurrent=places)

    def begin(self) -> list[str]:
        return started([*self.scheduler.begin(self.clock.monotonic()), *self.keeper.claim(self.scheduler)])

    def claim(self) -> list[str]:
        return started(self.keeper.claim(self.scheduler))

    def waiting(self) -> list[str]:
        pools = self.real.slots.pools(now=self.clock.now())
        return [each.step_key for pool in pools for each in pool.waiting if each.run_id == self.scope.run.run_id]


def started(commands: list[Command]) -> list[str]:
    return [each.step for each in commands if isinstance(each, Start)]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOW)


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as opened:
        yield opened


def hold(instance: Instance, clock: FakeClock) -> str:
    """Let another run take the only slot, under a lease that ends 30 s after NOW; gives its id."""
    instance.storage.slots.set_limit("db", 1)
    run = started_run(instance.storage)
    request = SlotRequest(step_key="x", pools=("db",), since=NOW)
    assert instance.storage.slots.claim(run.run_id, 1, [request], now=clock.now()).granted
    return run.run_id


def test_a_run_without_pools_or_without_a_storage_claims_nothing(instance: Instance, clock: FakeClock) -> None:
    recorder = MemoryRecorder(clock)
    wish = Wish(run_config=None, tags=None)
    assert slot_keeper(plan_run_here(unpooled, wish, instance, capture=False), recorder) is None
    assert slot_keeper(plan_run_here(pooled, wish, None, capture=False), recorder) is None


def test_steps_start_with_their_slots_and_nothing_is_left_to_do(instance: Instance, clock: FakeClock) -> None:
    run = Claiming(instance, clock, pooled, places=None)
    assert run.begin() == ["one", "two", "free"]
    assert (run.keeper.due_in(), run.keeper.fileno(), run.storage.slots.calls) == (None, -1, 1)


def test_what_waits_is_looked_at_again_when_a_slot_came_free_and_after_a_while(
    instance: Instance, clock: FakeClock
) -> None:
    holder = hold(instance, clock)
    run = Claiming(instance, clock, pooled, places=None)
    assert run.begin() == ["free"]
    assert run.waiting() == ["one", "two"]
    assert run.keeper.due_in() == 2.0
    calls = run.storage.slots.calls
    assert run.claim() == []
    assert run.storage.slots.calls == calls  # nothing has happened
    clock.advance(2.0)
    assert run.claim() == []
    assert run.storage.slots.calls == calls + 1
    instance.storage.events.append(holder, 1, events_from(2, [StepSuccess(seconds=1.0)], step_key="x"), now=NOW + 4)
    run.keeper.wait(5.0, clock.advance)  # woken by the notifier
    assert run.keeper.due_in() == 0.0
    assert run.claim() == ["one"]
    run.keeper.close()
    assert run.keeper.fileno() == -1


def test_a_run_without_a_place_keeps_nobody_waiting(instance: Instance, clock: FakeClock) -> None:
    hold(instance, clock)
    run = Claiming(instance, clock, pooled, places=1)
    assert run.begin() == ["free"]  # which takes the only place
    assert run.waiting() == []
    assert run.keeper.due_in() is None
    run.scheduler.handle(Succeeded("free"), clock.monotonic())
    assert run.claim() == []
    assert run.waiting() == ["one"]
    run.keeper.close()


def test_an_outage_delays_a_claim_and_judges_nobody_for_a_while_after(instance: Instance, clock: FakeClock) -> None:
    hold(instance, clock)  # until NOW + 30
    run = Claiming(instance, clock, pooled, places=None)
    assert run.begin() == ["free"]
    clock.advance(29.0)
    run.storage.slots.error = StorageUnavailableError("gone")
    assert run.claim() == []
    assert run.keeper.due_in() == 1.0
    run.storage.slots.error = None
    clock.advance(1.5)  # the holder's lease is over, but it could not renew
    assert run.claim() == []
    clock.advance(13.0)
    assert run.claim() == []
    clock.advance(2.0)
    assert run.claim() == ["one"]
    run.keeper.close()


def test_a_pause_of_the_process_itself_judges_nobody_for_a_while(instance: Instance, clock: FakeClock) -> None:
    hold(instance, clock)
    run = Claiming(instance, clock, pooled, places=None)
    run.begin()
    clock.advance(40.0)  # as if the machine had slept
    assert run.claim() == []
    for _ in range(7):
        clock.advance(2.0)
        assert run.claim() == []
    clock.advance(2.0)
    assert run.claim() == ["one"]
    run.keeper.close()


def test_what_the_database_refuses_and_an_attempt_that_is_over_end_the_run(
    instance: Instance, clock: FakeClock
) -> None:
    run = Claiming(instance, clock, pooled, places=None)
    run.storage.slots.error = StorageError("no such table")
    with pytest.raises(StorageError, match="no such table"):
        run.begin()
    run.storage.slots.error = None
    run.real.runs.record(run.scope.run.run_id, [RunCanceled()], now=NOW)
    with pytest.raises(FencedError):
        run.claim()


def test_with_whole_runs_one_claim_holds_for_all_steps(instance: Instance, clock: FakeClock) -> None:
    holder = hold(instance, clock)
    run = Claiming(instance, clock, pooled, places=2)
    run.scope.environment = replace(run.scope.environment, pools=PoolRules(granularity="run"))
    keeper = slot_keeper(run.scope, MemoryRecorder(clock))
    assert keeper is not None
    run.keeper = keeper
    run.scheduler = StepScheduler(specs_of(run.scope.plan, keeper.pools_of), max_concurrent=2)
    assert run.begin() == []
    assert run.waiting() == [""]
    assert run.scheduler.state("free") is StepState.CLAIMING
    instance.storage.runs.record(holder, [RunCanceled()], now=NOW + 4)
    clock.advance(2.0)
    assert run.claim() == ["one", "two"]
    calls = run.storage.slots.calls
    run.scheduler.handle(Succeeded("one"), clock.monotonic())
    assert run.claim() == ["free"]
    assert run.storage.slots.calls == calls
