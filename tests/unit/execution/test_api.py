"""Executing in this process: results, failures, retries, selections, and what an instance keeps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetCheckSeverity,
    AssetCheckSpec,
    AssetExecutionContext,
    AssetKey,
    AssetObservation,
    AssetSpec,
    Backoff,
    DailyPartitionsDefinition,
    Definitions,
    DynamicOut,
    DynamicOutput,
    Failure,
    Instance,
    Jitter,
    MaterializeResult,
    OpExecutionContext,
    Out,
    Output,
    ReexecutionOptions,
    RetryPolicy,
    RetryRequested,
    StaticPartitionsDefinition,
    asset,
    define_asset_job,
    execute_job,
    graph,
    graph_asset,
    job,
    materialize,
    materialize_to_memory,
    mem_io_manager,
    multi_asset,
    op,
    resource,
)
from penstock.codec import decode_json
from penstock.errors import (
    DefinitionError,
    InvalidRunConfigError,
    InvocationError,
    PartitionNotFoundError,
    RunNotFoundError,
    SubsetError,
    UsageError,
    UserCodeError,
)
from penstock.logs.store import log_key
from penstock.records.asset import PartitionStatus
from penstock.records.event import (
    LogLine,
    RunCanceled,
    RunFailure,
    RunStart,
    RunSuccess,
    StepFailure,
    StepUpForRetry,
)
from penstock.records.location import JobDescription
from penstock.records.run import FailureReason, RunStatus, Tag
from penstock.storage.protocols import RunFilter


class OwnError(Exception):
    """An error of the user's."""


@op
def fails() -> int:
    raise OwnError("as it was meant to")


@op
def one() -> int:
    return 1


@op
def plus(context: Any, number: int) -> int:
    os.write(1, b"plus at work\n")
    return number + 1


@job
def failing() -> None:
    plus(fails())
    one()


@job
def chain() -> None:
    plus.alias("second")(plus.alias("first")(one()))


def test_the_users_own_error_is_raised() -> None:
    with pytest.raises(OwnError, match="as it was meant to"):
        failing.execute_in_process()


def test_or_it_is_told_in_the_result() -> None:
    result = failing.execute_in_process(raise_on_error=False)
    assert not result.success
    assert result.get_failed_step_keys() == {"fails"}
    assert result.is_node_success("one")
    assert not result.is_node_success("plus")
    (failure,) = result.get_step_failure_events()
    assert isinstance(failure.fact, StepFailure)
    assert failure.fact.source == "USER_CODE_ERROR"
    assert failure.fact.error.frames[0].function == "fails"
    (told,) = [e for e in result.all_events if e.step_key == "plus"]
    assert isinstance(told.fact, LogLine)
    assert result.is_node_untouched("plus")
    end = result.all_events[-1].fact
    assert isinstance(end, RunFailure)
    assert end.reason is FailureReason.STEP_FAILURE
    assert end.failed_steps == ("fails",)
    with pytest.raises(UsageError, match=r"gave no value.*given were: one\.result"):
        result.output_for_node("fails")


def test_events_frame_the_run() -> None:
    result = chain.execute_in_process()
    assert isinstance(result.all_events[0].fact, RunStart)
    assert isinstance(result.all_events[-1].fact, RunSuccess)
    assert result.output_for_node("second") == 3
    assert result.success
    assert result.run.status is RunStatus.SUCCESS


def test_selected_steps_run_alone() -> None:
    result = chain.execute_in_process(op_selection=["one", "first"])
    assert result.output_for_node("first") == 2
    assert result.is_node_untouched("second")
    with pytest.raises(InvalidRunConfigError, match="lacks the required field"):
        chain.execute_in_process(op_selection=["second"])
    with pytest.raises(SubsetError, match="did you mean"):
        chain.execute_in_process(op_selection=["fist"])


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        (None, 1),
        (RetryPolicy(max_retries=2), 3),
        (RetryPolicy(max_retries=1, delay=0.001, backoff=Backoff.EXPONENTIAL, jitter=Jitter.FULL), 2),
    ],
)
def test_a_policy_says_how_often_a_step_is_tried(policy: RetryPolicy | None, attempts: int) -> None:
    seen: list[int] = []

    @op(retry_policy=policy)
    def stubborn(context: OpExecutionContext) -> None:
        seen.append(context.retry_number)
        raise OwnError

    @job
    def work() -> None:
        stubborn()

    result = work.execute_in_process(raise_on_error=False)
    assert seen == list(range(attempts))
    assert result.retry_attempts_for_node("stubborn") == attempts - 1
    types = [each.type for each in result.events_for_node("stubborn")]
    assert types.count("STEP_START") == 1
    assert types.count("STEP_RESTARTED") == attempts - 1
    assert types[-1] == "STEP_FAILURE"


