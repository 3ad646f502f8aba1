"""The event log as users read it."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from penstock import AssetKey, AssetMaterialization, AssetObservation, EventLogEntry, EventType, Instance, RunStatus
from penstock.execution.event_log import read_records
from penstock.records.errors import ErrorInfo
from penstock.records.event import Event, LogLine, StepFailure
from penstock.testing import FakeClock, add_run


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral(clock=FakeClock(100.0)) as opened:
        yield opened


def test_an_entry_tells_event_run_and_job(instance: Instance) -> None:
    error = ErrorInfo(cls="OSError", message="disk")
    failure = Event(time=99, fact=StepFailure(error=error), step_key="load")
    run = add_run(instance, "nightly", RunStatus.FAILURE, facts=[failure])
    (record,) = read_records(instance.storage, instance.storage.events.of_types(["STEP_FAILURE"]))
    entry = record.event_log_entry
    assert (entry.run_id, entry.job_name, entry.step_key, entry.timestamp) == (run.run_id, "nightly", "load", 99)
    assert (entry.level, entry.error_info, entry.event_type) == (logging.ERROR, error, EventType.STEP_FAILURE)
    assert entry.is_event
    assert entry.get_event().fact == failure.fact
    assert entry.message == "load failed with OSError: disk."
    assert (record.run_id, record.timestamp, record.event_type) == (run.run_id, 99, EventType.STEP_FAILURE)
    assert (record.asset_key, record.partition_key, record.asset_event) == (None, None, None)


def test_a_line_that_user_code_logged_is_no_event(instance: Instance) -> None:
    run = add_run(instance, "nightly", facts=[LogLine(level="WARNING", message="careful")])
    (entry,) = [each for each in instance.all_logs(run.run_id) if not each.is_event]
    assert (entry.user_message, entry.message, entry.level) == ("careful", "careful", logging.WARNING)
    assert (entry.event_type, entry.asset_key, entry.partition_key, entry.asset_materialization) == (None,) * 4
    with pytest.raises(ValueError, match="ask is_event first"):
        entry.get_event()


@pytest.mark.parametrize("kind", [AssetMaterialization, AssetObservation])
def test_what_was_reported_comes_back_as_it_was(
    instance: Instance, kind: type[AssetMaterialization] | type[AssetObservation]
) -> None:
    told = kind(["a", "b"], description="d", metadata={"rows": 3}, partition="p", tags={"t": "1"})
    instance.report_runless_asset_event(told)
    key = AssetKey(["a", "b"])
    fetch = instance.fetch_materializations if kind is AssetMaterialization else instance.fetch_observations
    (record,) = fetch(key, limit=5).records
    assert (record.asset_key, record.partition_key, record.run_id, record.timestamp) == (key, "p", "", 100.0)
    found = record.asset_event
    assert isinstance(found, kind)
    for name in ("asset_key", "description", "metadata", "partition", "tags"):
        assert getattr(found, name) == getattr(told, name)
    other = record.asset_observation if kind is AssetMaterialization else record.asset_materialization
    assert other is None


def test_an_entry_can_be_made_for_a_test() -> None:
    event = Event(time=1, fact=LogLine(level="INFO", message="m"))
    entry = EventLogEntry(None, logging.INFO, "", "run", 1.0, event=event)
    assert (entry.message, entry.asset_check_evaluation) == ("m", None)
