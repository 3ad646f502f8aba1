"""Event types as users know them, and what an event says of itself."""

from __future__ import annotations

import pytest

from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    EVENT_TYPES,
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    EngineNote,
    Event,
    Fact,
    HandledOutput,
    HookSkipped,
    LoadedInput,
    LogLine,
    ResourceInitFailure,
    RunCanceled,
    RunFailure,
    RunSuccess,
    StepFailure,
    StepOutput,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
)
from penstock.records.event_type import STATUS_CHANGES, EventType
from penstock.records.keys import AssetKey
from penstock.records.run import TRANSITIONS, FailureReason

ERROR = ErrorInfo(cls="OSError", message="disk")
QUESTIONS = sorted(name for name in dir(Event) if name.startswith("is_") and name != "is_step_event")


def test_each_fact_has_an_event_type_but_a_line_of_user_code() -> None:
    assert {*EVENT_TYPES} - {*EventType} == {"LOG"}
    assert Event(time=0, fact=LogLine(level="INFO", message="hello")).event_type is None


def test_older_names_mean_the_same_types() -> None:
    older = {name: member for name, member in EventType.__members__.items() if name.startswith("PIPELINE_")}
    assert len(older) == 8
    assert all(member.value == name.replace("PIPELINE_", "RUN_") for name, member in older.items())


def test_each_state_that_an_event_leads_to_has_one_event() -> None:
    assert set(STATUS_CHANGES) == set(TRANSITIONS.values())
    for (_, event_type), status in TRANSITIONS.items():
        if event_type != EventType.RUN_RESUMED:  # a run starts once; who reacts to that is not called again
            assert STATUS_CHANGES[status] == event_type


@pytest.mark.parametrize(
    ("fact", "true"),
    [
        (StepStart(), {"is_step_start"}),
        (StepRestarted(retry=1), {"is_step_restarted"}),
        (StepUpForRetry(error=ERROR, retry=1), {"is_step_up_for_retry"}),
        (StepSuccess(seconds=1), {"is_step_success"}),
        (StepFailure(error=ERROR), {"is_step_failure", "is_failure"}),
        (StepSkipped(reason="r"), {"is_step_skipped"}),
        (StepOutput(output="o"), {"is_successful_output"}),
        (HandledOutput(output="o", io_manager="io"), {"is_handled_output"}),
        (LoadedInput(input="i", io_manager="io"), {"is_loaded_input"}),
        (ResourceInitFailure(resource="db", error=ERROR), {"is_resource_init_failure"}),
        (HookSkipped(hook="h"), {"is_hook_event"}),
        (EngineNote(message="m"), {"is_engine_event"}),
        (AssetMaterialization(asset="a"), {"is_step_materialization"}),
        (AssetMaterializationPlanned(asset="a"), {"is_asset_materialization_planned"}),
        (AssetObservation(asset="a"), {"is_asset_observation"}),
        (RunFailure(reason=FailureReason.STEP_FAILURE, message="m"), {"is_failure"}),
        (RunCanceled(), {"is_failure"}),
        (RunSuccess(), set()),
    ],
    ids=lambda given: type(given).__name__,
)
def test_an_event_says_what_it_is(fact: Fact, true: set[str]) -> None:
    event = Event(time=0, fact=fact)
    assert {name for name in QUESTIONS if getattr(event, name)} == true
    assert event.event_type == event.type


def test_an_event_says_what_it_is_about() -> None:
    event = Event(time=0, fact=AssetCheckEvaluation(asset="a/b", check="c", passed=True, partition="p"), step_key="s")
    assert (event.asset_key, event.partition, event.is_step_event) == (AssetKey(["a", "b"]), "p", True)
    assert event.message == "The check c of a/b [p] passed."
    failed = Event(time=0, fact=StepFailure(error=ERROR))
    assert (failed.error, failed.asset_key, failed.partition, failed.is_step_event) == (ERROR, None, None, False)
    line = Event(time=0, fact=LogLine(level="INFO", message="hello"), step_key="s")
    assert (line.is_step_event, line.message) == (False, "hello")
