"""Ops, assets, checks, IO managers and resources called directly, as tests of users do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    Config,
    ConfigurableResource,
    DailyPartitionsDefinition,
    FilesystemIOManager,
    InitResourceContext,
    MaterializeResult,
    OpExecutionContext,
    Output,
    PartitionKeyRange,
    asset,
    asset_check,
    build_asset_check_context,
    build_asset_context,
    build_init_resource_context,
    build_input_context,
    build_op_context,
    build_output_context,
    op,
    resource,
)
from penstock.errors import InvalidRunConfigError, InvocationError, UnknownResourceError, UsageError


class Size(Config):
    size: int
    name: str = "none"


class Service(ConfigurableResource):
    url: str


@op
def add(a: int, b: int = 10) -> int:
    return a + b


@op
def with_context(context: OpExecutionContext, a: int) -> int:
    context.log.info("adding")
    context.add_output_metadata({"a": a})
    return a + 1


@op
def with_all(context: OpExecutionContext, config: Size, service: Service, a: int) -> str:
    return f"{config.name}/{config.size}/{service.url}/{a}/{context.op_config}"


def test_inputs_by_position_name_and_default() -> None:
    assert add(1, 2) == 3
    assert add(1) == 11
    assert add(b=1, a=2) == 3


def test_a_context_is_bound_to_the_op_and_keeps_what_was_recorded() -> None:
    context = build_op_context()
    assert with_context(context, 2) == 3
    assert context.op_def is with_context
    assert context.get_output_metadata("result") == {"a": 2}
    assert context.get_events() == []


def test_config_and_resources_come_by_name_or_with_the_context() -> None:
    context = build_op_context(resources={"service": Service(url="u")}, op_config={"size": 3})
    assert with_all(context, 5) == "none/3/u/5/{'size': 3, 'name': 'none'}"
    assert with_all(build_op_context(), Size(size=2), Service(url="w"), 6).startswith("none/2/w/6")
    assert with_all(build_op_context(), Size(size=2), Service(url="w"), 6).endswith("{'size': 2, 'name': 'none'}")
    assert with_all(build_op_context(), {"size": 2}, Service(url="w"), 6).startswith("none/2/w/6")
    assert with_all(build_op_context(resources={"service": Service(url="u")}), Size(size=4), a=7).startswith(
        "none/4/u/7"
    )
    assert with_all(build_op_context(), 5, config=Size(size=1), service=Service(url="v")).startswith("none/1/v/5")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add(), "without its input a"),
        (lambda: add(1, 2, 3), "called with 3 values by position"),
        (lambda: add(1, a=2), "got 'a' twice"),
        (lambda: add(1, c=2), "no parameter 'c'"),
        (lambda: with_context(1), "takes a context"),
        (lambda: with_context(context="x", a=1), "as its context"),
        (lambda: with_all(build_op_context(op_config={"size": 1}), a=1), "needs the resource 'service'"),
        (lambda: build_op_context(op_config={}, config={}), "op_config or config"),
        (lambda: with_all(build_op_context(op_config={"size": 1}), Size(size=1), Service(url="u"), 1), "config twice"),
    ],
)
def test_mistakes_are_named(call: Any, message: str) -> None:
    with pytest.raises((InvocationError, UnknownResourceError), match=message):
        call()


def test_wrong_config_is_refused() -> None:
    context = build_op_context(resources={"service": Service(url="u")}, op_config={"sise": 3})
    with pytest.raises(InvalidRunConfigError, match="sise"):
        with_all(context, 1)


def test_results_come_as_they_are() -> None:
    @op
    def stream() -> Iterator[Output[int]]:
        yield Output(1)

    @op
    async def later() -> int:
        return 4

    assert next(stream()).value == 1
    assert asyncio.run(later()) == 4


def test_assets_and_checks_are_functions_too() -> None:
    @asset(partitions_def=DailyPartitionsDefinition(start_date="2024-01-01"))
    def daily(context: AssetExecutionContext, orders: list[int]) -> MaterializeResult[Any]:
        context.add_asset_metadata({"rows": len(orders)})
        context.add_asset_metadata({"late": False}, partition_key=context.partition_key)
        return MaterializeResult(
            metadata={"day": context.partition_key, "start": str(context.partition_time_window.start)}
        )

    context = build_asset_context(partition_key="2024-05-06")
    result = daily(context, [1, 2])
    assert result.metadata["day"] == "2024-05-06"
    assert result.metadata["start"].startswith("2024-05-06")
    assert context.asset_key == AssetKey("daily")
    assert context.get_asset_metadata("daily") == {"rows": 2}
    assert context.get_asset_metadata("daily", "2024-05-06") == {"late": False}

    @asset_check(asset=daily)
    def filled(context: Any, daily: list[int]) -> AssetCheckResult:
        return AssetCheckResult(passed=bool(daily))

    assert filled(build_asset_check_context(), [1]).passed


def test_resources_of_a_context_are_torn_down_with_it() -> None:
    trail: list[str] = []

    @resource
    def opened() -> Iterator[str]:
        trail.append("up")
        yield "value"
        trail.append("down")

    with build_op_context(resources={"opened": opened}) as context:
        assert context.resources.opened == "value"
        assert trail == ["up"]
    assert trail == ["up", "down"]


def test_io_managers_are_called_with_contexts_made_for_it(tmp_path: Path) -> None:
    manager = FilesystemIOManager(tmp_path)
    stored = build_output_context(step_key="a", name="result", run_id="r")
    assert stored.get_identifier() == ["r", "a", "result"]
    manager.handle_output(stored, {"x": 1})
    assert "path" in stored.get_logged_metadata()
    assert manager.load_input(build_input_context(upstream_output=stored)) == {"x": 1}

    days = DailyPartitionsDefinition(start_date="2024-01-01")
    part = build_output_context(asset_key="orders", partition_key="2024-01-02", asset_partitions_def=days)
    assert part.get_identifier() == ["orders", "2024-01-02"]
    assert part.asset_partitions_time_window.start.day == 2
    manager.handle_output(part, 2)
    manager.handle_output(build_output_context(asset_key="orders", partition_key="2024-01-03"), 3)
    both = build_input_context(
        asset_key="orders",
        asset_partition_key_range=PartitionKeyRange("2024-01-02", "2024-01-03"),
        asset_partitions_def=days,
    )
    assert manager.load_input(both) == {"2024-01-02": 2, "2024-01-03": 3}
    with pytest.raises(UsageError, match="2 partitions of orders"):
        _ = both.asset_partition_key


def test_contexts_say_what_they_do_not_have() -> None:
    context = build_output_context(name="x", step_key="s")
    assert not context.has_asset_key
    for ask in ("asset_key", "partition_key", "asset_partition_keys", "asset_partitions_def"):
        with pytest.raises(UsageError, match="ask has_"):
            getattr(context, ask)
    loaded = build_input_context()
    assert not loaded.has_input_name
    with pytest.raises(UsageError, match="ask has_input_name"):
        _ = loaded.name


def test_a_resource_is_a_function_too() -> None:
    @resource(config_schema={"n": int}, required_resource_keys={"base"})
    def twice(context: Any) -> int:
        return int(context.resource_config["n"]) * int(context.resources.base)

    assert twice(build_init_resource_context(config={"n": 3}, resources={"base": 2})) == 6


def test_none_stands_for_a_context_that_holds_nothing() -> None:
    @op
    def look(context: OpExecutionContext, a: int) -> Any:
        return context.op_config, context.run_id != "", a

    assert look(None, 3) == (None, True, 3)


def test_a_resource_by_its_key_is_missed_before_the_call() -> None:
    @op(required_resource_keys={"db"})
    def use(context: OpExecutionContext) -> None:
        raise AssertionError("it is not called")

    with pytest.raises(UnknownResourceError, match="'db'; give it in the resources of the context"):
        use(build_op_context())


def test_resources_see_the_event_loop_that_the_context_is_made_with() -> None:
    @resource
    def loop_of(context: InitResourceContext) -> Any:
        return context.event_loop

    loop = asyncio.new_event_loop()
    try:
        for make in (build_op_context, build_asset_context):
            assert make(resources={"loop": loop_of}, event_loop=loop).resources.loop is loop
    finally:
        loop.close()
