"""Output among the events of real runs: in order, each line once; and a run whose output cannot be captured goes on."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import async_executor, execute_job, in_process_executor, job, op
from penstock.instance.instance import Instance
from penstock.logs.local import LocalLogStore
from penstock.logs.merged import OutputLine, merged_page
from penstock.records.event import EngineNote, LogLine, StepSuccess


@op
def talks(context: Any) -> None:
    os.write(1, b"one\n")
    context.log.info("told")
    os.write(2, b"two\n")


@job(executor_def=in_process_executor)
def talking() -> None:
    talks()


@op
async def talks_in_a_loop(context: Any) -> None:
    os.write(1, b"one\n")
    context.log.info("told")
    os.write(2, b"two\n")


@job(executor_def=async_executor)
def talking_in_a_loop() -> None:
    talks_in_a_loop()


def said(instance: Instance, run_id: str) -> list[str]:
    """What the step printed and logged, in the order of the merged log."""
    page = merged_page(instance.storage.events, instance.logs, run_id, is_over=True)
    lines = []
    for entry in page.entries:
        if isinstance(entry, OutputLine):
            lines.append(f"{entry.stream}: {entry.text}")
        elif isinstance(entry.event.fact, LogLine):
            lines.append(entry.event.fact.message)
    return lines


def test_output_stands_among_what_the_step_tells() -> None:
    with Instance.ephemeral() as instance:
        result = execute_job(talking, instance)
        assert said(instance, result.run_id) == ["stdout: one", "told", "stderr: two"]


def test_so_it_does_where_steps_share_a_loop() -> None:
    with Instance.ephemeral() as instance:
        result = execute_job(talking_in_a_loop, instance)
        assert said(instance, result.run_id) == ["stdout: one", "told", "stderr: two"]


def test_what_the_console_logger_prints_of_an_event_is_there_once(monkeypatch: pytest.MonkeyPatch) -> None:
    config = {"loggers": {"console": {"config": {"log_level": "INFO"}}}}
    # Under the test runner sys.stderr is in memory; a run's own process has one that writes to the descriptor.
    with Instance.ephemeral() as instance, open(2, "w", buffering=1, closefd=False) as stream:
        with monkeypatch.context() as patched:
            patched.setattr(sys, "stderr", stream)
            result = execute_job(talking, instance, run_config=config)
        (key,) = instance.logs.keys(result.run_id)
        assert b"told" in instance.logs.read(key, "stderr")[0]
        assert said(instance, result.run_id) == ["stdout: one", "told", "stderr: two"]


def test_a_run_whose_output_cannot_be_captured_goes_on(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where a folder should be")
    with Instance.ephemeral() as instance:
        instance.logs = LocalLogStore(tmp_path / "taken" / "logs")
        result = execute_job(talking, instance)
        facts = [each.event.fact for each in instance.storage.events.of_run(result.run_id)]
    assert any(isinstance(fact, StepSuccess) for fact in facts)
    assert any(isinstance(fact, EngineNote) and "is not captured" in fact.message for fact in facts)
