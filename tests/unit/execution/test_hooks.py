"""Hooks: when they run, what they see, and how tests call them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from penstock import (
    DynamicOut,
    DynamicOutput,
    Failure,
    HookContext,
    HookDefinition,
    HookExecutionResult,
    OpExecutionContext,
    RetryPolicy,
    build_hook_context,
    failure_hook,
    graph,
    job,
    op,
    resource,
    success_hook,
)
from penstock.errors import InvocationError
from penstock.records.event import Event, HookCompleted, HookErrored, HookSkipped

SEEN: list[Any] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    SEEN.clear()


@success_hook
def on_success(context: HookContext) -> None:
    SEEN.append(("success", context.step_key))


@failure_hook(name="told_of_failure")
def on_failure(context: HookContext) -> None:
    SEEN.append(("failure", context.step_key, type(context.op_exception).__name__))


@op
def fine() -> int:
    return 1


@op
def bad() -> None:
    raise Failure("on purpose")


def told(result: Any, step: str) -> list[Any]:
    kinds = (HookCompleted, HookSkipped, HookErrored)
    return [(type(each.fact), each.fact.hook) for each in result.events_for_node(step) if isinstance(each.fact, kinds)]


def test_hooks_wait_for_success_or_failure() -> None:
    @job(hooks={on_success, on_failure})
    def work() -> None:
        fine()
        bad()

    result = work.execute_in_process(raise_on_error=False)
    assert sorted(SEEN) == [("failure", "bad", "Failure"), ("success", "fine")]
    assert told(result, "fine") == [(HookCompleted, "on_success"), (HookSkipped, "told_of_failure")]
    assert told(result, "bad") == [(HookSkipped, "on_success"), (HookCompleted, "told_of_failure")]


def test_hooks_of_a_graph_and_of_a_node_come_together() -> None:
    @graph
    def inner() -> Any:
        return fine()

    @job
    def work() -> None:
        inner.with_hooks({on_success})()
        fine.with_hooks({on_failure}).alias("other")()

    work.execute_in_process()
    assert SEEN == [("success", "inner.fine")]


def test_a_failure_hook_waits_for_the_last_attempt() -> None:
    @op(retry_policy=RetryPolicy(max_retries=2))
    def stubborn() -> None:
        raise Failure("again")

    @job(hooks={on_failure})
    def work() -> None:
        stubborn()

    work.execute_in_process(raise_on_error=False)
    assert SEEN == [("failure", "stubborn", "Failure")]


def test_a_hook_of_one_s_own_sees_the_events_of_the_attempt() -> None:
    def look(context: HookContext, events: Sequence[Event]) -> HookExecutionResult | None:
        SEEN.append([each.type for each in events])
        return HookExecutionResult("looks", is_skipped=True) if context.step_key == "bad" else None

    looks = HookDefinition(name="looks", hook_fn=look)

    @job(hooks={looks})
    def work() -> None:
        fine()
        bad()

    result = work.execute_in_process(raise_on_error=False)
    assert ["STEP_START", "STEP_OUTPUT", "HANDLED_OUTPUT", "STEP_SUCCESS"] in SEEN
    assert ["STEP_START", "STEP_FAILURE"] in SEEN
    assert told(result, "fine") == [(HookCompleted, "looks")]
    assert told(result, "bad") == [(HookSkipped, "looks")]
    assert looks.decorated_fn is None


def test_a_hook_sees_values_and_metadata_by_output() -> None:
    @op(out=DynamicOut())
    def several(context: OpExecutionContext) -> Iterator[DynamicOutput[int]]:
        context.add_output_metadata({"rows": 2}, mapping_key="a")
        yield DynamicOutput(1, "a")
        yield DynamicOutput(2, "b")

    @success_hook
    def look(context: HookContext) -> None:
        SEEN.append((context.op_output_values, context.op.name, context.hook_def is look))

    @job(hooks={look})
    def work() -> None:
        several()

    @op
    def nothing() -> None: ...

    @job(hooks={look})
    def other() -> None:
        nothing.alias("none_at_all")()

    work.execute_in_process()
    other.execute_in_process()
    assert SEEN == [({"result": {"a": 1, "b": 2}}, "several", True), ({"result": None}, "none_at_all", True)]


def test_a_hook_is_called_as_tests_do() -> None:
    closed: list[str] = []

    @resource
    def mail() -> Iterator[list[str]]:
        yield []
        closed.append("mail")

    @failure_hook(required_resource_keys={"mail"})
    def write(context: HookContext) -> str:
        context.resources.mail.append(str(context.op_exception))
        return f"{context.job_name} {context.step_key} {context.run_id} {context.resources.mail}"

    with build_hook_context(
        resources={"mail": mail},
        op=fine.alias("other"),
        run_id="r1",
        job_name="nightly",
        op_exception=Failure("no luck"),
        instance="here",
    ) as context:
        assert write(context) == "nightly fine r1 ['no luck']"
        assert context.instance == "here"
        assert context.op is fine
        assert context.op_output_values == {}
    assert closed == ["mail"]
    assert write.decorated_fn is not None
    with pytest.raises(InvocationError, match="give an op"):
        build_hook_context(op="fine")  # type: ignore[arg-type]
