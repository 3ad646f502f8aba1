"""The asset graph: dependencies resolved to keys."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    AssetIn,
    AssetKey,
    AssetSpec,
    DailyPartitionsDefinition,
    TimeWindowPartitionMapping,
    asset,
    asset_check,
)
from penstock.definitions.assets.definition import AssetsDefinition
from penstock.definitions.assets.graph import AssetGraph, build_asset_graph
from penstock.errors import DefinitionError


def _make(name: str, *deps: str, prefix: str | None = None, group: str | None = None) -> AssetsDefinition:
    def fn() -> None: ...

    fn.__name__ = name
    return asset(deps=[AssetKey.from_user_string(each) for each in deps], key_prefix=prefix, group_name=group)(fn)


def _loading(name: str, parameter: str, group: str | None = None) -> AssetsDefinition:
    scope: dict[str, object] = {}
    exec(f"def {name}({parameter}): ...", scope)
    fn: Any = scope[name]
    return asset(group_name=group)(fn)


def test_each_asset_comes_after_those_that_it_depends_on() -> None:
    graph = build_asset_graph([_make("c", "b"), _make("b", "a", "outside"), _make("a")])
    assert list(graph.assets) == ["a", "outside", "b", "c"]
    assert graph.assets["a"].dependents == ["b"]
    assert graph.assets["b"].deps == ("a", "outside")
    assert graph.executable() == ["a", "b", "c"]
    assert not graph.assets["outside"].declared


def test_a_parameter_finds_the_asset_of_its_group_by_the_last_part() -> None:
    graph = build_asset_graph(
        [
            _make("x", prefix="p", group="g"),
            _make("x", prefix="q", group="h"),
            _loading("y", "x", group="g"),
        ]
    )
    assert graph.assets["y"].deps == ("p/x",)
    assert graph.inputs["y"]["x"].key == "p/x"


def test_a_parameter_that_could_mean_two_assets_is_refused() -> None:
    with pytest.raises(
        DefinitionError, match=r"which may be p/x or q/x; say which with ins=\{'x': AssetIn\(key=\.\.\.\)\}"
    ):
        build_asset_graph([_make("x", prefix="p"), _make("x", prefix="q"), _loading("y", "x")])


def test_a_value_of_an_unknown_asset_is_refused_with_the_nearest() -> None:
    with pytest.raises(DefinitionError, match=r'there is no such asset; did you mean "orders"\?'):
        build_asset_graph([_make("orders"), _loading("y", "order")])
    graph = build_asset_graph([_loading("y", "order")], [(AssetSpec("order"), None)])
    assert graph.assets["order"].declared
    assert not graph.assets["order"].executable


def test_the_same_asset_twice_names_both_places() -> None:
    with pytest.raises(DefinitionError, match=r"Two definitions have the asset a: at .*test_graph\.py:\d+ and at"):
        build_asset_graph([_make("a"), _make("a")])
    with pytest.raises(DefinitionError, match="have the asset a:"):
        build_asset_graph([_make("a")], [(AssetSpec("a"), None)])


def test_a_circle_is_shown_in_full() -> None:
    with pytest.raises(DefinitionError, match=r"in a circle: (a -> c -> b -> a|c -> b -> a -> c|b -> a -> c -> b)"):
        build_asset_graph([_make("a", "c"), _make("b", "a"), _make("c", "b")])


def test_an_asset_may_build_on_its_own_earlier_partitions_only() -> None:
    @asset(
        partitions_def=DailyPartitionsDefinition("2024-01-01"),
        ins={"total": AssetIn(partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))},
    )
    def total(total: int) -> int:
        return total

    assert list(build_asset_graph([total]).assets) == ["total"]
    with pytest.raises(DefinitionError, match="depends on itself"):
        build_asset_graph([_make("a", "a")])


def test_checks_belong_to_their_assets() -> None:
    @asset_check(asset="a", additional_deps=["b"])
    def fine() -> None: ...

    graph = build_asset_graph([_make("a"), _make("b"), fine])
    assert graph.assets["a"].checks == ["a:fine"]
    assert graph.checks["a:fine"].deps == ("b",)
    with pytest.raises(DefinitionError, match="the check a:fine"):
        build_asset_graph([fine, fine.replaced()])


def _random_graph(edges: list[tuple[int, int]], count: int, seed: int) -> AssetGraph:
    deps: dict[int, set[int]] = {number: set() for number in range(count)}
    for first, second in edges:
        low, high = sorted((first % count, second % count))
        if low != high:
            deps[high].add(low)
    made = [_make(f"n{number}", *(f"n{each}" for each in sorted(each_deps))) for number, each_deps in deps.items()]
    random.Random(seed).shuffle(made)
    return build_asset_graph(made)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40), st.integers(1, 15), st.integers(0, 1000)
)
def test_any_acyclic_graph_is_sorted(edges: list[tuple[int, int]], count: int, seed: int) -> None:
    graph = _random_graph(edges, count, seed)
    place = {key: index for index, key in enumerate(graph.assets)}
    assert len(place) == count
    for key, node in graph.assets.items():
        assert all(place[dep] < place[key] for dep in node.deps)
        assert all(key in graph.assets[dependent].deps for dependent in node.dependents)
