"""Assets, multi-assets and checks as declared."""

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AllPartitionMapping,
    AssetCheckResult,
    AssetCheckSpec,
    AssetDep,
    AssetIn,
    AssetKey,
    AssetOut,
    AssetSpec,
    BackfillPolicy,
    DailyPartitionsDefinition,
    IdentityPartitionMapping,
    LastPartitionMapping,
    MaterializeResult,
    Nothing,
    asset,
    asset_check,
    multi_asset,
    multi_asset_check,
)
from penstock.errors import DefinitionError

DAYS = DailyPartitionsDefinition("2024-01-01")


def test_an_asset_is_named_by_its_function() -> None:
    @asset(group_name="sales", kinds={"sql"}, owners=["team:x"], tags={"a": "b"}, partitions_def=DAYS)
    def orders(context: object, customers: list[int]) -> list[int]:
        """All orders."""
        return customers

    spec = orders.get_asset_spec()
    assert orders.key == AssetKey("orders")
    assert orders.op.name == "orders"
    assert spec.description == "All orders."
    assert spec.kinds == {"sql"}
    assert spec.tags == {"a": "b", "penstock/kind/sql": ""}
    assert spec.partitions_def == DAYS == orders.partitions_def
    assert orders.op.tags == {"penstock/compute_kind": "sql"}
    assert orders.dependency_keys == {AssetKey("customers")}
    assert orders([1]) == [1] if not orders.op.function.takes_context else True


def test_prefix_key_and_op_name() -> None:
    @asset(key_prefix=["a", "b"])
    def c() -> int:
        return 1

    @asset(key=["x", "y z"])
    def d() -> int:
        return 1

    assert c.key.to_user_string() == "a/b/c"
    assert c.op.name == "a__b__c"
    assert d.op.name == "x__y_z"
    with pytest.raises(DefinitionError, match="give one or the other"):
        asset(key="x", name="y")


def test_dependencies_are_what_is_loaded_and_what_is_named() -> None:
    mapping = IdentityPartitionMapping()

    @asset(
        ins={"b": AssetIn(key=["p", "b"], partition_mapping=mapping), "w": AssetIn(python_type=Nothing)},
        deps=["c", AssetSpec("d"), AssetDep("e", partition_mapping=mapping)],
    )
    def a(b: int) -> int:
        return b

    deps = {dep.asset_key.to_user_string(): dep.partition_mapping for dep in a.get_asset_spec().deps}
    assert deps == {"p/b": mapping, "w": None, "c": None, "d": None, "e": mapping}
    assert a.op.ins["w"].is_nothing


def test_returning_none_stores_nothing() -> None:
    @asset
    def done() -> None: ...

    @asset
    def told() -> MaterializeResult[Any]:
        return MaterializeResult()

    assert done.op.outs["result"].is_nothing
    assert not told.op.outs["result"].is_nothing
    assert done.required_resource_keys == frozenset()
    assert told.required_resource_keys == {"io_manager"}


def _fn(x: int) -> int:
    return x


@pytest.mark.parametrize(("dep", "given"), [(AllPartitionMapping(), None), (None, AllPartitionMapping()), (None, None)])
def test_an_asset_may_be_loaded_and_named(dep: Any, given: Any) -> None:
    made = asset(
        deps=[AssetDep("x", partition_mapping=dep, metadata={"why": "both"})],
        ins={"x": AssetIn(partition_mapping=given)},
    )(_fn)

    (only,) = next(iter(made.specs)).deps
    assert (only.asset_key, only.partition_mapping, only.metadata["why"]) == (AssetKey("x"), dep or given, "both")
    assert made.inputs["x"].partition_mapping == (dep or given)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {
                "deps": [AssetDep("x", partition_mapping=AllPartitionMapping())],
                "ins": {"x": AssetIn(partition_mapping=LastPartitionMapping())},
            },
            "another partition mapping than deps gives",
        ),
        ({"deps": "abc"}, "give a list"),
        ({"deps": [AssetDep("a"), AssetDep("a", metadata={"x": 1})]}, "twice"),
        ({"deps": [3]}, "depends on 3"),
        ({"ins": {"y": AssetIn()}}, "no parameter of that name"),
        ({"group_name": "a b"}, "group 'a b'"),
        ({"owners": ["x"]}, "owner 'x'"),
        ({"partitions_def": "daily"}, "give a PartitionsDefinition"),
        ({"io_manager_def": object(), "io_manager_key": "k"}, "give one of them"),
        ({"kinds": {"a"}, "compute_kind": "b"}, "keep kinds"),
        ({"check_specs": [AssetCheckSpec("c", asset="other")]}, "which it does not make"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        asset(**options)(_fn)


def test_an_io_manager_of_its_own_becomes_a_resource() -> None:
    store = object()

    @asset(io_manager_def=store)
    def a() -> int:
        return 1

    assert a.op.outs["result"].io_manager_key == "a__io_manager"
    assert a.resource_defs["a__io_manager"].made_from is store


def test_a_multi_asset_by_outs() -> None:
    @multi_asset(
        outs={"a": AssetOut(key_prefix="p", group_name="own"), "b": AssetOut(is_required=False)},
        internal_asset_deps={"b": {AssetKey(["p", "a"])}},
        group_name="all",
        partitions_def=DAYS,
        backfill_policy=BackfillPolicy.single_run(),
    )
    def both(x: int) -> tuple[int, int]:
        return x, x

    specs = {spec.key.to_user_string(): spec for spec in both.specs}
    assert list(specs) == ["p/a", "b"]
    assert [spec.group_name for spec in specs.values()] == ["own", "all"]
    assert [dep.asset_key.to_user_string() for dep in specs["p/a"].deps] == ["x"]
    assert [dep.asset_key.to_user_string() for dep in specs["b"].deps] == ["p/a"]
    assert [out.is_required for out in both.op.outs.values()] == [True, False]
    assert both.op.name == "both"
    with pytest.raises(DefinitionError, match="makes 2 assets"):
        both.key  # noqa: B018 - looking is the test


def test_a_multi_asset_by_specs() -> None:
    @multi_asset(
        specs=[AssetSpec("a", deps=["x"]), AssetSpec(["p", "b"], deps=["a"], skippable=True)],
        check_specs=[AssetCheckSpec("fine", asset="a")],
        can_subset=True,
    )
    def both() -> Iterator[MaterializeResult[Any]]:
        yield MaterializeResult(asset_key="a")

    assert list(both.op.outs) == ["a", "p__b", "a_fine"]
    assert not both.op.outs["a"].is_required
    assert both.check_key.to_user_string() == "a:fine"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "needs outs or specs"),
        ({"specs": [AssetSpec("a")], "outs": {"a": AssetOut()}}, "needs outs or specs"),
        ({"specs": [AssetSpec("a"), AssetSpec("a")]}, "twice"),
        ({"specs": [AssetSpec("a", partitions_def=DAYS), AssetSpec("b")]}, "different partitions"),
        ({"outs": {"a": AssetOut()}, "internal_asset_deps": {"z": {AssetKey("x")}}}, "none of its outputs"),
    ],
)
def test_multi_assets_that_do_not_fit(options: dict[str, Any], words: str) -> None:
    def make() -> None: ...

    with pytest.raises(DefinitionError, match=words):
        multi_asset(**options)(make)


