"""Changing specs wherever they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from penstock import (
    AssetDep,
    AssetKey,
    AssetOut,
    AssetSpec,
    AutomationCondition,
    Definitions,
    FreshnessPolicy,
    StaticPartitionsDefinition,
    asset,
    map_asset_specs,
    multi_asset,
)
from penstock.errors import DefinitionError

EAGER = AutomationCondition.eager()
MISSING = AutomationCondition.missing()
LETTERS = StaticPartitionsDefinition(["a", "b"])


@asset
def base() -> int:
    return 1


@asset
def built(base: int) -> int:
    return base


def tagged(spec: AssetSpec) -> AssetSpec:
    return spec.merge_attributes(tags={"t": "1"})


def test_definitions_and_specs_are_changed_and_the_old_ones_stay() -> None:
    made = map_asset_specs(tagged, [built, AssetSpec("x")])
    specs = [spec for each in made for spec in (each.specs if not isinstance(each, AssetSpec) else [each])]
    assert [(str(spec.key), spec.tags) for spec in specs] == [("built", {"t": "1"}), ("x", {"t": "1"})]
    assert built.get_asset_spec().tags == {}
    assert built.map_asset_specs(tagged).get_asset_spec().tags == {"t": "1"}


def test_dependencies_may_be_added() -> None:
    made = built.map_asset_specs(lambda spec: spec.merge_attributes(deps=["more"]))
    assert made.dependency_keys == {AssetKey("base"), AssetKey("more")}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda spec: None, "gave None"),
        (lambda spec: spec.replace_attributes(key="other"), "the key stays as it is"),
        (lambda spec: spec.replace_attributes(deps=[]), "loads by a parameter; keep it"),
    ],
)
def test_what_a_change_may_not_do(change: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        map_asset_specs(change, [built])
    with pytest.raises(DefinitionError, match="give definitions and specs"):
        map_asset_specs(tagged, [3])  # type: ignore[list-item]


def test_all_or_some_assets_of_definitions() -> None:
    definitions = Definitions(assets=[base, built, AssetSpec("x")])

    def tags(changed: Definitions) -> dict[str, dict[str, str]]:
        return {str(spec.key): spec.tags for spec in changed.resolve_all_asset_specs()}

    assert set(map(str, tags(definitions.map_asset_specs(func=tagged)).values())) == {str({"t": "1"})}
    some = definitions.map_resolved_asset_specs(func=tagged, selection="base+")
    assert tags(some) == {"base": {"t": "1"}, "built": {"t": "1"}, "x": {}}
    assert tags(definitions) == {"base": {}, "built": {}, "x": {}}


def test_each_attribute_of_a_spec_is_replaced_or_kept() -> None:
    policy = FreshnessPolicy.cron(deadline_cron="@daily", lower_bound_delta=timedelta(hours=1))
    spec = AssetSpec(
        "a", automation_condition=EAGER, freshness_policy=policy, is_virtual=True, kinds={"k"}, tags={"t": "1"}
    )
    same = spec.replace_attributes(description="d")
    assert (same.automation_condition, same.freshness_policy, same.is_virtual) == (EAGER, policy, True)
    assert (same.kinds, same.tags) == ({"k"}, {"t": "1", "penstock/kind/k": ""})
    bare = spec.replace_attributes(automation_condition=None, freshness_policy=None, is_virtual=False, kinds=None)
    assert (bare.automation_condition, bare.freshness_policy, bare.is_virtual, bare.kinds) == (None, None, False, set())


def test_an_output_is_made_from_a_spec() -> None:
    spec = AssetSpec(
        ["p", "a"],
        deps=[AssetDep("up", metadata={"m": 1})],
        group_name="g",
        kinds={"k"},
        skippable=True,
        partitions_def=LETTERS,
        automation_condition=EAGER,
    ).with_io_manager_key("store")

    @multi_asset(
        outs={"first": AssetOut.from_spec(spec), "second": AssetOut(automation_condition=MISSING)},
        partitions_def=LETTERS,
    )
    def both() -> None: ...

    made = both.get_asset_spec(AssetKey(["p", "a"]))
    assert (made.group_name, made.kinds, made.partitions_def, made.automation_condition) == ("g", {"k"}, LETTERS, EAGER)
    assert [(dep.asset_key, dep.metadata) for dep in made.deps] == [(AssetKey("up"), {"m": 1})]
    assert both.get_asset_spec("second").automation_condition == MISSING
    assert both.op.outs["first"].io_manager_key == "store"
    assert not both.op.outs["first"].is_required
