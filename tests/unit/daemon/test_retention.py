"""What is too old is removed in small steps, once an hour; a daemon that takes over goes on; a report tells of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.daemon.retention import RetentionDuty
from penstock.engine.retention import DAY
from penstock.ids import created_at
from penstock.instance.instance import Instance
from penstock.instance.retention import Sweeper, last_report
from penstock.logs.store import log_key
from penstock.records.automation import Tick, TickStatus
from penstock.records.backfill import BackfillStatus
from penstock.records.event import RunSuccess
from penstock.records.lease import Lease
from penstock.records.retention import KindReport
from penstock.storage.archive import Archived
from penstock.storage.protocols import BackfillAdvance, BackfillFilter
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.backfills import added_backfill, backfill_lease
from penstock.testing.storage_contract.builders import NOW, events_from, started_run
from support.held import whole

HELD = whole(Lease(name="retention", holder="d", epoch=1, until=1e12))
NEVER = {
    kind: {"purge_after_days": -1}
    for kind in (
        "events",
        "runs",
        "schedule",
        "sensor",
        "evaluations",
        "acts",
        "compute_logs",
    )
}


def opened(home: Path, retention: Mapping[str, Any]) -> Instance:
    return Instance.local_temp(home, {"retention": {**NEVER, **retention}})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with opened(tmp_path, {"compute_logs": {"purge_after_days": 30}, "sensor": {"purge_after_days": 10}}) as found:
        yield found


def duty_of(instance: Instance, clock: FakeClock) -> RetentionDuty:
    sweeper = Sweeper(instance.storage, instance.logs, clock)
    return RetentionDuty(sweeper, instance.settings.retention.rules, instance.storage, clock=clock)


def whole_look(duty: RetentionDuty) -> int:
    """Tick until it rests for an hour; gives how many ticks that took."""
    ticks = 1
    while duty.tick(HELD) != 3600.0:
        ticks += 1
    return ticks


def made(instance: Instance, *, ended: bool = True) -> tuple[str, float]:
    """A run whose step has printed, and when it was made; it ends a day later."""
    run_id = started_run(instance.storage).run_id
    created = created_at(run_id)
    assert created is not None
    if ended:
        instance.storage.events.append(run_id, 1, events_from(2, [RunSuccess()], at=created + DAY), now=created + DAY)
    printed(instance, run_id)
    return run_id, created


def printed(instance: Instance, run_id: str) -> None:
    assert instance.logs.files is not None
    path = instance.logs.files.path(log_key(run_id, "a"), "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("x")


def ticked(instance: Instance, *days: float) -> None:
    assert isinstance(instance.storage, Archived)
    instance.storage.archive.load_ticks(
        [
            Tick(instigator="shop/sensor/s", due=at, started=at, ended=at, status=TickStatus.SKIPPED)
            for at in (NOW + day * DAY for day in days)
        ]
    )


def ticks_left(instance: Instance) -> int:
    return len(instance.storage.instigators.ticks("shop/sensor/s", limit=10_000))


def reported(instance: Instance) -> dict[str, KindReport]:
    report = last_report(instance.storage)
    assert report is not None
    return {each.kept.kind: each for each in report.kinds}


def test_output_goes_once_its_run_has_ended_long_ago(instance: Instance) -> None:
    ended, created = made(instance)
    going, _ = made(instance, ended=False)
    deleted, _ = made(instance)
    instance.storage.runs.delete(deleted)
    clock = FakeClock(created + 30.5 * DAY)
    whole_look(duty_of(instance, clock))
    assert list(instance.logs.runs()) == sorted([ended, going])  # of the deleted one it is the making that counts
    clock.advance(DAY)
    whole_look(duty_of(instance, clock))
    assert list(instance.logs.runs()) == [going]
    assert instance.storage.runs.get(ended) is not None


def test_it_looks_once_an_hour(instance: Instance) -> None:
    run_id, created = made(instance)
    clock = FakeClock(created + 40 * DAY)
    duty = duty_of(instance, clock)
    whole_look(duty)
    printed(instance, run_id)
    clock.advance(3599)
    assert duty.tick(HELD) == pytest.approx(1.0)
    clock.advance(1)
    whole_look(duty)
    assert list(instance.logs.runs()) == []


def test_what_is_much_goes_in_steps_and_a_successor_goes_on(instance: Instance) -> None:
    ticked(instance, *(n / 1000 for n in range(3000)), 50)
    clock = FakeClock(NOW + 50 * DAY)
    duty = duty_of(instance, clock)
    for _ in range(2):  # events come before ticks
        rest = duty.tick(HELD)
        assert rest is not None
        assert 0 < rest < 1
    assert 1 < ticks_left(instance) < 3001
    assert reported(instance)["ticks"].going == 3000
    whole_look(duty_of(instance, clock))
    assert ticks_left(instance) == 1


def test_everything_may_be_kept_for_ever(tmp_path: Path) -> None:
    with opened(tmp_path, {}) as instance:
        run_id, created = made(instance)
        ticked(instance, 0, 1)
        clock = FakeClock(created + 9999 * DAY)
        assert whole_look(duty_of(instance, clock)) == 1
        assert list(instance.logs.runs()) == [run_id]
        assert ticks_left(instance) == 2
        assert instance.storage.events.of_run(run_id)
        assert {each.rule for each in reported(instance).values()} >= {"for ever"}


def test_old_runs_go_with_all_of_theirs(tmp_path: Path) -> None:
    with opened(tmp_path, {"runs": {"purge_after_days": 30}}) as instance:
        old, created = made(instance)
        going, _ = made(instance, ended=False)
        whole_look(duty_of(instance, FakeClock(created + 32 * DAY)))
        assert instance.storage.runs.get(old) is None
        assert instance.storage.events.of_run(old) == []
        assert instance.storage.runs.get(going) is not None
        assert list(instance.logs.runs()) == [going]


def test_old_backfills_go_when_their_runs_would(tmp_path: Path) -> None:
    with opened(tmp_path, {"runs": {"purge_after_days": 30}}) as instance:
        backfills = instance.storage.backfills
        many = [added_backfill(instance.storage) for _ in range(12)]
        young, unended = added_backfill(instance.storage), added_backfill(instance.storage)
        end = BackfillAdvance(status=BackfillStatus.COMPLETED_SUCCESS)
        lease = backfill_lease(instance.storage)
        for each in many:
            backfills.advance(each.backfill_id, end, lease=lease, now=NOW)
        backfills.advance(young.backfill_id, end, lease=lease, now=NOW + 2 * DAY)
        whole_look(duty_of(instance, FakeClock(NOW + 31 * DAY)))
        left = {each.backfill_id for each in backfills.page(BackfillFilter(), limit=20)}
        assert left == {young.backfill_id, unended.backfill_id}


def test_what_was_done_is_told_in_a_line_and_in_the_report(
    instance: Instance, caplog: pytest.LogCaptureFixture
) -> None:
    ticked(instance, 0, 1, 2, 3, 45)
    _, created = made(instance)
    clock = FakeClock(created + 50 * DAY)
    with caplog.at_level(logging.INFO, "penstock.daemon.retention"):
        whole_look(duty_of(instance, clock))
    assert [record.getMessage() for record in caplog.records] == [
        "removed 4 ticks from before 2023-12-24",
        "removed 1 run's output from before 2023-12-04",
    ]
    report = last_report(instance.storage)
    assert report is not None
    assert (report.looked, report.done) == (clock.now(), clock.now())
    kinds = reported(instance)
    assert list(kinds) == ["events", "runs", "ticks", "evaluations", "acts", "compute_logs"]
    ticks = kinds["ticks"]
    assert (ticks.rule, ticks.removed, ticks.going) == ("schedules for ever, sensors 10 days", 4, 0)
    assert (ticks.kept.rows, ticks.kept.oldest, ticks.next) == (1, NOW + 45 * DAY, NOW + 55 * DAY)
    assert kinds["runs"].kept.rows == 1
    assert (kinds["compute_logs"].removed, kinds["compute_logs"].kept.rows) == (1, 0)