def test_a_failure_may_forbid_retries_and_carries_metadata() -> None:
    @op(retry_policy=RetryPolicy(max_retries=5))
    def hopeless() -> None:
        raise Failure("out of stock", metadata={"left": 0}, allow_retries=False)

    @job
    def work() -> None:
        hopeless()

    result = work.execute_in_process(raise_on_error=False)
    (failure,) = [e.fact for e in result.all_events if isinstance(e.fact, StepFailure)]
    assert failure.error.message == "out of stock"
    assert failure.metadata["left"].value == 0
    assert result.retry_attempts_for_node("hopeless") == 0


def test_a_step_may_ask_for_its_retry() -> None:
    @op
    def asking(context: OpExecutionContext) -> int:
        if context.retry_number < 2:
            raise RetryRequested(max_retries=3) from OwnError("try again")
        return context.retry_number

    @job
    def work() -> None:
        asking()

    result = work.execute_in_process()
    assert result.output_for_node("asking") == 2
    asked = [e.fact for e in result.all_events if isinstance(e.fact, StepUpForRetry)]
    assert [(each.retry, each.error.cls) for each in asked] == [(1, "OwnError"), (2, "OwnError")]


def test_missing_optional_outputs_skip() -> None:
    @op(out={"a": Out(is_required=False), "b": Out(is_required=False)})
    def either() -> Iterator[Output[int]]:
        yield Output(1, "a")

    @job
    def work() -> None:
        a, b = either()
        plus.alias("on_a")(a)
        plus.alias("after_b")(plus.alias("on_b")(b))

    result = work.execute_in_process()
    assert result.success
    assert result.is_node_success("on_a")
    assert result.is_node_skipped("on_b")
    assert result.is_node_skipped("after_b")


def test_sys_exit_in_user_code_fails_the_step_and_not_the_process() -> None:
    @op
    def leaving() -> None:
        raise SystemExit(3)

    @job
    def work() -> None:
        leaving()

    result = work.execute_in_process(raise_on_error=False)
    assert result.get_failed_step_keys() == {"leaving"}


def test_a_keyboard_interrupt_ends_the_run_as_canceled_and_is_raised() -> None:
    @op
    def interrupted() -> None:
        raise KeyboardInterrupt

    @job
    def work() -> None:
        interrupted()
        one()

    instance = Instance.ephemeral()
    with instance:
        with pytest.raises(KeyboardInterrupt):
            work.execute_in_process(instance=instance)
        (run,) = instance.storage.runs.page(RunFilter(), limit=10)
        assert run.status is RunStatus.CANCELED
        last = instance.storage.events.of_run(run.run_id)[-1].event.fact
        assert isinstance(last, RunCanceled)


def test_a_resource_that_cannot_be_set_up_fails_the_run_before_any_step() -> None:
    @resource
    def unreachable() -> None:
        raise OwnError("no route")

    @op(required_resource_keys={"unreachable"})
    def needs_it(context: Any) -> None:
        pass

    @job(resource_defs={"unreachable": unreachable})
    def work() -> None:
        needs_it()

    result = work.execute_in_process(raise_on_error=False)
    assert [each.type for each in result.all_events] == [
        "RUN_START",
        "RESOURCE_INIT_STARTED",
        "RESOURCE_INIT_FAILURE",
        "RUN_FAILURE",
    ]
    end = result.all_events[-1].fact
    assert isinstance(end, RunFailure)
    assert end.reason is FailureReason.RUN_EXCEPTION
    with pytest.raises(UserCodeError, match=r"'unreachable'.*no route"):
        work.execute_in_process()


# -- with an instance -------------------------------------------------------------------------------------------------


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as made:
        yield made


