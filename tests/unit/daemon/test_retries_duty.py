"""The retries duty: each failed run is run again once, as often as it may, whatever breaks meanwhile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from penstock.codec import encode_json
from penstock.config.schema import Shape
from penstock.daemon.retries import RetriesDuty
from penstock.engine.retry import RetryPolicyOfRuns
from penstock.errors import StorageError, StorageUnavailableError
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.plan.launch import plan_run
from penstock.records.errors import ErrorInfo
from penstock.records.event import EngineNote, Event, RunFailure, RunStart, StepFailure, StepStart, StepSuccess
from penstock.records.lease import Lease
from penstock.records.location import InputDescription, JobDescription, LocationDescription, StepDescription, StepRef
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.records.wire import LaunchAnswer, LoadStatus
from penstock.storage.protocols import RunFilter, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import NOW, events_from
from support.held import whole

HELD = whole(Lease(name="retries", holder="daemon-1", epoch=1, until=NOW + 1000))
LOCATION = LocationDescription(
    name="shop",
    jobs=(
        JobDescription(
            name="nightly",
            steps=(
                StepDescription(key="load", op="load"),
                StepDescription(
                    key="report",
                    op="report",
                    inputs=(
                        InputDescription(
                            name="after", sources=(StepRef(step="load", output="result"),), passes_value=False
                        ),
                    ),
                ),
            ),
            config_schema=Shape(fields={}),
        ),
    ),
)
ERROR = ErrorInfo(cls="ValueError", message="no")


class Launcher:
    """No run is launched in these tests."""

    def launch(self, run: Run) -> LaunchAnswer:
        raise AssertionError

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        raise AssertionError


class Breaking:
    """A storage whose n-th change fails, before or after it took effect."""

    def __init__(self, storage: SqliteStorage, at: int, *, after: bool) -> None:
        self.storage = storage
        self.left = at
        self.after = after

    def __getattr__(self, name: str) -> Any:
        part = getattr(self.storage, name)
        return _Part(self, part) if name in ("runs", "locations") else part


class _Part:
    def __init__(self, whole: Breaking, part: Any) -> None:
        self.whole = whole
        self.part = part

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.part, name)
        if name not in ("create", "add_tags", "set_value", "settle_value"):
            return method

        def breaking(*args: Any, **kwargs: Any) -> Any:
            self.whole.left -= 1
            if self.whole.left == 0 and not self.whole.after:
                raise StorageUnavailableError("away")
            given = method(*args, **kwargs)
            if self.whole.left == 0:
                raise StorageUnavailableError("away")
            return given

        return breaking


class House:
    def __init__(self) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(NOW + 100)
        self.storage.locations.put(
            StoredLocation(
                name="shop", status=LoadStatus.LOADED, digest="1", description=encode_json(LOCATION), updated=NOW
            )
        )

    def look(self, policy: RetryPolicyOfRuns | None = None, storage: Any = None) -> None:
        over = self.storage if storage is None else storage
        coordinator = QueuedRunCoordinator(runs=over.runs, launcher=Launcher(), clock=self.clock)
        duty = RetriesDuty(over, coordinator, Catalog(over.locations), policy or RetryPolicyOfRuns(), self.clock)
        duty.tick(HELD)

    def failed(
        self,
        tags: Mapping[str, str] = MappingProxyType({}),
        *,
        reason: FailureReason = FailureReason.STEP_FAILURE,
        run: Run | None = None,
    ) -> Run:
        """A run, new or given, whose second step failed."""
        if run is None:
            given = {f"penstock/{key}": value for key, value in tags.items()}
            (run,) = self.storage.runs.create([plan_run(LOCATION, job="nightly", tags=given, now=NOW)])
        (claimed,) = self.storage.runs.claim([run.run_id], owner="server-1", until=NOW + 30, now=NOW + 1)
        events = events_from(1, [RunStart()])
        if run.step_keys is None:
            events += [
                Event(time=NOW + 3, fact=StepStart(), step_key="load", seq=2),
                Event(time=NOW + 4, fact=StepSuccess(seconds=1.0), step_key="load", seq=3),
            ]
        events += [
            Event(time=NOW + 5, fact=StepStart(), step_key="report", seq=4),
            Event(time=NOW + 6, fact=StepFailure(error=ERROR), step_key="report", seq=5),
            Event(time=NOW + 7, fact=RunFailure(reason=reason, message="Step report failed."), seq=6),
        ]
        self.storage.events.append(run.run_id, claimed.attempt, events, now=NOW + 7)
        return self.run(run.run_id)

    def run(self, run_id: str) -> Run:
        found = self.storage.runs.get(run_id)
        assert found is not None
        return found

    def retries(self) -> list[Run]:
        return self.storage.runs.page(RunFilter(tags={"penstock/retry_number": None}), limit=100, ascending=True)


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    made.look()  # what failed before the duty was there is not its business
    yield made
    made.storage.close()


def test_a_failed_run_is_run_again_from_where_it_failed(house: House) -> None:
    failed = house.failed({"max_retries": "1", "run_key": "k1", "priority": "5"})
    house.look()
    (retry,) = house.retries()
    assert (retry.status, retry.step_keys, retry.parent_run_id) == (RunStatus.QUEUED, ("report",), failed.run_id)
    assert retry.tags == {
        "penstock/max_retries": "1",
        "penstock/priority": "5",
        "penstock/retry_number": "1",
        "penstock/parent_run_id": failed.run_id,
        "penstock/root_run_id": failed.run_id,
    }
    assert house.run(failed.run_id).tags["penstock/will_retry"] == "true"
    assert house.run(failed.run_id).tags["penstock/auto_retry_run_id"] == retry.run_id
    notes = [each.event.fact for each in house.storage.events.of_run(retry.run_id)]
    assert any(isinstance(note, EngineNote) and "Step report failed." in note.message for note in notes)
    house.look()
    assert len(house.retries()) == 1


def test_it_is_over_when_all_retries_are_used_up(house: House) -> None:
    house.failed({"max_retries": "2"})
    house.look()
    (first,) = house.retries()
    house.failed(run=first)
    house.look()
    (second,) = (each for each in house.retries() if each.run_id != first.run_id)
    assert second.parent_run_id == first.run_id
    assert second.tags["penstock/retry_number"] == "2"
    house.failed(run=second)
    house.look()
    assert len(house.retries()) == 2
    assert house.run(second.run_id).tags["penstock/will_retry"] == "false"


def test_all_steps_where_that_is_asked_for(house: House) -> None:
    house.failed({"max_retries": "1", "retry_strategy": "ALL_STEPS"})
    house.look()
    assert house.retries()[0].step_keys is None


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"max_retries": "0"},
        {"max_retries": "1", "retry_on_asset_or_op_failure": "false"},
        {"max_retries": "often"},
        {"max_retries": "1", "retry_strategy": "SOME"},
        {"max_retries": "1", "retry_on_asset_or_op_failure": "perhaps"},
    ],
)
def test_runs_that_are_not_run_again(house: House, tags: dict[str, str]) -> None:
    failed = house.failed(tags)
    house.look()
    assert not house.retries()
    wanted = tags.get("max_retries", "0") != "0"
    assert house.run(failed.run_id).tags.get("penstock/will_retry") == ("false" if wanted else None)


def test_a_lost_run_is_run_again_where_a_failed_step_is_not(house: House) -> None:
    policy = RetryPolicyOfRuns(max_retries=1, on_step_failure=False)
    house.failed()
    house.look(policy)
    assert not house.retries()
    lost = house.failed(reason=FailureReason.UNEXPECTED_TERMINATION)
    house.look(policy)
    assert [each.parent_run_id for each in house.retries()] == [lost.run_id]


def test_a_run_of_code_that_is_gone_is_told_so(house: House) -> None:
    failed = house.failed({"max_retries": "1"})
    house.storage.locations.forget(["shop"])
    house.look()
    assert house.run(failed.run_id).tags["penstock/will_retry"] == "false"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, 6))
def test_whatever_breaks_each_failed_run_is_run_again_once(house: House, at: int, after: bool) -> None:
    failures = {house.failed({"max_retries": "1"}).run_id for _ in range(2)}
    broken = Breaking(house.storage, at, after=after)
    with contextlib.suppress(StorageError):
        house.look(storage=broken)
    assert broken.left <= 0
    house.look()
    house.look()
    retries = house.retries()
    assert len(retries) == 2
    assert {each.parent_run_id for each in retries} == failures
    assert all(each.status is RunStatus.QUEUED for each in retries)
    assert all(house.run(run_id).tags["penstock/will_retry"] == "true" for run_id in failures)


def test_a_run_that_cannot_be_run_again_holds_up_no_other(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused, other = house.failed({"max_retries": "1"}), house.failed({"max_retries": "1"})
    create = house.storage.runs.create

    def refuse(new: Any) -> list[Run]:
        if new[0].run.parent_run_id == refused.run_id:
            raise StorageError("The database refuses the tag.")
        return create(new)

    monkeypatch.setattr(house.storage.runs, "create", refuse)
    house.look()
    assert [each.parent_run_id for each in house.retries()] == [other.run_id]
    assert house.run(refused.run_id).tags["penstock/will_retry"] == "false"
