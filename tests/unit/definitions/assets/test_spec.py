"""What is said of an asset without the code that makes it."""

import pytest

from penstock import AssetDep, AssetKey, AssetSpec, Definitions, LastPartitionMapping, asset
from penstock.errors import DefinitionError


def test_specs_are_equal_when_all_that_they_say_is() -> None:
    assert AssetSpec("a", deps=["b"], tags={"x": "y"}) == AssetSpec(
        AssetKey("a"), deps=[AssetDep("b")], tags={"x": "y"}
    )
    assert AssetSpec("a") != AssetSpec("a", group_name="g")
    assert len({AssetSpec("a"), AssetSpec("a"), AssetSpec("b")}) == 2


def test_a_dependency_may_be_named_again_but_not_in_another_way() -> None:
    assert [dep.asset_key for dep in AssetSpec("a", deps=["b", AssetKey("b")]).deps] == [AssetKey("b")]
    with pytest.raises(DefinitionError, match="names b twice among its deps, in two ways"):
        AssetSpec("a", deps=["b", AssetDep("b", partition_mapping=LastPartitionMapping())])


def test_metadata_may_name_what_loads_an_asset() -> None:
    spec = AssetSpec("a", metadata={"penstock/io_manager_key": "lake"})
    assert spec.io_manager_key == "lake"
    assert spec.replace_attributes(group_name="g").io_manager_key == "lake"
    assert spec.with_io_manager_key("other").io_manager_key == "other"


def test_the_specs_of_definitions_have_their_group() -> None:
    @asset
    def a() -> None: ...

    specs = Definitions(assets=[a, AssetSpec("b", group_name="g")]).resolve_all_asset_specs()
    assert {spec.key.to_user_string(): spec.group_name for spec in specs} == {"a": "default", "b": "g"}