def test_an_instance_keeps_the_run_its_events_and_its_assets(instance: Instance) -> None:
    @asset
    def orders() -> int:
        return 3

    @asset
    def report(orders: int) -> int:
        return orders + 1

    result = materialize([orders, report], instance=instance, tags={"team": "x"})
    run = instance.storage.runs.get(result.run_id)
    assert run is not None
    assert run.status is RunStatus.SUCCESS
    assert run.tags["team"] == "x"
    stored = [each.event for each in instance.storage.events.of_run(result.run_id)]
    worker_events = [each for each in stored if each.seq is not None]
    assert [each.fact for each in worker_events] == [each.fact for each in result.all_events]
    assert [each.type for each in stored if each.seq is None][:2] == ["ASSET_MATERIALIZATION_PLANNED"] * 2
    states = instance.storage.assets.states()
    assert {key: state.materialized_run for key, state in states.items()} == {
        "orders": result.run_id,
        "report": result.run_id,
    }
    # The values are stored: a later run of one asset alone loads the other.
    again = materialize([orders, report], instance=instance, selection=[report])
    assert again.asset_value("report") == 4
    assert again.is_node_untouched("orders")


def test_an_instance_knows_the_plan_of_a_run_and_all_partitions_of_a_range(instance: Instance) -> None:
    @asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01"))
    def daily() -> None:
        raise OwnError

    @asset(deps=[daily])
    def report() -> int:
        return 1

    tags = {Tag.PARTITION_RANGE_START: "2024-01-02", Tag.PARTITION_RANGE_END: "2024-01-03"}
    result = materialize([daily, report], instance=instance, tags=tags, selection=[daily], raise_on_error=False)
    run = instance.storage.runs.get(result.run_id)
    assert run is not None
    assert run.location == "(this process)"
    assert run.snapshot is not None
    described = instance.storage.runs.snapshot(run.snapshot)
    assert described is not None
    assert [step.key for step in decode_json(described, JobDescription).steps] == ["daily"]
    failed = instance.storage.assets.partition_states("daily")
    assert {key: state.status for key, state in failed.items()} == dict.fromkeys(
        ("2024-01-02", "2024-01-03"), PartitionStatus.FAILED
    )


def test_each_run_is_kept_with_what_it_runs_of_its_job(instance: Instance) -> None:
    @op
    def first() -> None: ...

    @op
    def second() -> None: ...

    @job
    def both() -> None:
        first()
        second()

    def described(op_selection: list[str] | None = None) -> list[str]:
        result = both.execute_in_process(instance=instance, op_selection=op_selection)
        run = instance.storage.runs.get(result.run_id)
        assert run is not None
        assert run.snapshot is not None
        stored = instance.storage.runs.snapshot(run.snapshot)
        assert stored is not None
        return [step.key for step in decode_json(stored, JobDescription).steps]

    assert described() == ["first", "second"]
    assert described(["second"]) == ["second"]
    assert described() == ["first", "second"]


def test_a_result_tells_what_failed_and_what_was_observed() -> None:
    @asset
    def seen(context: AssetExecutionContext) -> None:
        context.log_event(AssetObservation("elsewhere", metadata={"rows": 2}))

    @asset
    def broken() -> None:
        raise OwnError

    result = materialize([seen, broken], raise_on_error=False)
    assert (result.is_node_failed("broken"), result.is_node_failed("seen")) == (True, False)
    (observed,) = result.asset_observations_for_node("seen")
    assert isinstance(observed, AssetObservation)
    assert (observed.asset_key, observed.metadata["rows"].value) == (AssetKey("elsewhere"), 2)
    (event,) = result.get_asset_observation_events()
    assert result.filter_events(lambda each: each.type == "ASSET_OBSERVATION") == [event]


def test_execute_job_captures_output(instance: Instance) -> None:
    result = execute_job(chain, instance)
    assert result.success
    assert instance.logs.read(log_key(result.run_id, "first"), "stdout")[0] == b"plus at work\n"


def test_a_failed_asset_is_known_as_such(instance: Instance) -> None:
    @asset
    def broken() -> None:
        raise OwnError

    result = materialize([broken], instance=instance, raise_on_error=False)
    assert instance.storage.assets.states()["broken"].failed_run == result.run_id


# -- the rest of the face ---------------------------------------------------------------------------------------------


