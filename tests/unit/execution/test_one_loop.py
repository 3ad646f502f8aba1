"""Coroutines of a run's steps share one event loop; plain functions hold none of them up."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from penstock.definitions.events import DynamicOutput, Output
from penstock.definitions.executors import async_executor
from penstock.definitions.ops.job import JobDefinition, job
from penstock.definitions.ops.op import op
from penstock.definitions.ops.ports import DynamicOut, In, Out
from penstock.definitions.ops.retry import RetryPolicy
from penstock.definitions.ops.types import Nothing
from penstock.execution.api import execute_job
from penstock.execution.job_result import JobExecutionResult
from penstock.execution.log import get_logger
from penstock.execution.one_loop import OUTPUT
from penstock.instance.instance import Instance
from penstock.logs.store import log_key
from penstock.records.event import LogLine, LogsCaptured, StepFailure, StepUpForRetry

LIMIT = 20.0
"""Seconds after which a meeting is taken to have failed."""


class Meeting:
    """Where steps wait for each other, and how many are there at once."""

    def __init__(self, of: int = 2) -> None:
        self.barrier = asyncio.Barrier(of)
        self.there = 0
        self.most = 0
        self.loops: set[int] = set()
        self.noted: list[str] = []

    async def all(self) -> None:
        """Wait until all are there."""
        self.loops.add(id(asyncio.get_running_loop()))
        await asyncio.wait_for(self.barrier.wait(), LIMIT)

    def __enter__(self) -> None:
        self.there += 1
        self.most = max(self.most, self.there)

    def __exit__(self, *failure: object) -> None:
        self.there -= 1


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as made:
        yield made


def run(work: JobDefinition, instance: Instance | None = None, **config: Any) -> JobExecutionResult:
    given = {"execution": {"config": config}} if config else {}
    return execute_job(work, instance, run_config=given)


def failures(result: JobExecutionResult) -> dict[str | None, StepFailure]:
    return {each.step_key: each.fact for each in result.all_events if isinstance(each.fact, StepFailure)}


def test_coroutines_of_steps_meet_in_one_loop() -> None:
    meeting = Meeting(3)

    @op
    async def comes() -> int:
        await meeting.all()
        return 1

    @op
    async def sums(numbers: list[int]) -> int:
        return sum(numbers)

    @job(executor_def=async_executor)
    def work() -> None:
        sums([comes.alias(f"comes_{number}")() for number in range(3)])

    with run(work) as result:
        assert result.success
        assert result.output_for_node("sums") == 3
    assert len(meeting.loops) == 1


@pytest.mark.parametrize(
    "config",
    [{"max_concurrent": 1}, {"tag_concurrency_limits": [{"key": "api", "limit": 1}]}],
    ids=["in all", "by tag"],
)
def test_no_more_than_the_limit_run_at_once(config: dict[str, Any]) -> None:
    meeting = Meeting()

    @op(tags={"api": "slow"})
    async def careful() -> None:
        with meeting:
            for _ in range(3):
                await asyncio.sleep(0)  # gives way to whatever else could run

    @job(executor_def=async_executor)
    def work() -> None:
        for number in range(4):
            careful.alias(f"careful_{number}")()

    assert run(work, **config).success
    assert meeting.most == 1


def test_a_plain_function_holds_up_no_coroutine() -> None:
    came, gone = threading.Event(), threading.Event()

    @op
    def plain() -> None:
        came.set()
        assert gone.wait(LIMIT)

    @op
    async def lets_go() -> None:
        while not came.is_set():
            await asyncio.sleep(0)
        gone.set()

    @job(executor_def=async_executor)
    def work() -> None:
        plain()
        lets_go()

    assert run(work).success


def test_plain_functions_run_one_at_a_time_in_the_order_of_the_scheduler() -> None:
    meeting = Meeting()

    @op
    def plain(context: Any) -> None:
        with meeting:
            meeting.noted.append(context.step_key)

    @job(executor_def=async_executor)
    def work() -> None:
        for number in range(5):
            plain.alias(f"plain_{number}")()

    assert run(work).success
    assert meeting.most == 1
    assert meeting.noted == [f"plain_{number}" for number in range(5)]


def test_a_step_that_takes_too_long_is_cancelled_and_the_others_go_on() -> None:
    noted: list[str] = []
    over = asyncio.Event()

    @op(timeout=0.05)
    async def late() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            noted.append("late was cancelled")
            over.set()

    @op
    async def in_time() -> None:
        await asyncio.wait_for(over.wait(), LIMIT)

    @job(executor_def=async_executor)
    def work() -> None:
        late()
        in_time()

    result = run(work)
    assert {key: each.error.cls for key, each in failures(result).items()} == {"late": "StepTimeoutError"}
    assert "ran longer than its timeout of 0.05 s" in failures(result)["late"].error.message
    assert noted == ["late was cancelled"]


def test_a_coroutine_that_goes_on_is_cancelled_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.execution.coroutines._AGAIN", 0.01)
    swallowed: list[int] = []

    @op(timeout=0.01)
    async def stubborn() -> None:
        while len(swallowed) < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                swallowed.append(1)
        await asyncio.Event().wait()

    @job(executor_def=async_executor)
    def work() -> None:
        stubborn()

    assert failures(run(work))["stubborn"].error.cls == "StepTimeoutError"
    assert len(swallowed) == 2


def test_retries_are_waited_for_while_others_run() -> None:
    @op(retry_policy=RetryPolicy(max_retries=2, delay=0.01))
    async def lucky(context: Any) -> int:
        if context.retry_number < 2:
            raise ValueError("not yet")
        return 7

    @job(executor_def=async_executor)
    def work() -> None:
        lucky()

    with run(work) as result:
        assert result.output_for_node("lucky") == 7
        assert len([each for each in result.all_events if isinstance(each.fact, StepUpForRetry)]) == 2
    assert not run(work, retries={"disabled": {}}).success


def test_an_async_generator_gives_its_outputs_and_is_cleaned_up() -> None:
    noted: list[str] = []

    @op(out=DynamicOut(int))
    async def several() -> AsyncIterator[DynamicOutput[int]]:
        try:
            for number in range(3):
                await asyncio.sleep(0)
                yield DynamicOutput(number, mapping_key=f"k{number}")
        finally:
            await asyncio.sleep(0)
            noted.append("cleaned up")

    @op
    async def double(number: int) -> int:
        return number * 2

    @op
    def total(numbers: list[int]) -> int:
        return sum(numbers)

    @job(executor_def=async_executor)
    def work() -> None:
        total(several().map(double).collect())

    with run(work) as result:
        assert result.output_for_node("total") == 6
    assert noted == ["cleaned up"]


def test_an_async_generator_whose_output_is_refused_is_cleaned_up() -> None:
    noted: list[str] = []

    @op(out=Out(int))
    async def wrong() -> AsyncIterator[Output[Any]]:
        try:
            yield Output("text")
        finally:
            await asyncio.sleep(0)
            noted.append("cleaned up")

    @job(executor_def=async_executor)
    def work() -> None:
        wrong()

    assert failures(run(work)).keys() == {"wrong"}
    assert noted == ["cleaned up"]


@pytest.mark.parametrize("error", [KeyError("no"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()])
def test_what_a_coroutine_raises_is_the_end_of_its_step_alone(error: BaseException) -> None:
    meeting = Meeting()

    @op
    async def fails() -> None:
        await meeting.all()
        raise error

    @op
    async def ends_well() -> None:
        await meeting.all()
        await asyncio.sleep(0)

    @job(executor_def=async_executor)
    def work() -> None:
        fails()
        ends_well()

    result = run(work)
    assert failures(result).keys() == {"fails"}
    assert "STEP_SUCCESS" in [each.type for each in result.all_events if each.step_key == "ends_well"]


def test_what_depends_on_a_failed_step_does_not_run() -> None:
    @op
    async def fails() -> None:
        raise KeyError("no")

    @op(ins={"after": In(Nothing)})
    async def never() -> None:
        raise AssertionError

    @job(executor_def=async_executor)
    def work() -> None:
        never(fails())

    result = run(work)
    assert failures(result).keys() == {"fails"}
    with pytest.raises(KeyError, match="no"):
        execute_job(work, raise_on_error=True)


def test_lines_of_loggers_are_told_of_the_step_that_writes_them() -> None:
    meeting = Meeting()
    mine = get_logger("mine")

    @op
    async def speaks(context: Any) -> None:
        await meeting.all()
        mine.info("a line")
        context.log.info("another line")

    @job(executor_def=async_executor)
    def work() -> None:
        speaks.alias("first")()
        speaks.alias("second")()

    lines = [(each.step_key, each.fact.message) for each in run(work).all_events if isinstance(each.fact, LogLine)]
    assert sorted(lines) == [(step, text) for step in ("first", "second") for text in ("a line", "another line")]


def test_output_of_all_steps_is_captured_in_one_place_that_names_them(instance: Instance) -> None:
    @op
    async def speaks(context: Any) -> None:
        os.write(1, f"{context.step_key} speaks\n".encode())

    @job(executor_def=async_executor)
    def work() -> None:
        speaks.alias("first")()
        speaks.alias("second")()

    result = run(work, instance)
    assert result.success
    (captured,) = [each.fact for each in result.all_events if isinstance(each.fact, LogsCaptured)]
    assert captured.steps == ("first", "second")
    assert captured.log_key == log_key(result.run_id, OUTPUT)
    text, _ = instance.logs.read(captured.log_key, "stdout")
    assert text.count(b" speaks\n") == 2
