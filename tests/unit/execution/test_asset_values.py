"""Stored values of assets, loaded outside of a run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    AssetExecutionContext,
    AssetSpec,
    Definitions,
    DynamicPartitionsDefinition,
    FilesystemIOManager,
    InMemoryIOManager,
    InputContext,
    Instance,
    IOManager,
    OutputContext,
    PartitionKeyRange,
    SourceAsset,
    StaticPartitionsDefinition,
    asset,
    io_manager,
    materialize,
    with_resources,
)
from penstock.errors import ConfigurationError, EnvironmentalError, InvocationError, NotFoundError


@asset(metadata={"table": "numbers"})
def number() -> int:
    return 7


@asset(partitions_def=StaticPartitionsDefinition(["a", "b", "c"]))
def letter(context: AssetExecutionContext) -> str:
    return context.partition_key


@pytest.fixture
def defs(tmp_path: Path) -> Definitions:
    resources = {"io_manager": FilesystemIOManager(tmp_path)}
    materialize([number], resources=resources)
    for key in "ab":
        materialize([letter], partition_key=key, resources=resources)
    return Definitions(assets=[number, letter, AssetSpec("outside")], resources=resources)


def test_values_are_loaded_where_they_were_stored(defs: Definitions) -> None:
    assert defs.load_asset_value("number") == 7
    assert defs.load_asset_value("letter", partition_key="b") == "b"
    with defs.get_asset_value_loader() as loader:
        several = PartitionKeyRange("a", "b")
        assert loader.load_asset_value("letter", partition_key_range=several) == {"a": "a", "b": "b"}


def test_what_cannot_be_loaded_is_named(defs: Definitions) -> None:
    with pytest.raises(NotFoundError, match='no asset "numbr" here; did you mean "number"'):
        defs.load_asset_value("numbr")
    with pytest.raises(InvocationError, match="letter has partitions; give partition_key"):
        defs.load_asset_value("letter")
    with pytest.raises(InvocationError, match="number has no partitions; leave out 'a'"):
        defs.load_asset_value("number", partition_key="a")
    with pytest.raises(NotFoundError, match="z"):
        defs.load_asset_value("letter", partition_key="z")
    with pytest.raises(EnvironmentalError, match="no stored value of asset letter"):
        defs.load_asset_value("letter", partition_key="c")
    with pytest.raises(EnvironmentalError, match="no stored value of asset outside"):
        defs.load_asset_value("outside")


def test_the_folder_of_an_instance() -> None:
    defs = Definitions(assets=[number])
    with Instance.ephemeral() as instance:
        materialize([number], instance=instance)
        assert defs.load_asset_value("number", instance=instance) == 7
    with pytest.raises(ConfigurationError, match="pass an instance"):
        defs.load_asset_value("number")


def test_dynamic_partitions_come_from_the_instance(tmp_path: Path) -> None:
    @asset(partitions_def=DynamicPartitionsDefinition(name="towns"))
    def town(context: AssetExecutionContext) -> str:
        return context.partition_key

    resources = {"io_manager": FilesystemIOManager(tmp_path)}
    defs = Definitions(assets=[town], resources=resources)
    with Instance.ephemeral() as instance:
        instance.storage.assets.add_dynamic_partitions("towns", ["ulm", "bonn"])
        for key in ("ulm", "bonn"):
            materialize([town], partition_key=key, instance=instance, resources=resources)
        with defs.get_asset_value_loader(instance) as loader:
            both = loader.load_asset_value("town", partition_key_range=PartitionKeyRange("ulm", "bonn"))
    assert both == {"ulm": "ulm", "bonn": "bonn"}


def test_what_the_io_manager_sees_and_how_long_it_lives() -> None:
    seen: list[Any] = []
    trail: list[str] = []

    class Sees(IOManager):
        def handle_output(self, context: OutputContext, obj: Any) -> None: ...

        def load_input(self, context: InputContext) -> Any:
            stored = context.upstream_output
            assert stored is not None
            seen.append((context.python_type, dict(context.definition_metadata), dict(stored.definition_metadata)))
            assert not context.has_input_name
            assert stored.asset_spec.key == context.asset_key
            return context.resource_config["word"]

    @io_manager(config_schema={"word": str}, required_resource_keys={"other"})
    def sees(context: Any) -> Iterator[IOManager]:
        trail.append(f"up {context.resources.other}")
        yield Sees()
        trail.append("down")

    defs = Definitions(assets=[number], resources={"io_manager": sees, "other": 1})
    config = {"io_manager": {"config": {"word": "hi"}}}
    with defs.get_asset_value_loader() as loader:
        given = {"input_definition_metadata": {"x": 1}, "resource_config": config}
        assert loader.load_asset_value("number", python_type=str, **given) == "hi"  # type: ignore[arg-type]
        assert loader.load_asset_value("number") == "hi"
        assert trail == ["up 1"]
    assert trail == ["up 1", "down"]
    assert seen == [(str, {"x": 1}, {"table": "numbers"}), (Any, {}, {"table": "numbers"})]


def test_an_asset_may_bring_its_io_manager() -> None:
    store = InMemoryIOManager()

    @asset(io_manager_def=store)
    def own() -> int:
        return 3

    materialize([own])
    assert Definitions(assets=[own]).load_asset_value("own") == 3

    outside = SourceAsset("own", io_manager_key="shelf")
    bound = with_resources([outside], {"shelf": store})
    assert Definitions(assets=bound).load_asset_value("own") == 3
