"""What running functions see as `context`."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock import (
    AssetCheckExecutionContext,
    AssetCheckKey,
    AssetCheckResult,
    AssetExecutionContext,
    AssetIn,
    AssetKey,
    Config,
    ConfigurableResource,
    DailyPartitionsDefinition,
    DynamicOut,
    DynamicOutput,
    HookContext,
    OpExecutionContext,
    Out,
    PartitionKeyRange,
    RunConfig,
    StaticPartitionsDefinition,
    StepExecutionContext,
    TimeWindow,
    asset,
    asset_check,
    build_op_context,
    failure_hook,
    job,
    materialize,
    op,
    resource,
    success_hook,
)
from penstock.errors import InvalidRunConfigError, UsageError
from penstock.records.event import HookCompleted, HookErrored, HookSkipped, LogLine
from penstock.records.metadata import IntMetadataValue, TextMetadataValue
from penstock.records.run import Tag

DAYS = DailyPartitionsDefinition(start_date="2024-01-01")


def test_an_op_sees_its_run_config_and_resources() -> None:
    seen: dict[str, Any] = {}

    @resource
    def store() -> dict[str, int]:
        return {"a": 1}

    @op(config_schema={"size": int}, required_resource_keys={"store"})
    def look(context: OpExecutionContext) -> None:
        seen.update(
            config=context.op_config,
            store=context.resources.store,
            job=context.job_name,
            run_id=context.run_id,
            same=context.run.run_id,
            tag=context.get_tag("team"),
            retry=context.retry_number,
            op=context.op_def.name,
            partition=context.has_partition_key,
        )
        context.log.info("seen %s", "it")

    @job(resource_defs={"store": store}, tags={"team": "x"})
    def looking() -> None:
        look()

    result = looking.execute_in_process(run_config={"ops": {"look": {"config": {"size": 3}}}})
    assert seen == {
        "config": {"size": 3},
        "store": {"a": 1},
        "job": "looking",
        "run_id": result.run_id,
        "same": result.run_id,
        "tag": "x",
        "retry": 0,
        "op": "look",
        "partition": False,
    }
    assert [e.fact.message for e in result.all_events if isinstance(e.fact, LogLine)] == ["seen it"]


class Sizes(Config):
    size: int = 2


class Store(ConfigurableResource):
    place: str


def test_typed_config_and_resources_are_parameters() -> None:
    @op
    def typed(config: Sizes, store: Store) -> str:
        return store.place * config.size

    @job(resource_defs={"store": Store(place="ab")})
    def work() -> None:
        typed()

    assert work.execute_in_process().output_for_node("typed") == "abab"
    bigger = RunConfig(ops={"typed": Sizes(size=3)})
    assert work.execute_in_process(run_config=bigger).output_for_node("typed") == "ababab"
    with pytest.raises(InvalidRunConfigError, match="size"):
        work.execute_in_process(run_config={"ops": {"typed": {"config": {"size": "big"}}}})


def test_a_resource_that_was_not_asked_for_is_not_there() -> None:
    @op
    def greedy(context: OpExecutionContext) -> None:
        _ = context.resources.store

    @job(resource_defs={"store": Store(place="x")})
    def work() -> None:
        greedy()

    with pytest.raises(AttributeError, match=r"no resource 'store' here.*required_resource_keys"):
        work.execute_in_process()


def test_a_mapped_step_knows_its_key() -> None:
    @op(out=DynamicOut())
    def fan() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, "left")
        yield DynamicOutput(2, "right")

    @op
    def key_of(context: OpExecutionContext, number: int) -> str | None:
        return context.get_mapping_key()

    @job
    def work() -> None:
        fan().map(key_of)

    assert work.execute_in_process().output_for_node("key_of") == {"left": "left", "right": "right"}


def test_an_asset_sees_its_key_and_partition() -> None:
    seen: dict[str, Any] = {}

    @asset(key_prefix="shop", partitions_def=DAYS)
    def orders(context: AssetExecutionContext) -> int:
        seen.update(
            key=context.asset_key,
            keys=context.selected_asset_keys,
            partition=context.partition_key,
            window=context.partition_time_window,
            range=context.partition_key_range,
            output=context.output_for_asset_key(AssetKey(["shop", "orders"])),
            back=context.asset_key_for_output("result"),
        )
        return 1

    @asset(partitions_def=DAYS, ins={"given": AssetIn(["shop", "orders"])})
    def other(context: AssetExecutionContext, given: int) -> int:
        seen["upstream"] = context.asset_partition_key_for_input("given")
        seen["upstream key"] = context.asset_key_for_input("given")
        return given

    result = materialize([orders, other], partition_key="2024-02-03")
    assert seen == {
        "key": AssetKey(["shop", "orders"]),
        "keys": {AssetKey(["shop", "orders"])},
        "partition": "2024-02-03",
        "window": TimeWindow(datetime(2024, 2, 3, tzinfo=UTC), datetime(2024, 2, 4, tzinfo=UTC)),
        "range": PartitionKeyRange("2024-02-03", "2024-02-03"),
        "output": "result",
        "back": AssetKey(["shop", "orders"]),
        "upstream": "2024-02-03",
        "upstream key": AssetKey(["shop", "orders"]),
    }
    assert {e.fact.partition for e in result.get_asset_materialization_events()} == {"2024-02-03"}  # type: ignore[union-attr]


def test_a_range_of_partitions_is_made_in_one_run() -> None:
    seen: dict[str, Any] = {}

    @asset(partitions_def=DAYS)
    def orders(context: AssetExecutionContext) -> dict[str, int]:
        seen["keys"] = list(context.partition_keys)
        seen["window"] = context.partition_time_window
        with pytest.raises(UsageError, match="works on 3 partitions"):
            _ = context.partition_key
        return {key: int(key[-2:]) for key in context.partition_keys}

    @asset(partitions_def=DAYS)
    def report(orders: dict[str, int]) -> dict[str, int]:
        seen["loaded"] = orders
        return orders

    tags = {Tag.PARTITION_RANGE_START: "2024-01-02", Tag.PARTITION_RANGE_END: "2024-01-04"}
    result = materialize([orders, report], tags=tags)
    keys = ["2024-01-02", "2024-01-03", "2024-01-04"]
    assert seen["keys"] == keys
    assert seen["window"].end == datetime(2024, 1, 5, tzinfo=UTC)
    assert seen["loaded"] == dict(zip(keys, (2, 3, 4), strict=True))
    made = [each.partition for each in result.asset_materializations_for_node("orders")]
    assert made == keys


def test_facts_may_be_added_to_each_partition_of_a_range_run() -> None:
    @asset(partitions_def=DAYS)
    def orders(context: AssetExecutionContext) -> dict[str, int]:
        context.add_asset_metadata({"rows": 9, "source": "shop"})
        for rows, key in enumerate(context.partition_keys, 1):
            context.add_asset_metadata({"rows": rows}, partition_key=key)
        with pytest.raises(UsageError, match="'2024-01-05'; the partitions that the run makes are: 3, '2024-01-02'"):
            context.add_asset_metadata({"rows": 0}, "orders", "2024-01-05")
        return dict.fromkeys(context.partition_keys, 1)

    @asset
    def whole(context: AssetExecutionContext) -> None:
        with pytest.raises(UsageError, match="the partitions that the run makes are: none"):
            context.add_asset_metadata({"rows": 0}, partition_key="2024-01-02")

    tags = {Tag.PARTITION_RANGE_START: "2024-01-02", Tag.PARTITION_RANGE_END: "2024-01-04"}
    result = materialize([orders, whole], tags=tags)
    made = {each.partition: each.metadata for each in result.asset_materializations_for_node("orders")}
    source = TextMetadataValue("shop")
    assert {key: (metadata["rows"], metadata["source"]) for key, metadata in made.items()} == {
        f"2024-01-0{rows + 1}": (IntMetadataValue(rows), source) for rows in (1, 2, 3)
    }


def test_a_partitioned_asset_can_ask_about_its_outputs_and_inputs() -> None:
    seen: dict[str, Any] = {}

    @asset(partitions_def=DAYS)
    def orders() -> int:
        return 1

    @asset(partitions_def=DAYS)
    def report(context: AssetExecutionContext, orders: int) -> int:
        op_context = context.op_execution_context
        window = context.partition_time_window
        seen.update(
            has=(context.has_assets_def, context.has_partitions, context.has_partition_key_range),
            outputs=context.selected_output_names,
            keys=(context.asset_partition_key_for_output(), *context.asset_partition_keys_for_output()),
            definition=context.asset_partitions_def_for_output(),
            windows=context.asset_partitions_time_window_for_output() == window
            and context.asset_partitions_time_window_for_input("orders") == window,
            op=(op_context.run_id, type(op_context)),
        )
        with pytest.raises(UsageError, match="makes no asset with an output 'x'"):
            context.asset_partition_key_for_output("x")
        return orders

    result = materialize([orders, report], partition_key="2024-02-03")
    assert seen == {
        "has": (True, True, False),
        "outputs": {"result"},
        "keys": ("2024-02-03", "2024-02-03"),
        "definition": DAYS,
        "windows": True,
        "op": (result.run_id, OpExecutionContext),
    }

    @asset
    def whole(context: AssetExecutionContext) -> None:
        assert (context.has_partitions, context.has_partition_key_range) == (False, False)
        with pytest.raises(UsageError, match="an asset without partitions"):
            context.asset_partitions_def_for_output()

    assert materialize([whole]).success


def test_what_there_is_not_says_so() -> None:
    @asset(partitions_def=StaticPartitionsDefinition(["a"]))
    def lettered(context: AssetExecutionContext) -> None:
        with pytest.raises(UsageError, match="no time windows"):
            _ = context.partition_time_window
        with pytest.raises(UsageError, match="no asset for an input 'x'"):
            context.asset_key_for_input("x")

    materialize([lettered], partition_key="a")

    @asset
    def whole(context: AssetExecutionContext) -> None:
        with pytest.raises(UsageError, match="the run has none"):
            _ = context.partition_key
        with pytest.raises(UsageError, match="takes an AssetMaterialization"):
            context.log_event("a text")  # type: ignore[arg-type]
        with pytest.raises(UsageError, match="has no output 'x'"):
            context.add_output_metadata({}, output_name="x")

    materialize([whole])


def test_a_check_sees_what_it_checks() -> None:
    seen: dict[str, Any] = {}

    @asset
    def orders() -> int:
        return 1

    @asset_check(asset=orders)
    def fine(context: AssetCheckExecutionContext) -> AssetCheckResult:
        seen["keys"] = context.selected_asset_check_keys
        seen["asset"] = context.asset_key
        return AssetCheckResult(passed=True)

    materialize([orders, fine])
    assert seen == {"keys": {AssetCheckKey(AssetKey("orders"), "fine")}, "asset": AssetKey("orders")}


def test_hooks_run_after_the_step_and_fail_nothing() -> None:
    seen: list[Any] = []

    @success_hook
    def on_success(context: HookContext) -> None:
        seen.append((context.step_key, context.op_output_values))

    @failure_hook
    def on_failure(context: HookContext) -> None:
        seen.append((context.step_key, type(context.op_exception)))

    @success_hook
    def broken_hook(context: HookContext) -> None:
        raise RuntimeError("the hook's own trouble")

    @op
    def good() -> int:
        return 1

    @op
    def bad() -> int:
        raise ValueError("no")

    @job(hooks={on_success, on_failure, broken_hook})
    def work() -> None:
        good()
        bad()

    result = work.execute_in_process(raise_on_error=False)
    assert seen == [("good", {"result": 1}), ("bad", ValueError)]
    told = {
        (e.step_key, type(e.fact)): e.fact
        for e in result.all_events
        if isinstance(e.fact, HookCompleted | HookErrored | HookSkipped)
    }
    errored = told["good", HookErrored]
    assert isinstance(errored, HookErrored)
    assert errored.error.frames[0].function == "broken_hook"
    assert ("good", HookCompleted) in told
    assert ("good", HookSkipped) in told
    assert result.is_node_success("good")


def test_a_step_s_own_context_says_what_it_is_of() -> None:
    seen: list[StepExecutionContext] = []

    @resource
    def db() -> str:
        return "db"

    @op(required_resource_keys={"db"}, out={"a": Out(), "b": Out(is_required=False)}, config_schema={"n": int})
    def look(context: OpExecutionContext) -> Any:
        step = context.get_step_execution_context()
        seen.append(step)
        step.log.info("told")
        assert step.resources.db == "db"
        return 1, 2

    @job(resource_defs={"db": db}, tags={"team": "a"})
    def work() -> None:
        look.alias("other")()

    result = work.execute_in_process({"ops": {"other": {"config": {"n": 3}}}})
    (step,) = seen
    assert (step.step_key, step.job_name, step.run_id, step.run.run_id) == (
        "other",
        "work",
        result.run_id,
        result.run_id,
    )
    assert (step.op_config, step.run_config) == ({"n": 3}, {"ops": {"other": {"config": {"n": 3}}}})
    assert (step.op_def, step.previous_attempt_count) == (look, 0)
    assert (step.required_resource_keys, step.selected_output_names) == (frozenset({"db"}), frozenset({"a", "b"}))
    assert (step.has_tag("team"), step.get_tag("team"), step.get_tag("none"), step.run_tags["team"]) == (
        True,
        "a",
        None,
        "a",
    )
    assert step.job_def.name == "work"
    assert (step.has_partitions, step.has_partition_key) == (False, False)
    with pytest.raises(UsageError, match="works on 0 partitions"):
        _ = step.partition_key


class Said(io.StringIO):
    """What was written, also after it is closed."""

    kept = ""

    def close(self) -> None:
        self.kept = self.getvalue()
        super().close()


def test_the_debugger_talks_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a terminal on stdin it opens the one that the process has, or says that there is none."""
    opened: list[str] = []

    def no_terminal(path: str, mode: str = "r") -> Any:
        opened.append(path)
        raise OSError("no such device")

    monkeypatch.setattr("penstock.execution.debugger.open", no_terminal, raising=False)
    with pytest.raises(UsageError, match="needs a terminal"):
        _ = build_op_context().pdb
    assert opened == ["/dev/tty"]
    answers, said = io.StringIO("c\n"), Said()
    monkeypatch.setattr("penstock.execution.debugger.open", lambda _, mode="r": said if mode == "w" else answers)

    def stopped() -> str:
        build_op_context().pdb.set_trace()
        return "went on"

    tracing = sys.gettrace()
    try:
        assert stopped() == "went on"
    finally:
        sys.settrace(tracing)
    assert "(Pdb)" in said.kept
    assert answers.closed
    assert said.closed