def test_a_job_of_assets_makes_its_selection() -> None:
    @asset
    def a() -> int:
        return 1

    @asset
    def b(a: int) -> int:
        return a + 1

    defs = Definitions(assets=[a, b], jobs=[define_asset_job("both", selection="*")])
    result = defs.get_job_def("both").execute_in_process()
    assert result.asset_value("b") == 2
    only = defs.get_job_def("both").execute_in_process(asset_selection=[a])
    assert only.is_node_untouched("b")
    with pytest.raises(UsageError, match="did not make the asset b"):
        only.asset_value("b")
    with pytest.raises(DefinitionError, match="no assets to select"):
        chain.execute_in_process(asset_selection=[a])


def test_materialize_to_memory_brings_its_own_io_manager() -> None:
    @asset
    def a() -> int:
        return 1

    assert materialize_to_memory([a]).asset_value("a") == 1
    with pytest.raises(DefinitionError, match="brings its own"):
        materialize_to_memory([a], resources={"io_manager": mem_io_manager})


def test_nothing_to_make_is_said() -> None:
    with pytest.raises(DefinitionError, match="nothing that can be made"):
        materialize([])


def test_resources_may_be_replaced_for_a_test() -> None:
    @op(required_resource_keys={"place"})
    def where(context: Any) -> str:
        return str(context.resources.place)

    @job(resource_defs={"place": "production"})
    def work() -> None:
        where()

    assert work.execute_in_process(resources={"place": "test"}).output_for_node("where") == "test"
    assert work.execute_in_process().output_for_node("where") == "production"


def test_values_are_stored_where_the_io_manager_says(tmp_path: Path) -> None:
    from penstock import FilesystemIOManager

    @asset
    def kept() -> int:
        return 1

    materialize([kept], resources={"io_manager": FilesystemIOManager(tmp_path)})
    assert (tmp_path / "kept.pickle").exists()


@op
def unlucky(context: OpExecutionContext, x: int) -> int:
    if not context.has_tag("lucky"):
        raise OwnError("not yet")
    return x * 10


@op
def after(x: int) -> int:
    return x + 1


@op
def beside() -> int:
    return 7


@graph
def unlucky_chain() -> None:
    after(unlucky(beside()))


@job
def repeatable() -> None:
    after(unlucky(beside.alias("source")()))
    beside()


def test_a_run_is_repeated_from_its_failure(instance: Instance) -> None:
    first = execute_job(repeatable, instance)
    assert not first.success
    options = ReexecutionOptions.from_failure(first.run_id, instance)
    assert list(options.step_selection) == ["unlucky", "after"]
    with execute_job(repeatable, instance, tags={"lucky": "yes"}, reexecution_options=options) as second:
        assert second.output_for_node("after") == 71
        assert second.is_node_untouched("beside")
        assert second.is_node_untouched("source"), "its value is loaded from where the first run stored it"
    stored = instance.storage.runs.get(second.run_id)
    assert stored is not None
    assert (stored.parent_run_id, stored.root_run_id) == (first.run_id, first.run_id)
    assert stored.tags[Tag.PARENT_RUN] == first.run_id
    again = execute_job(repeatable, instance, reexecution_options=ReexecutionOptions(second.run_id, ["beside"]))
    assert again.run.root_run_id == first.run_id
    assert again.is_node_success("beside")
    assert again.is_node_untouched("source")
    with pytest.raises(UsageError, match="nothing of it failed"):
        ReexecutionOptions.from_failure(again.run_id, instance)


calls: list[str] = []


@op(out=DynamicOut(int))
def some_keys() -> Iterator[DynamicOutput[int]]:
    calls.append("some_keys")
    for number in (1, 2, 3):
        yield DynamicOutput(number, mapping_key=f"k{number}")


@op
def tenfold(x: int) -> int:
    calls.append(f"tenfold {x}")
    return x * 10


@op
def unlucky_sum(context: OpExecutionContext, numbers: list[int]) -> int:
    calls.append("unlucky_sum")
    if context.run.tags.get("lucky") != "yes":
        raise OwnError("not yet")
    return sum(numbers)


@job
def fanned() -> None:
    after(unlucky_sum(some_keys().map(tenfold).collect()))


