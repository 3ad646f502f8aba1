"""Messages become log lines, output and results; what cannot be understood is named."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from penstock import AssetCheckSeverity, AssetKey, MaterializeResult, OpExecutionContext, PipesMessageReader
from penstock.definitions.events import AssetCheckResult
from penstock.errors import UserCodeError
from penstock.execution.pipes.messages import PipesMessageHandler
from penstock_pipes.wire import PipesOpenedData, message

from .conftest import InStep, Logged


class NoReader(PipesMessageReader):
    """Reads nothing; a test hands messages over."""

    def __init__(self, writers: int = 1) -> None:
        self.writers = writers
        self.opened: list[Any] = []

    @contextmanager
    def read_messages(self, handler: PipesMessageHandler) -> Iterator[Mapping[str, Any]]:
        yield {}

    @property
    def expected_writer_count(self) -> int:
        return self.writers

    def on_opened(self, opened_payload: PipesOpenedData) -> None:
        self.opened.append(opened_payload)


def state(handler: PipesMessageHandler) -> tuple[bool, bool]:
    """Whether the process has begun, and ended, as far as it has said."""
    return handler.received_opened_message, handler.received_closed_message


Take = Callable[[Callable[[PipesMessageHandler], object]], Logged]


@pytest.fixture
def take(in_op: InStep) -> Take:
    """Calls a function with the handler of a step; gives the log."""

    def run(work: Callable[[PipesMessageHandler], object]) -> Logged:
        def step(context: OpExecutionContext) -> None:
            work(PipesMessageHandler(context, NoReader()))

        return in_op(step)

    return run


def test_reports_become_results_in_their_order(take: Take) -> None:
    def work(handler: PipesMessageHandler) -> None:
        handler.handle_message(message("report_asset_check", {"asset_key": "a/b", "check_name": "c", "passed": False}))
        handler.handle_message(message("report_asset_materialization", {"asset_key": "a/b", "metadata": {"n": 1}}))
        handler.handle_message(message("report_custom_message", {"payload": [1]}))
        check, made = handler.get_reported_results()
        assert isinstance(check, AssetCheckResult)
        assert (check.asset_key, check.check_name, check.passed) == (AssetKey(["a", "b"]), "c", False)
        assert check.severity is AssetCheckSeverity.ERROR
        assert isinstance(made, MaterializeResult)
        assert made.metadata["n"].value == 1
        assert handler.get_custom_messages() == ([1],)
        handler.raise_faults()

    assert take(work) == []


def test_log_lines_keep_their_level(take: Take) -> None:
    def work(handler: PipesMessageHandler) -> None:
        for level in ("DEBUG", "WARNING", "CRITICAL", "Level 15"):
            handler.handle_message(message("log", {"message": f"100% {level}", "level": level}))

    assert take(work) == [
        ("DEBUG", "100% DEBUG"),
        ("WARNING", "100% WARNING"),
        ("CRITICAL", "100% CRITICAL"),
        ("INFO", "100% Level 15"),
    ]


def test_output_goes_to_the_streams_of_the_step(take: Take, capfd: pytest.CaptureFixture[str]) -> None:
    def work(handler: PipesMessageHandler) -> None:
        for stream in ("stdout", "stderr", "spark"):
            handler.handle_message(message("log_external_stream", {"stream": stream, "text": f"{stream}\n"}))

    assert take(work) == [("INFO", "spark: spark")]
    assert capfd.readouterr() == ("stdout\n", "stderr\n")


def test_the_begin_and_the_end_are_known(take: Take) -> None:
    def work(handler: PipesMessageHandler) -> None:
        assert state(handler) == (False, False)
        handler.handle_message(message("opened", {"extras": {"pid": 1}}))
        assert state(handler) == (True, False)
        handler.handle_message(message("closed", {}))
        assert state(handler) == (True, True)
        assert handler.exception is None

    take(work)


def test_with_several_processes_all_have_to_end(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        reader = NoReader(writers=2)
        handler = PipesMessageHandler(context, reader)
        handler.handle_message(message("opened", {"extras": {"n": 1}}))
        handler.handle_message(message("closed", {}))
        assert state(handler) == (True, False)
        handler.handle_message(message("closed", None))
        assert state(handler) == (True, True)
        assert reader.opened == [{"extras": {"n": 1}}]

    in_op(work)


def test_what_a_process_raised_is_shown_with_its_frames(take: Take) -> None:
    raised: dict[str, Any] = {
        "name": "ValueError",
        "message": "ValueError: no rows\n",
        "stack": ['  File "a.py", line 3, in load\n    go()\n', "at java.lang.Thread\n"],
        "cause": {"name": "KeyError", "message": "KeyError: 'k'", "stack": [], "cause": None, "context": None},
        "context": None,
    }

    def work(handler: PipesMessageHandler) -> None:
        handler.handle_message(message("closed", {"exception": raised}))
        error = handler.exception
        assert error is not None
        assert (error.cls, error.message) == ("ValueError", "no rows\nat java.lang.Thread")
        (frame,) = error.frames
        assert (frame.file, frame.line, frame.function, frame.code) == ("a.py", 3, "load", "go()")
        assert error.cause is not None
        assert error.cause.cls == "KeyError"

    assert take(work) == [("ERROR", "The external process failed.")]


def test_an_exception_of_another_shape_is_shown_as_it_is(take: Take) -> None:
    def work(handler: PipesMessageHandler) -> None:
        handler.handle_message(message("closed", {"exception": "out of memory"}))
        assert handler.exception is not None
        assert handler.exception.message == "out of memory"

    take(work)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"__dagster_pipes_version": "0.1", "meth', "is no message"),
        ("hello", "is no message"),
        (b"\xff", "is no message"),
        ('{"a": 1}', "is no message"),
        ('{"__dagster_pipes_version": "0.1", "method": "dance", "params": {}}', "unknown method 'dance'"),
        ('{"__dagster_pipes_version": "9.0", "method": "log", "params": {"message": "x"}}', "version '9.0'"),
        ('{"__dagster_pipes_version": "0.1", "method": "log", "params": {}}', "`message`"),
    ],
    ids=["torn", "text", "bytes", "json", "method", "version", "params"],
)
def test_other_lines_are_named_in_the_log_and_do_no_harm(take: Take, line: str | bytes, told: str) -> None:
    def work(handler: PipesMessageHandler) -> None:
        handler.handle_line(line)
        handler.handle_line("\n")
        handler.raise_faults()

    ((level, text),) = take(work)
    assert level == "WARNING"
    assert told in text


@pytest.mark.parametrize(
    "params",
    [
        {"metadata": {}},
        {"asset_key": "a", "metadata": {"rows": {"type": "int", "raw_value": "x"}}},
        {"asset_key": ""},
    ],
    ids=["no-key", "metadata", "bad-key"],
)
def test_a_report_that_cannot_be_taken_fails_the_session_at_its_end(take: Take, params: dict[str, Any]) -> None:
    def work(handler: PipesMessageHandler) -> None:
        handler.handle_line(json.dumps(message("report_asset_materialization", params)))
        handler.handle_line(json.dumps(message("report_asset_check", params)))
        assert handler.get_reported_results() == ()
        with pytest.raises(UserCodeError, match=r"report_asset_materialization .*cannot be taken.*\(1 more are in"):
            handler.raise_faults()

    assert [level for level, _ in take(work)] == ["ERROR", "ERROR"]


def test_something_else_than_a_message_is_named(take: Take) -> None:
    ((level, text),) = take(lambda handler: handler.handle_message({"x": 1}))  # type: ignore[typeddict-item,typeddict-unknown-key]
    assert (level, "sent no message" in text) == ("WARNING", True)
