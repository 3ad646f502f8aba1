"""Old output is removed in small steps, that of runs that go on never; a command says which it would be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.instance import instance as command
from penstock.daemon import log_retention
from penstock.daemon.log_retention import LogRetentionDuty
from penstock.ids import created_at
from penstock.instance.instance import Instance
from penstock.instance.log_retention import DAY
from penstock.logs.store import log_key
from penstock.records.event import RunSuccess
from penstock.records.lease import Lease
from penstock.testing.clock import FakeClock
from penstock.testing.storage_contract.builders import events_from, started_run
from support.held import whole

HELD = whole(Lease(name="log_retention", holder="d", epoch=1, until=1e12))


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with Instance.open(tmp_path) as opened:
        yield opened


def made(instance: Instance, *, ended: bool) -> tuple[str, float]:
    """A run whose step has printed, and when it was made."""
    run_id = started_run(instance.storage).run_id
    created = created_at(run_id)
    assert created is not None
    if ended:
        instance.storage.events.append(run_id, 1, events_from(2, [RunSuccess()], at=created + DAY), now=created + DAY)
    left(instance, run_id)
    return run_id, created


def left(instance: Instance, run_id: str) -> None:
    assert instance.logs.files is not None
    path = instance.logs.files.path(log_key(run_id, "a"), "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("x")


def duty_of(instance: Instance, clock: FakeClock, days: int = 30) -> LogRetentionDuty:
    return LogRetentionDuty(instance.logs, instance.storage.runs, days=days, clock=clock)


def test_output_goes_once_its_run_has_ended_long_ago(instance: Instance) -> None:
    ended, created = made(instance, ended=True)
    going, _ = made(instance, ended=False)
    deleted, _ = made(instance, ended=True)
    instance.storage.runs.delete(deleted)
    clock = FakeClock(created + 30.5 * DAY)
    duty = duty_of(instance, clock)
    duty.tick(HELD)
    assert list(instance.logs.runs()) == sorted([ended, going])  # of the deleted one it is the making that counts
    clock.advance(DAY)
    duty.tick(HELD)
    assert list(instance.logs.runs()) == [going]
    assert instance.storage.runs.get(ended) is not None


def test_it_is_done_in_small_steps_once_an_hour(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_retention, "_AT_ONCE", 2)
    runs = [made(instance, ended=True) for _ in range(3)]
    clock = FakeClock(runs[-1][1] + 40 * DAY)
    duty = duty_of(instance, clock)
    assert duty.tick(HELD) == 0.0
    assert len(list(instance.logs.runs())) == 1
    assert duty.tick(HELD) == 3600.0
    left(instance, runs[0][0])
    clock.advance(3599)
    assert duty.tick(HELD) == pytest.approx(1.0)
    clock.advance(1)
    duty.tick(HELD)
    assert list(instance.logs.runs()) == []


def test_it_may_be_kept_for_ever(instance: Instance) -> None:
    run_id, created = made(instance, ended=True)
    assert duty_of(instance, FakeClock(created + 9999 * DAY), days=-1).tick(HELD) is None
    assert list(instance.logs.runs()) == [run_id]


def test_the_command_says_what_it_would_remove_and_removes_it(instance: Instance) -> None:
    run_id, _ = made(instance, ended=False)
    instance.storage.events.append(run_id, 1, events_from(2, [RunSuccess()]), now=1.0)

    def asked(*flags: str) -> str:
        found = CliRunner().invoke(command, ["purge-logs", "--home", str(instance.home), *flags])
        assert found.exit_code == 0, found.output
        return found.output

    assert run_id not in asked("--dry-run", "--days", "99999")
    assert "Would be removed: what the steps of 1 runs" in asked("--dry-run")
    assert list(instance.logs.runs()) == [run_id]
    assert run_id in asked("--days", "0")
    assert list(instance.logs.runs()) == []


def test_deleting_a_run_removes_what_it_printed(instance: Instance) -> None:
    run_id, _ = made(instance, ended=True)
    instance.delete_run(run_id)
    assert list(instance.logs.runs()) == []