def test_a_run_is_repeated_with_the_values_of_all_runs_before_it(instance: Instance) -> None:
    calls.clear()
    tried = execute_job(fanned, instance)
    for tags in ({}, {"lucky": "yes"}):
        options = ReexecutionOptions.from_failure(tried.run_id, instance)
        tried = execute_job(fanned, instance, tags=tags, reexecution_options=options)
    assert tried.success
    assert tried.run.step_keys == ("unlucky_sum", "after")
    assert calls == ["some_keys", "tenfold 1", "tenfold 2", "tenfold 3", *["unlucky_sum"] * 3]
    with tried:
        assert tried.output_for_node("after") == 61


@op
def lucky_if_odd(context: OpExecutionContext, x: int) -> int:
    calls.append(f"lucky_if_odd {x}")
    if x == 2 and context.run.tags.get("lucky") != "yes":
        raise OwnError("not yet")
    return x


@job
def partly() -> None:
    mapped = some_keys().map(lucky_if_odd).map(tenfold)
    unlucky_sum(mapped.collect())


def test_of_a_mapped_step_what_succeeded_is_not_repeated(instance: Instance) -> None:
    calls.clear()
    first = execute_job(partly, instance)
    options = ReexecutionOptions.from_failure(first.run_id, instance)
    assert list(options.step_selection) == ["lucky_if_odd[?]", "tenfold[?]", "unlucky_sum"]
    assert sorted(calls) == [
        *("lucky_if_odd 1", "lucky_if_odd 2", "lucky_if_odd 3", "some_keys", "tenfold 1", "tenfold 3"),
    ]
    calls.clear()
    with execute_job(partly, instance, tags={"lucky": "yes"}, reexecution_options=options) as second:
        assert second.success
        assert calls == ["lucky_if_odd 2", "tenfold 2", "unlucky_sum"]
        assert second.output_for_node("unlucky_sum") == 60
    everything = execute_job(
        partly, instance, tags={"lucky": "yes"}, reexecution_options=ReexecutionOptions(first.run_id, ["lucky_if_odd"])
    )
    assert everything.success
    assert calls[3:] == ["lucky_if_odd 1", "lucky_if_odd 2", "lucky_if_odd 3"]


def test_a_step_runs_again_whose_value_was_in_memory(instance: Instance) -> None:
    in_memory = unlucky_chain.to_job(name="in_memory", resource_defs={"io_manager": mem_io_manager})
    first = execute_job(in_memory, instance)
    options = ReexecutionOptions.from_failure(first.run_id, instance)
    assert list(options.step_selection) == ["unlucky", "after"]
    second = execute_job(in_memory, instance, tags={"lucky": "yes"}, reexecution_options=options)
    assert second.success
    assert second.is_node_success("beside")


def test_a_repeated_run_has_its_parent_s_config(instance: Instance) -> None:
    seen: list[Any] = []

    @op
    def look(context: OpExecutionContext) -> None:
        seen.append(context.op_config)

    @job
    def work() -> None:
        look()

    first = execute_job(work, instance, run_config={"ops": {"look": {"config": 5}}})
    execute_job(work, instance, reexecution_options=ReexecutionOptions(first.run_id))
    execute_job(work, instance, {"ops": {"look": {"config": 6}}}, reexecution_options=ReexecutionOptions(first.run_id))
    assert seen == [5, 5, 6]
    with pytest.raises(RunNotFoundError, match="no run gone"):
        execute_job(work, instance, reexecution_options=ReexecutionOptions("gone"))
    with pytest.raises(UsageError, match="no instance that knows the run"):
        execute_job(work, reexecution_options=ReexecutionOptions(first.run_id))


def test_values_are_loaded_from_where_they_are_stored(instance: Instance) -> None:
    @asset(partitions_def=DailyPartitionsDefinition("2024-01-01"))
    def days() -> str:
        return "made"

    @job
    def work() -> None:
        after(beside())

    result = execute_job(work, instance, op_selection=["*after"])
    with pytest.raises(UsageError, match="inside a with block"):
        result.output_for_node("after")
    with result:
        assert result.output_for_node("after") == 8
    made = Definitions(assets=[days], jobs=[define_asset_job("all_days", [days])]).get_job_def("all_days")
    with execute_job(made, instance, tags={Tag.PARTITION: "2024-01-02"}) as of_asset:
        assert of_asset.output_for_node("days") == "made"


