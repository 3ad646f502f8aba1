"""Direct calls: resources are set up around them, and what functions yield is held against their outputs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from penstock import (
    AssetKey,
    AssetSpec,
    ConfigurableResource,
    DynamicOut,
    DynamicOutput,
    InitResourceContext,
    MaterializeResult,
    Out,
    Output,
    StaticPartitionsDefinition,
    asset,
    build_asset_context,
    multi_asset,
    op,
)
from penstock.errors import InvocationError, UsageError

LIFE: list[str] = []


class Service(ConfigurableResource[Any]):
    url: str

    def setup_for_execution(self, context: InitResourceContext) -> None:
        LIFE.append(f"set up {self.url}")

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        LIFE.append("torn down")


@op
def plain(service: Service) -> int:
    LIFE.append("called")
    return 1


@op
def stream(service: Service) -> Iterator[Output[int]]:
    LIFE.append("called")
    yield Output(1)


@op
async def later(service: Service) -> int:
    LIFE.append("called")
    return 1


@op
async def later_stream(service: Service) -> AsyncIterator[Output[int]]:
    LIFE.append("called")
    yield Output(1)


async def _all(values: Any) -> list[Any]:
    return [each async for each in values]


@pytest.mark.parametrize(
    "call",
    [
        lambda service: plain(service),
        lambda service: list(stream(service)),
        lambda service: asyncio.run(later(service)),
        lambda service: asyncio.run(_all(later_stream(service))),
    ],
)
def test_resources_among_the_arguments_are_set_up_and_torn_down(call: Callable[[Service], Any]) -> None:
    LIFE.clear()
    call(Service(url="u"))
    assert LIFE == ["set up u", "called", "torn down"]


def test_a_stand_in_for_a_resource_is_passed_as_it_is() -> None:
    LIFE.clear()
    assert plain(service=object()) == 1
    assert LIFE == ["called"]


@op(out={"a": Out(), "b": Out(is_required=False), "c": Out()})
def forgetful() -> Iterator[Output[int]]:
    yield Output(1, "a")


@op(out={"a": Out()})
def wrong_name() -> Iterator[Output[int]]:
    yield Output(1, "z")


@op
def twice() -> Iterator[Output[int]]:
    yield Output(1)
    yield Output(2)


@multi_asset(specs=[AssetSpec("x"), AssetSpec("y")])
def wrong_asset() -> Iterator[MaterializeResult[Any]]:
    yield MaterializeResult(asset_key="nope")


@op
async def forgetful_later() -> AsyncIterator[Output[int]]:
    for number in list[int]():
        yield Output(number)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: list(forgetful()), r"without giving c;"),
        (lambda: list(wrong_name()), "an output 'z', which it does not have; its outputs are: a"),
        (lambda: list(twice()), "'result' twice"),
        (lambda: list(wrong_asset()), "MaterializeResult for nope; its assets are: x, y"),
        (lambda: asyncio.run(_all(forgetful_later())), "without giving result"),
    ],
)
def test_what_is_yielded_must_fit(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


def test_what_fits_comes_as_it_is() -> None:
    @op(out=DynamicOut())
    def none_at_all() -> Iterator[DynamicOutput[int]]:
        yield from ()

    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")])
    def both() -> Iterator[MaterializeResult[Any]]:
        yield MaterializeResult(asset_key="x", metadata={"rows": 1})
        yield MaterializeResult(asset_key="y")

    assert list(none_at_all()) == []
    results = list(both())
    assert [each.asset_key for each in results] == [AssetKey("x"), AssetKey("y")]
    assert results[0].metadata == {"rows": 1}


def test_a_partition_that_is_not_there_is_refused() -> None:
    @asset(partitions_def=StaticPartitionsDefinition(["a", "b"]))
    def lettered(context: Any) -> list[str]:
        return list(context.partition_keys)

    assert lettered(build_asset_context(partition_key="b")) == ["b"]
    with pytest.raises(InvocationError, match="another partition: There is no partition 'c'"):
        lettered(build_asset_context(partition_key="c"))
