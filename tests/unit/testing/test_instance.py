"""Instances and runs for tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from penstock import Instance, RunStatus, instance_for_test
from penstock.errors import SettingsError, UsageError
from penstock.launch.coordinators import ImmediateRunCoordinator, QueuedRunCoordinator
from penstock.records.run import TRANSITIONS
from penstock.testing import FakeClock, add_run

REACHED = [RunStatus.NOT_STARTED, *dict.fromkeys(TRANSITIONS.values())]


def test_an_instance_has_a_home_of_its_own_that_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_HOME", "/before")
    with instance_for_test() as instance:
        assert instance.home is not None
        assert os.environ["PENSTOCK_HOME"] == str(instance.home)
        run = add_run(instance, "nightly")
        with Instance.get() as same:
            assert same.get_run_by_id(run.run_id) == run
        assert isinstance(instance.coordinator, QueuedRunCoordinator)
    assert os.environ["PENSTOCK_HOME"] == "/before"
    assert not instance.home.exists()


def test_the_home_is_not_named_where_it_shall_not(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PENSTOCK_HOME", raising=False)
    with instance_for_test(set_home=False, temp_dir=tmp_path) as instance:
        assert "PENSTOCK_HOME" not in os.environ
        assert instance.home == tmp_path
    with instance_for_test():
        assert "PENSTOCK_HOME" in os.environ
    assert "PENSTOCK_HOME" not in os.environ
    assert (tmp_path / "penstock.db").exists()


def test_settings_are_those_of_the_file() -> None:
    with instance_for_test({"run_queue": {"max_concurrent_runs": 3}}, synchronous_run_coordinator=False) as instance:
        assert instance.settings.run_queue.max_concurrent_runs == 3
    with instance_for_test(synchronous_run_coordinator=True) as instance:
        assert isinstance(instance.coordinator, ImmediateRunCoordinator)
    with (
        pytest.raises(SettingsError, match="max_concurrent_run"),
        instance_for_test({"run_queue": {"max_concurrent_run": 3}}),
    ):
        pass
    with (
        pytest.raises(UsageError, match="leave synchronous_run_coordinator out"),
        instance_for_test({"run_coordinator": "queued"}, synchronous_run_coordinator=True),
    ):
        pass


def test_its_clock_can_be_moved() -> None:
    clock = FakeClock(5.0)
    with instance_for_test(clock=clock) as instance:
        first = add_run(instance, "nightly")
        clock.advance(10)
        assert (first.created, add_run(instance, "nightly").created) == (5.0, 15.0)


@pytest.mark.parametrize("status", REACHED)
def test_a_run_is_added_in_each_state(status: RunStatus) -> None:
    with Instance.ephemeral() as instance:
        run = add_run(instance, "nightly", status, tags={"a": "b"}, run_config={"x": 1}, partition_key="p", run_id="r")
        assert (run.status, run.job_name, run.run_config, run.partition, run.run_id) == (
            status,
            "nightly",
            {"x": 1},
            "p",
            "r",
        )
        assert run.tags["a"] == "b"


def test_a_state_that_nothing_leads_to_is_refused() -> None:
    with Instance.ephemeral() as instance, pytest.raises(UsageError, match="into the state MANAGED; give one of"):
        add_run(instance, "nightly", RunStatus.MANAGED)
