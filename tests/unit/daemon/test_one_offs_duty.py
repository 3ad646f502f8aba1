"""One-off runs: made when their time has come, once, or passed over with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from penstock.codec import encode_json
from penstock.config.schema import Field, Scalar, Shape
from penstock.daemon.one_offs import OneOffsDuty
from penstock.errors import CodeServerUnreachableError, StorageError, StorageUnavailableError
from penstock.launch.coordinators import QueuedRunCoordinator
from penstock.locations.catalog import Catalog
from penstock.partitions.spec import DynamicSpec
from penstock.records.automation import By
from penstock.records.location import JobDescription, LocationDescription, StepDescription
from penstock.records.one_off import OneOff, OneOffStatus
from penstock.records.run import Run, RunStatus
from penstock.records.wire import EvaluatePartitions, LaunchAnswer, LoadStatus, PartitionRun, PartitionsAnswer
from penstock.storage.protocols import NewRun, RunFilter, StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from support.held import whole

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC

STEPS = (StepDescription(key="step", op="step"),)
LOCATION = LocationDescription(
    name="shop",
    jobs=(
        JobDescription(
            name="nightly", steps=STEPS, config_schema=Shape(fields={"rows": Field(type=Scalar(kind="int"))})
        ),
        JobDescription(
            name="by_file",
            steps=STEPS,
            config_schema=Shape(),
            partitions=DynamicSpec(name="files"),
            config_by_partition=True,
        ),
    ),
)


class Launcher:
    """No run is launched in these tests: the queue is full of them."""

    def launch(self, run: Run) -> LaunchAnswer:
        raise AssertionError

    def cancel(self, run: Run, *, force: bool = False) -> bool:
        raise AssertionError


class CodeServer:
    """Gives tags by partition, or does not answer."""

    answers = True

    def partitions(self, work: EvaluatePartitions) -> PartitionsAnswer:
        if not self.answers:
            raise CodeServerUnreachableError("The code server does not answer.")
        return PartitionsAnswer(runs={key: PartitionRun(tags={"file": key}) for key in work.keys})


class House:
    """The duty over a storage in memory, a fake clock and a fake code server."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(START)
        self.server = CodeServer()
        catalog = Catalog(self.storage.locations)
        monkeypatch.setattr(catalog, "client", lambda _name: self.server)
        coordinator = QueuedRunCoordinator(runs=self.storage.runs, launcher=Launcher(), clock=self.clock)
        self.duty = OneOffsDuty(self.storage, coordinator, catalog, self.clock)
        self.load()

    def load(self) -> None:
        self.storage.locations.put(
            StoredLocation(
                name="shop", status=LoadStatus.LOADED, digest="1", description=encode_json(LOCATION), updated=START
            )
        )

    def plan(self, **fields: Any) -> int:
        due = fields.pop("due", START + 60)
        asked = OneOff(
            **{
                "location": "shop",
                "job": "nightly",
                "run_config": {"rows": 3},
                "due": due,
                "until": due + 3600,
                **fields,
            }
        )
        return self.storage.one_offs.plan(asked, now=self.clock.now()).id

    def look(self) -> float | None:
        lease = self.storage.leases.acquire("one_offs", "daemon-1", ttl=10, now=self.clock.now())
        assert lease is not None
        return self.duty.tick(whole(lease))

    def stands(self, number: int) -> OneOff:
        found = self.storage.one_offs.get(number)
        assert found is not None
        return found

    def runs(self) -> list[Run]:
        return self.storage.runs.page(RunFilter(), limit=10)


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    built = House(monkeypatch)
    yield built
    built.duty.close()
    built.storage.close()


def test_a_run_is_made_at_its_instant_and_once(house: House) -> None:
    number = house.plan(tags={"team": "data"}, by=By(actor="ann"))
    house.plan(due=START + 500)
    assert house.look() == pytest.approx(60)
    assert house.runs() == []
    house.clock.advance(61)
    assert house.look() == 0.0
    assert house.look() == pytest.approx(439)
    (run,) = house.runs()
    assert (run.status, run.job, run.run_config) == (RunStatus.QUEUED, "nightly", {"rows": 3})
    assert run.tags == {"team": "data", "penstock/one_off": str(number), "penstock/user": "ann"}
    stands = house.stands(number)
    assert (stands.status, stands.run_id, stands.ended) == (OneOffStatus.LAUNCHED, run.run_id, START + 61)