def test_a_check_loads_the_asset_that_it_looks_at() -> None:
    @asset_check(asset=["p", "orders"], blocking=True, additional_ins={"other": AssetIn(key="o")})
    def no_nulls(orders: list[int], other: int) -> AssetCheckResult:
        """Nothing is missing."""
        return AssetCheckResult(passed=bool(orders))

    assert no_nulls.check_key.to_user_string() == "p/orders:no_nulls"
    assert no_nulls.op.name == "p__orders_no_nulls"
    assert {name: each.key for name, each in no_nulls.inputs.items()} == {"orders": "p/orders", "other": "o"}
    (spec,) = no_nulls.check_specs
    assert spec.blocking
    assert spec.description == "Nothing is missing."


def test_a_check_with_two_unknown_parameters_is_refused() -> None:
    with pytest.raises(DefinitionError, match="only one can be the asset's value"):

        @asset_check(asset="a")
        def two(a: int, b: int) -> AssetCheckResult:
            return AssetCheckResult(passed=True)


def test_several_checks_in_one_function() -> None:
    @multi_asset_check(specs=[AssetCheckSpec("x", asset="a"), AssetCheckSpec("y", asset="b")])
    def several() -> Iterator[AssetCheckResult]:
        yield AssetCheckResult(passed=True, asset_key="a", check_name="x")

    assert {key.to_user_string() for key in several.check_keys} == {"a:x", "b:y"}
    with pytest.raises(DefinitionError, match="each check once"):
        multi_asset_check(specs=[], name="none")(lambda: None)


def test_spec_changes_make_new_specs() -> None:
    spec = AssetSpec("a", deps=["x"], tags={"t": "1"}, kinds={"sql"}, owners=["team:a"])
    assert [dep.asset_key for dep in spec.merge_attributes(deps=["y"]).deps] == [AssetKey("x"), AssetKey("y")]
    merged = spec.merge_attributes(tags={"u": "2"}, kinds={"csv"}, metadata={"m": 1}, owners=["team:b"])
    assert merged.tags == {"t": "1", "u": "2", "penstock/kind/csv": "", "penstock/kind/sql": ""}
    assert merged.owners == ("team:a", "team:b")
    replaced = spec.replace_attributes(key="b", kinds=None, deps=[])
    assert (replaced.key, replaced.kinds, replaced.deps) == (AssetKey("b"), set(), ())
    assert spec.with_io_manager_key("k").replace_attributes().io_manager_key == "k"


def test_backfill_policies() -> None:
    assert BackfillPolicy.single_run().max_partitions_per_run is None
    assert BackfillPolicy.multi_run(5).max_partitions_per_run == 5
    with pytest.raises(DefinitionError, match="max_partitions_per_run=0; give 1 or more"):
        BackfillPolicy(0)


def test_a_definition_given_to_deps_means_all_its_assets() -> None:
    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b")])
    def both() -> None: ...

    @asset(deps=[both])
    def c() -> None: ...

    assert c.dependency_keys == {AssetKey("a"), AssetKey("b")}
    with pytest.raises(DefinitionError, match="name the one that is meant"):
        AssetDep(both).asset_key  # noqa: B018 - looking is the test
