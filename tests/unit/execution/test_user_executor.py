"""Executors of the user's own: what they are given, and what is made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from penstock import (
    DynamicOut,
    DynamicOutput,
    Executor,
    ExecutorDefinition,
    ExecutorRequirement,
    InitExecutorContext,
    Instance,
    PlanContext,
    RetryPolicy,
    execute_job,
    executor,
    job,
    mem_io_manager,
    multi_or_in_process_executor,
    multiple_process_executor_requirements,
    op,
    reconstructable,
)
from penstock.errors import DefinitionError, InvalidRunConfigError, UnmetExecutorRequirementsError, UsageError
from penstock.plan.model import ExecutionPlan
from penstock.records.event import EngineNote, Event, RunStart, StepFailure, StepUpForRetry
from penstock.records.run import RunStatus


@op(out=DynamicOut(int))
def several() -> Iterator[DynamicOutput[int]]:
    for value in (1, 2, 3):
        yield DynamicOutput(value, f"k{value}")


@op
def double(x: int) -> int:
    return 2 * x


@op
def total(xs: list[int]) -> int:
    return sum(xs)


class OneByOne(Executor):
    """Runs steps one after another and tells that it did."""

    def __init__(self, greeting: str = "") -> None:
        self.greeting = greeting

    def execute(self, plan_context: PlanContext, execution_plan: ExecutionPlan) -> Iterator[Any]:
        assert set(execution_plan.steps) == set(plan_context.plan.steps)
        for step in plan_context.steps():
            plan_context.run_step(step)
            yield EngineNote(message=f"{self.greeting}{step.key}")
        yield Event(time=5.0, fact=EngineNote(message="at five"))


@executor(name="polite", config_schema={"greeting": str})
def polite(context: InitExecutorContext) -> Executor:
    """Says hello to each step."""
    assert context.job.name == "fan"
    assert context.executor_def.name == "polite"
    return OneByOne(context.executor_config["greeting"])


@job(executor_def=polite)
def fan() -> None:
    total(several().map(double).collect())


HELLO = {"execution": {"config": {"greeting": "hello "}}}


def notes(events: Iterable[Event]) -> list[str]:
    return [each.fact.message for each in events if isinstance(each.fact, EngineNote)]


def test_it_gets_each_step_when_it_may_run_and_records_facts() -> None:
    result = execute_job(fan, run_config=HELLO)
    assert result.success
    assert notes(result.all_events) == [
        "hello several",
        "hello double[k1]",
        "hello double[k2]",
        "hello double[k3]",
        "hello total",
        "at five",
    ]
    assert next(each.time for each in result.all_events if notes([each]) == ["at five"]) == 5.0
    assert [each.fact.executor for each in result.all_events if isinstance(each.fact, RunStart)] == ["polite"]
    with result:
        assert result.output_for_node("total") == 12


def test_its_config_is_checked() -> None:
    with pytest.raises(InvalidRunConfigError, match="execution"):
        execute_job(fan)
    given = fan.executor_def.configured({"greeting": "good day "}, name="mild")
    assert (given.name, given.description) == ("mild", "Says hello to each step.")


def test_steps_may_run_in_threads() -> None:
    class Threads(Executor):
        def execute(self, plan_context: PlanContext, execution_plan: ExecutionPlan) -> None:
            running: set[Future[bool]] = set()
            with ThreadPoolExecutor(3) as pool:
                while not plan_context.done:
                    running |= {pool.submit(plan_context.run_step, step) for step in plan_context.ready()}
                    _, running = wait(running, timeout=plan_context.due_in(), return_when=FIRST_COMPLETED)

    @executor
    def threads(context: InitExecutorContext) -> Executor:
        return Threads()

    tries: list[int] = []

    @op(retry_policy=RetryPolicy(max_retries=1, delay=0.01))
    def shaky(x: int) -> int:
        tries.append(x)
        if len(tries) == 1:
            raise ValueError("once")
        return x

    @job(executor_def=threads)
    def work() -> None:
        total([shaky(total(several().map(double).collect())), total.alias("other")(several.alias("more")().collect())])

    with execute_job(work) as result:
        assert result.output_for_node("total_2") == 18
    assert len(tries) == 2


def _job(executor_object: Executor, **options: Any) -> Any:
    @executor
    def given(context: InitExecutorContext) -> Executor:
        return executor_object

    @op(**options)
    def fails() -> None:
        raise ValueError("no")

    @op
    def fine() -> None: ...

    @job(executor_def=given)
    def work() -> None:
        fine()
        fails()

    return work


def test_failures_are_told_and_raised_where_that_is_asked_for() -> None:
    work = _job(OneByOne(), retry_policy=RetryPolicy(max_retries=1))
    result = execute_job(work)
    assert result.run.status is RunStatus.FAILURE
    assert result.retry_attempts_for_node("fails") == 1
    with pytest.raises(ValueError, match="no"):
        execute_job(work, raise_on_error=True)


def test_an_executor_may_forgo_retries() -> None:
    class Once(OneByOne):
        @property
        def retries(self) -> bool:
            return False

    result = execute_job(_job(Once(), retry_policy=RetryPolicy(max_retries=3)))
    assert result.retry_attempts_for_node("fails") == 0
    assert result.is_node_failed("fails")


def test_steps_that_ran_elsewhere_are_told_of() -> None:
    class Elsewhere(Executor):
        def execute(self, plan_context: PlanContext, execution_plan: ExecutionPlan) -> None:
            for step in plan_context.steps():
                if step.key == "fine":
                    plan_context.succeeded(step)
                else:
                    again = plan_context.failed(step, "the other machine is gone", cls="Gone")
                    assert again is (step.retry == 0)
            plan_context.log.info("done")

    result = execute_job(_job(Elsewhere(), retry_policy=RetryPolicy(max_retries=1)))
    failure = result.failure_data_for_node("fails")
    assert failure is not None
    assert (failure.error.cls, failure.error.message) == ("Gone", "the other machine is gone")
    assert [type(each.fact) for each in result.events_for_node("fails")] == [StepUpForRetry, StepFailure]
    assert not result.is_node_failed("fine")


@pytest.mark.parametrize("ready_first", [True, False])
def test_an_executor_that_forgets_steps_fails_the_run(ready_first: bool) -> None:
    class Forgets(Executor):
        def execute(self, plan_context: PlanContext, execution_plan: ExecutionPlan) -> None:
            if ready_first:
                plan_context.ready()
            else:
                for _ in plan_context.steps():
                    pass

    result = execute_job(_job(Forgets()))
    assert result.run.status is RunStatus.FAILURE
    failure: Any = result.get_run_failure_event().fact
    expected = "ended before the steps of the run had" if ready_first else "did not run fails, fine"
    assert expected in failure.message
    with pytest.raises(UsageError, match=expected):
        execute_job(_job(Forgets()), raise_on_error=True)


def test_mistakes_in_its_definition_are_named() -> None:
    with pytest.raises(DefinitionError, match="taken by a built-in executor"):
        executor(name="multiprocess")(lambda context: OneByOne())
    with pytest.raises(DefinitionError, match="returns an instance of an Executor class"):
        execute_job(_job("nothing"))  # type: ignore[arg-type]
    with pytest.raises(DefinitionError, match="requires 'disk'"):
        ExecutorDefinition("own", requirements=["disk"]).requirements({})  # type: ignore[list-item]


def test_what_it_requires_is_looked_for_before_the_run() -> None:
    def given(*requirements: ExecutorRequirement) -> Any:
        @executor(requirements=requirements)
        def own(context: InitExecutorContext) -> Executor:
            return OneByOne()

        @job(executor_def=own, resource_defs={"io_manager": mem_io_manager})
        def work() -> None:
            total(several().map(double).collect())

        return work

    with pytest.raises(UnmetExecutorRequirementsError, match=r"pass reconstructable\(...\)"):
        execute_job(given(ExecutorRequirement.RECONSTRUCTABLE_JOB))
    with pytest.raises(UnmetExecutorRequirementsError, match="pass one that has a home"), Instance.ephemeral() as there:
        execute_job(given(ExecutorRequirement.NON_EPHEMERAL_INSTANCE), there)
    with pytest.raises(UnmetExecutorRequirementsError, match=r'"io_manager", which stores what step "double" loads'):
        execute_job(given(ExecutorRequirement.PERSISTENT_OUTPUTS))
    assert multiple_process_executor_requirements() == list(ExecutorRequirement)


def test_requirements_may_depend_on_config() -> None:
    @executor(
        config_schema={"far": bool},
        requirements=lambda config: [ExecutorRequirement.RECONSTRUCTABLE_JOB] if config["far"] else [],
    )
    def own(context: InitExecutorContext) -> Executor:
        return OneByOne()

    @job(executor_def=own)
    def work() -> None:
        several()

    assert execute_job(work, run_config={"execution": {"config": {"far": False}}}).success
    with pytest.raises(UnmetExecutorRequirementsError):
        execute_job(work, run_config={"execution": {"config": {"far": True}}})


@job
def forked() -> None:
    total(several().map(double).collect())


def test_a_reconstructable_job_runs_with_its_own_executor(tmp_path: Any) -> None:
    assert forked.executor_def is multi_or_in_process_executor
    with Instance.open(tmp_path) as instance:
        with execute_job(reconstructable(forked), instance) as result:
            assert result.success
            assert result.output_for_node("total") == 12
            assert result.output_for_node("double") == {"k1": 2, "k2": 4, "k3": 6}
        assert "STEP_WORKER_STARTED" in {each.type for each in result.all_events}
        stored = instance.storage.runs.get(result.run_id)
        assert stored is not None
        assert stored.status is RunStatus.SUCCESS


def test_retries_are_turned_off_by_config() -> None:
    @op(retry_policy=RetryPolicy(max_retries=3))
    def fails() -> None:
        raise ValueError("no")

    @job
    def work() -> None:
        fails()

    off: dict[str, Any] = {"execution": {"config": {"in_process": {"retries": {"disabled": {}}}}}}
    assert execute_job(work, run_config=off).retry_attempts_for_node("fails") == 0
    assert execute_job(work).retry_attempts_for_node("fails") == 3
