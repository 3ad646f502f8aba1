"""Timeouts of steps: where they are declared, and what they stop in this process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest

from penstock import JobDefinition, RetryPolicy, asset, define_asset_job, execute_job, graph, job, materialize, op
from penstock.definitions.describe import describe_job
from penstock.definitions.ops.op import OpDefinition
from penstock.definitions.resolution import resolve
from penstock.definitions.steps.job_steps import job_steps
from penstock.errors import DefinitionError, StepTimeoutError
from penstock.execution.interrupt import Interrupts

SHORT = 0.01


def wait_for_ever() -> None:
    threading.Event().wait(60)


def failing(fn: Callable[[], Any], **options: Any) -> Any:
    """The result of a job of one op."""
    own = op(name="slow", **{"timeout": SHORT, **options})(fn)

    @job
    def work() -> None:
        own()

    return work.execute_in_process(raise_on_error=False)


def test_a_step_is_stopped_and_says_why() -> None:
    result = failing(wait_for_ever)
    failure = result.failure_data_for_node("slow")
    assert failure.error.cls == "StepTimeoutError"
    assert failure.error.message.startswith('Step "slow" ran longer than its timeout of 0.01 s and was stopped')
    assert failure.source == "USER_CODE_ERROR"
    assert failure.error.frames[0].function == "wait_for_ever"


def test_code_that_catches_exceptions_is_stopped() -> None:
    def stubborn() -> None:
        while True:
            with contextlib.suppress(Exception):
                wait_for_ever()

    assert failing(stubborn).is_node_failed("slow")


def test_async_code_is_stopped() -> None:
    async def slow() -> None:
        await asyncio.sleep(60)

    assert failing(slow).failure_data_for_node("slow").error.cls == "StepTimeoutError"


def test_it_is_tried_again_as_its_policy_says() -> None:
    result = failing(wait_for_ever, retry_policy=RetryPolicy(max_retries=1))
    assert result.retry_attempts_for_node("slow") == 1
    assert result.is_node_failed("slow")


def test_the_error_is_raised_where_that_is_asked_for() -> None:
    @asset(timeout=SHORT)
    def slow() -> None:
        wait_for_ever()

    with pytest.raises(StepTimeoutError, match='Step "slow"'):
        materialize([slow])


def test_what_cannot_be_stopped_is_late_all_the_same() -> None:
    """In another thread than the main one no signal arrives; the step fails when it ends."""
    results: list[Any] = []
    worker = threading.Thread(target=lambda: results.append(failing(lambda: None, timeout=1e-9)))
    worker.start()
    worker.join()
    assert results[0].failure_data_for_node("slow").error.cls == "StepTimeoutError"


def test_the_alarm_is_put_back_as_it_was() -> None:
    before = signal.getsignal(signal.SIGALRM)
    failing(wait_for_ever)
    failing(lambda: None)
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_the_alarm_tears_nothing_of_ours_in_two() -> None:
    """Outside of user code the time's end is noted, and raised when user code is entered."""
    interrupts, seen = Interrupts(), []

    def late() -> None:
        with interrupts.within(SHORT, "late"):
            signal.pause()  # until the alarm rings
            seen.append("our own code goes on")
            with interrupts.user_code:
                seen.append("never")

    with pytest.raises(StepTimeoutError, match="late"):
        late()
    assert seen == ["our own code goes on"]
    interrupts.check()  # nothing is left of it


@op
def plain() -> None: ...


@op(timeout=5)
def own() -> None: ...


@op(tags={"penstock/timeout": 7})
def tagged() -> None: ...


@graph(tags={"penstock/timeout": "30"})
def inner() -> None:
    plain()
    own()


@job(op_timeout=60)
def work() -> None:
    plain()
    own()
    tagged()
    own.tag({"penstock/timeout": 2.5}).alias("node")()
    inner()


def test_the_nearest_place_says_how_long() -> None:
    timeouts = {key: step.timeout for key, step in job_steps(work).items()}
    assert timeouts == {"plain": 60, "own": 5, "tagged": 7, "node": 2.5, "inner.plain": 30, "inner.own": 5}
    assert {step.key: step.timeout for step in describe_job(work).steps} == timeouts
    of_tag = plain_job(tags={"penstock/timeout": "9"})
    assert job_steps(of_tag)["plain"].timeout == 9


def plain_job(**options: Any) -> JobDefinition:
    @job(**options)
    def made() -> None:
        plain()

    return made


def test_jobs_of_assets_have_timeouts_too() -> None:
    @asset(timeout=3)
    def quick() -> None: ...

    @asset
    def other() -> None: ...

    given = define_asset_job("all_of_them", op_timeout=8)
    resolved = resolve(assets=[quick, other], jobs=[given]).jobs["all_of_them"]
    assert {key: step.timeout for key, step in job_steps(resolved).items()} == {"quick": 3, "other": 8}


@pytest.mark.parametrize("timeout", [0, -1, "5", True])
def test_a_timeout_is_more_than_nothing(timeout: Any) -> None:
    with pytest.raises(DefinitionError, match="give more than 0 seconds"):
        OpDefinition(lambda: None, "slow", timeout=timeout)
    with pytest.raises(DefinitionError, match="give more than 0 seconds"):
        plain_job(op_timeout=timeout)


def test_a_tag_holds_seconds() -> None:
    with pytest.raises(DefinitionError, match="'soon'; give seconds"):
        job_steps(plain_job(tags={"penstock/timeout": "soon"}))


def test_pool_and_timeout_are_described() -> None:
    @op(pool="database", timeout=4, code_version="2")
    def pooled() -> None: ...

    @job
    def made() -> None:
        pooled()

    (step,) = describe_job(made).steps
    assert (step.pool, step.timeout) == ("database", 4)
    assert execute_job(made).success