def test_a_result_answers_for_graphs_and_events() -> None:
    @graph
    def inner() -> Any:
        return {"low": beside(), "high": after(beside.alias("base")())}

    @job
    def work() -> None:
        inner()

    result = work.execute_in_process()
    assert result.output_for_node("inner", "high") == 8
    assert result.output_for_node("inner.base") == 7
    with pytest.raises(UsageError, match="has no output 'middle'; its outputs are: low, high"):
        result.output_for_node("inner", "middle")
    assert {each.step_key for each in result.all_node_events} == {"inner.beside", "inner.base", "inner.after"}
    assert len(result.get_step_success_events()) == 3
    assert result.get_step_skipped_events() == []
    assert result.failure_data_for_node("inner.base") is None
    assert isinstance(result.get_run_success_event().fact, RunSuccess)
    with pytest.raises(UsageError, match="no such event"):
        result.get_run_failure_event()


def test_assets_may_be_given_twice_and_partitions_only_where_there_are_some() -> None:
    @asset
    def whole() -> int:
        return 1

    assert materialize([whole, whole]).success
    everything = Definitions(assets=[whole], jobs=[define_asset_job("everything")]).get_job_def("everything")
    with pytest.raises(InvocationError, match="asked for the partition 'a', but nothing that it makes has partitions"):
        everything.execute_in_process(partition_key="a")


def test_a_dependency_is_found_by_the_name_that_an_input_would_have() -> None:
    seen: list[Any] = []
    days = DailyPartitionsDefinition("2024-01-01", end_date="2024-01-05")

    @asset(partitions_def=days, key_prefix="raw")
    def orders() -> None: ...

    @asset(partitions_def=days, deps=[orders])
    def report(context: AssetExecutionContext) -> None:
        seen.append(context.asset_key_for_input("raw__orders").to_user_string())
        seen.append(context.asset_partition_keys_for_input("raw__orders"))
        seen.append(context.partition_keys)

    materialize([orders, report], selection=[report], partition_key="2024-01-02")
    assert seen == ["raw/orders", ["2024-01-02"], ["2024-01-02"]]


def test_the_value_of_a_graph_of_an_asset_and_its_own_config() -> None:
    @op(config_schema={"n": int})
    def number(context: OpExecutionContext) -> int:
        return int(context.op_config["n"])

    @graph_asset(config={"number": {"config": {"n": 7}}})
    def seven() -> Any:
        return number()

    result = materialize([seven])
    assert result.output_for_node("seven") == result.output_for_node("seven.number") == 7


def test_results_of_an_asset_by_position() -> None:
    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both() -> Iterator[MaterializeResult[Any]]:
        yield MaterializeResult("a", {"rows": 1})
        yield MaterializeResult("b")

    result = materialize([both])
    assert [event.asset_key for event in result.get_asset_materialization_events()] == [AssetKey("a"), AssetKey("b")]


def test_outcomes_of_checks_as_users_write_them() -> None:
    @asset(check_specs=[AssetCheckSpec("rows", asset="a")])
    def a() -> MaterializeResult[Any]:
        return MaterializeResult(check_results=[AssetCheckResult(passed=False, severity=AssetCheckSeverity.WARN)])

    (outcome,) = materialize([a]).get_asset_check_evaluations()
    assert (outcome.asset_key, outcome.check_name, outcome.passed) == (AssetKey("a"), "rows", False)
    assert outcome.severity is AssetCheckSeverity.WARN


def test_every_asset_of_a_run_has_its_partition() -> None:
    @asset(partitions_def=StaticPartitionsDefinition(["a", "b"]))
    def one() -> None: ...

    @asset(partitions_def=StaticPartitionsDefinition(["b", "c"]))
    def other() -> None: ...

    assert materialize([one, other], partition_key="b").success
    assert materialize([one, other], selection=[one], partition_key="a").success
    with pytest.raises(PartitionNotFoundError, match="'a'"):
        materialize([one, other], partition_key="a")


def test_jobs_of_assets_keep_values_in_the_instance() -> None:
    @asset
    def first() -> int:
        return 1

    @asset
    def second(first: int) -> int:
        return first + 1

    jobs = [define_asset_job("upper", [first]), define_asset_job("lower", [second])]
    definitions = Definitions(assets=[first, second], jobs=jobs)
    with Instance.ephemeral() as instance:
        definitions.get_job_def("upper").execute_in_process(instance=instance)
        result = definitions.get_job_def("lower").execute_in_process(instance=instance)
    assert result.output_for_node("second") == 2