def test_one_that_is_called_off_is_not_made(house: House) -> None:
    number = house.plan()
    house.storage.one_offs.cancel(number, now=START)
    house.clock.advance(61)
    assert house.look() is None
    assert house.runs() == []


def test_late_is_made_and_too_late_is_told(house: House) -> None:
    in_time, too_late = house.plan(until=START + 9000), house.plan(until=START + 4000)
    house.clock.advance(5000)
    assert house.look() == 0.0
    assert house.stands(in_time).status is OneOffStatus.LAUNCHED
    assert house.stands(too_late).status is OneOffStatus.MISSED
    assert "too late" in (house.stands(too_late).note or "")
    assert len(house.runs()) == 1


def test_a_mistake_that_shows_only_then_is_told(house: House) -> None:
    wrong_config, no_job = house.plan(run_config={"rows": "x"}), house.plan(job="gone")
    house.clock.advance(61)
    house.look()
    assert house.stands(wrong_config).status is OneOffStatus.FAILED
    assert "rows" in (house.stands(wrong_config).note or "")
    assert "gone" in (house.stands(no_job).note or "")
    assert house.runs() == []


def test_a_run_that_cannot_be_stored_does_not_hold_up_the_others(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    refused, other = house.plan(tags={"no": "good"}), house.plan(due=START + 61)
    settle = house.storage.one_offs.settle

    def refuse(number: int, status: OneOffStatus, **given: Any) -> bool:
        if number == refused and status is OneOffStatus.LAUNCHED:
            raise StorageError("The database refuses the tag.")
        return settle(number, status, **given)

    monkeypatch.setattr(house.storage.one_offs, "settle", refuse)
    house.clock.advance(62)
    house.look()
    assert (house.stands(refused).status, house.stands(refused).note) == (
        OneOffStatus.FAILED,
        "The database refuses the tag.",
    )
    assert house.stands(other).status is OneOffStatus.LAUNCHED


def test_it_waits_for_the_database(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    number = house.plan()

    def away(*_: Any, **__: Any) -> bool:
        raise StorageUnavailableError("The database does not answer.")

    house.clock.advance(61)
    with monkeypatch.context() as patch:
        patch.setattr(house.storage.one_offs, "settle", away)
        with pytest.raises(StorageUnavailableError):
            house.look()
    assert house.stands(number).status is OneOffStatus.WAITING
    house.look()
    assert len(house.runs()) == 1


def test_it_waits_for_its_code(house: House) -> None:
    number = house.plan()
    house.storage.locations.forget(["shop"])
    house.clock.advance(61)
    assert house.look() == pytest.approx(2.0)
    assert house.stands(number).status is OneOffStatus.WAITING
    house.load()
    house.look()
    assert house.stands(number).status is OneOffStatus.LAUNCHED


def test_it_waits_for_a_code_server_that_must_be_asked(house: House) -> None:
    house.storage.assets.add_dynamic_partitions("files", ["a"])
    number = house.plan(job="by_file", partition="a", run_config={})
    house.server.answers = False
    house.clock.advance(61)
    assert house.look() == pytest.approx(2.0)
    house.server.answers = True
    house.look()
    assert house.stands(number).status is OneOffStatus.LAUNCHED
    (run,) = house.runs()
    assert (run.partition, run.tags["file"]) == ("a", "a")


def test_what_another_daemon_has_made_is_left_alone(house: House) -> None:
    number = house.plan()
    house.clock.advance(61)
    stale = house.storage.one_offs.waiting()
    house.look()
    house.storage.one_offs.waiting = lambda *, limit=100: stale  # type: ignore[method-assign]  # read before that
    house.look()
    assert len(house.runs()) == 1
    assert house.stands(number) == msgspec.structs.replace(house.stands(number), status=OneOffStatus.LAUNCHED)


def test_one_that_fails_over_something_else_does_not_hold_up_the_others(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, other = house.plan(tags={"no": "good"}), house.plan(due=START + 61)
    prepare = QueuedRunCoordinator.prepare

    def fail(self: QueuedRunCoordinator, run: NewRun) -> NewRun:
        if "no" in run.run.tags:
            raise KeyError("owner")
        return prepare(self, run)

    monkeypatch.setattr(QueuedRunCoordinator, "prepare", fail)
    house.clock.advance(62)
    house.look()
    assert house.stands(broken).status is OneOffStatus.FAILED
    assert house.stands(other).status is OneOffStatus.LAUNCHED
