"""Each fact has one plain sentence and a level."""

from __future__ import annotations

import re

import msgspec
import pytest

from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    EVENT_TYPES,
    AssetCheckEvaluation,
    AssetMaterialization,
    EngineNote,
    Event,
    Fact,
    LogLine,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunStart,
    StepFailure,
    StepOutput,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
)
from penstock.records.phrases import level_of, phrase, phrase_seconds
from penstock.records.run import FailureReason

_ERROR = ErrorInfo(cls="StepError", message="outer", cause=ErrorInfo(cls="OSError", message="disk gone"))

_SMALLEST: dict[str, object] = {
    "state": "FAIL",
    "previous": "PASS",
    "reason": "r",
    "message": "m",
    "pid": 1,
    "log_key": ["k"],
    "steps": ["s"],
    "resources": ["db"],
    "seconds": 1.0,
    "resource": "db",
    "error": {"cls": "E", "message": "m"},
    "retry": 1,
    "input": "i",
    "output": "o",
    "io_manager": "io",
    "hook": "h",
    "asset": "a",
    "check": "c",
    "passed": True,
    "level": "INFO",
}


def _smallest(event_type: str) -> Event:
    fields = dict(_SMALLEST)
    if event_type == "RUN_FAILURE":
        fields["reason"] = "UNKNOWN"
    if event_type == "RESOURCE_INIT_SUCCESS":
        fields["seconds"] = {"db": 0.5}
    return msgspec.convert({"time": 0.0, "fact": {"type": event_type, **fields}}, Event)


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_fact_has_a_sentence_and_a_level(event_type: str) -> None:
    event = _smallest(event_type)
    assert event.type == event_type
    text = phrase(event)
    assert level_of(event) in ("DEBUG", "INFO", "WARNING", "ERROR")
    if not isinstance(event.fact, LogLine | EngineNote):
        assert re.fullmatch(r"[A-Z].*[.!?]", text)
        assert "None" not in text
        assert ".." not in text


@pytest.mark.parametrize(
    ("fact", "step", "level", "text"),
    [
        (RunEnqueued(), None, "INFO", "The run was put into the queue."),
        (RunEnqueued(reason="no answer"), None, "INFO", "The run was put back into the queue: no answer."),
        (
            RunStart(pid=7, executor="multiprocess"),
            None,
            "INFO",
            "The run began in process 7 with the multiprocess executor.",
        ),
        (
            RunFailure(reason=FailureReason.STEP_FAILURE, message="Steps failed", failed_steps=tuple("abcdefg")),
            None,
            "ERROR",
            "The run failed. Steps failed.",
        ),
        (RunCanceling(actor="ann"), None, "INFO", "ann asked the run to stop."),
        (RunCanceled(), None, "ERROR", "The run was canceled."),
        (StepStart(), "load", "INFO", "Began load."),
        (StepSuccess(seconds=0.25), "load", "INFO", "Finished load in 250 ms."),
        (StepFailure(error=_ERROR), "load", "ERROR", "load failed with OSError: disk gone."),
        (StepFailure(error=ErrorInfo(cls="KeyError", message="")), "load", "ERROR", "load failed with KeyError."),
        (StepFailure(error=_ERROR, source="INTERRUPT"), "load", "ERROR", "load was interrupted. outer."),
        (
            StepUpForRetry(error=_ERROR, retry=2, wait=90.0),
            "load",
            "WARNING",
            "load failed with OSError; retry 2 follows in 1 min 30 s.",
        ),
        (StepSkipped(reason="No rows"), "load", "INFO", "Skipped load: No rows."),
        (
            StepOutput(output="file", mapping_key="a", type_name="Path"),
            "ls",
            "DEBUG",
            "Gave the output file[a] of type Path.",
        ),
        (AssetMaterialization(asset="a/b", partition="x"), "s", "INFO", "Made a/b [x]."),
        (AssetCheckEvaluation(asset="a", check="c", passed=True), "s", "INFO", "The check c of a passed."),
        (
            AssetCheckEvaluation(asset="a", check="c", passed=False, severity="WARN", description="3 rows"),
            "s",
            "WARNING",
            "The check c of a did not pass. 3 rows.",
        ),
        (AssetCheckEvaluation(asset="a", check="c", passed=False), "s", "ERROR", "The check c of a did not pass."),
        (LogLine(level="CRITICAL", message="users' own\ntext"), "s", "CRITICAL", "users' own\ntext"),
        (EngineNote(message="note"), None, "INFO", "note"),
        (EngineNote(message="note", error=_ERROR), None, "ERROR", "note"),
    ],
)
def test_sentences(fact: Fact, step: str | None, level: str, text: str) -> None:
    event = Event(time=0.0, fact=fact, step_key=step)
    assert (level_of(event), phrase(event)) == (level, text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "0 ms"),
        (0.85, "850 ms"),
        (0.9996, "1.0 s"),
        (12.34, "12.3 s"),
        (59.96, "1 min 0 s"),
        (245.2, "4 min 5 s"),
        (3599.7, "1 h 0 min"),
        (7380.0, "2 h 3 min"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert phrase_seconds(seconds) == text
