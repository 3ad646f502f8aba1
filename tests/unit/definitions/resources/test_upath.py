"""One file a value, on any file system."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import PrivateAttr
from upath import UPath

from penstock import (
    AssetIn,
    ConfigurableIOManager,
    Definitions,
    DynamicOut,
    DynamicOutput,
    Instance,
    MultiPartitionKey,
    MultiPartitionsDefinition,
    StaticPartitionsDefinition,
    UPathIOManager,
    asset,
    build_input_context,
    build_output_context,
    job,
    materialize,
    op,
)
from penstock.errors import ConfigurationError
from penstock.records import event as facts
from penstock.records.metadata import IntMetadataValue, PathMetadataValue
from penstock.records.run import Tag

LETTERS = StaticPartitionsDefinition(["a", "b", "c"])


class JsonIOManager(UPathIOManager):
    extension: str | None = ".json"

    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        path.write_text(json.dumps(obj))

    def load_from_path(self, context: Any, path: Any) -> Any:
        return json.loads(path.read_text())

    def get_metadata(self, context: Any, obj: Any) -> dict[str, Any]:
        return {"length": len(json.dumps(obj))}


@pytest.fixture(params=["local", "memory"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[UPath]:
    yield UPath(tmp_path) if request.param == "local" else UPath("memory://penstock-test")
    fsspec.filesystem("memory").store.clear()


def files(base: UPath) -> list[str]:
    return sorted(str(each)[len(str(base)) :].lstrip("/") for each in base.rglob("*") if each.is_file())


@asset(key_prefix="raw")
def whole() -> int:
    return 1


@asset(ins={"whole": AssetIn(key=["raw", "whole"])})
def next_one(whole: int) -> int:
    return whole + 1


@asset(partitions_def=LETTERS)
def letter(context: Any) -> Any:
    keys = context.partition_keys
    return keys[0] if len(keys) == 1 else {key: key for key in keys}


@asset
def all_letters(letter: dict[str, str]) -> str:
    return "".join(letter.values())


@asset(ins={"letter": AssetIn(metadata={"allow_missing_partitions": True})})
def some_letters(letter: dict[str, str]) -> str:
    return "".join(letter.values())


def make(letters: str, manager: UPathIOManager) -> None:
    for each in letters:
        materialize([letter], partition_key=each, resources={"io_manager": manager})


def test_assets_are_files_below_the_base_path(base: UPath) -> None:
    result = materialize([whole, next_one], resources={"io_manager": JsonIOManager(base)})
    assert result.output_for_node("next_one") == 2
    assert files(base) == ["next_one.json", "raw/whole.json"]
    told = [each.fact.metadata for each in result.all_events if isinstance(each.fact, facts.AssetMaterialization)]
    assert told[0] == {"path": PathMetadataValue(str(base / "raw" / "whole.json")), "length": IntMetadataValue(1)}


def test_outputs_of_ops_are_files_of_their_run(base: UPath) -> None:
    @op
    def one() -> int:
        return 1

    @op(out=DynamicOut(int))
    def several() -> Iterator[DynamicOutput[int]]:
        yield DynamicOutput(1, "k")

    @op
    def double(number: int) -> int:
        return number * 2

    @job(resource_defs={"io_manager": JsonIOManager(base)})
    def works() -> None:
        double(one())
        several().map(double.alias("again"))

    result = works.execute_in_process()
    assert result.output_for_node("again") == {"k": 2}
    run = result.run.run_id
    assert files(base) == [
        f"{run}/{name}.json" for name in ("again[k]/result", "double/result", "one/result", "several/result/k")
    ]


def test_each_partition_is_a_file(base: UPath) -> None:
    manager = JsonIOManager(base)
    make("abc", manager)
    assert files(base) == ["letter/a.json", "letter/b.json", "letter/c.json"]
    result = materialize([letter, all_letters], selection=["all_letters"], resources={"io_manager": manager})
    assert result.output_for_node("all_letters") == "abc"


def test_a_missing_partition_fails_unless_the_input_allows_it(base: UPath) -> None:
    manager = JsonIOManager(base)
    make("ac", manager)
    with pytest.raises(FileNotFoundError, match=r"no stored value of asset letter at .*b\.json"):
        materialize([letter, all_letters], selection=["all_letters"], resources={"io_manager": manager})
    result = materialize([letter, some_letters], selection=["some_letters"], resources={"io_manager": manager})
    assert result.output_for_node("some_letters") == "ac"
    lines = [each.fact.message for each in result.all_events if isinstance(each.fact, facts.LogLine)]
    assert any("Partition b is not stored" in line for line in lines)


def test_one_run_may_store_several_partitions(base: UPath) -> None:
    result = materialize(
        [letter],
        resources={"io_manager": JsonIOManager(base)},
        tags={Tag.PARTITION_RANGE_START: "a", Tag.PARTITION_RANGE_END: "b"},
    )
    assert files(base) == ["letter/a.json", "letter/b.json"]
    told = [each.fact.metadata["path"] for each in result.all_events if isinstance(each.fact, facts.HandledOutput)]
    assert told == [PathMetadataValue(str(base / "letter"))]


def test_partitions_load_at_the_same_time_where_loading_is_async(base: UPath) -> None:
    waiting: list[str] = []

    class Together(JsonIOManager):
        async def load_from_path(self, context: Any, path: Any) -> Any:
            waiting.append(path.name)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(waiting) >= len(context.asset_partition_keys), "one goes on before all have begun"
            return json.loads(path.read_text())

    make("abc", JsonIOManager(base))
    several, one = Together(base), build_input_context("x", asset_key="letter", partition_key="a")
    result = materialize([letter, all_letters], selection=["all_letters"], resources={"io_manager": several})
    assert result.output_for_node("all_letters") == "abc"
    assert several.load_input(one) == "a"

    async def inside_a_loop() -> Any:
        return several.load_input(one)

    assert asyncio.run(inside_a_loop()) == "a"

    class Fails(JsonIOManager):
        async def load_from_path(self, context: Any, path: Any) -> Any:
            return json.loads(path.with_name("nothing").read_text())

    with pytest.raises(FileNotFoundError, match="no stored value of asset letter"):
        materialize([letter, all_letters], selection=["all_letters"], resources={"io_manager": Fails(base)})


def test_what_is_stored_can_be_asked_and_deleted(base: UPath) -> None:
    manager = JsonIOManager(base)
    context = build_output_context(asset_key="x")
    assert not manager.has_output(context)
    manager.handle_output(context, 1)
    assert manager.has_output(context)
    manager.unlink(base / "x.json")
    assert not manager.has_output(context)
    assert manager.fs.protocol
    assert manager.storage_options == dict(base.storage_options)


def test_every_path_may_be_another(base: UPath) -> None:
    class Elsewhere(JsonIOManager):
        extension = None

        def get_asset_relative_path(self, context: Any) -> Any:
            return UPath("assets", *context.asset_key.path)

        def get_path_for_partition(self, context: Any, path: Any, partition: str) -> Any:
            return path / f"part={partition}"

        def get_op_output_relative_path(self, context: Any) -> Any:
            return f"outputs/{context.name}"

    manager = Elsewhere(base)
    manager.handle_output(build_output_context(asset_key=["p", "x"]), 1)
    manager.handle_output(build_output_context(asset_key="y", partition_key="k"), 2)
    manager.handle_output(build_output_context(name="z"), 3)
    assert files(base) == ["assets/p/x", "assets/y/part=k", "outputs/z"]


def test_several_dimensions_are_folders(base: UPath) -> None:
    both = MultiPartitionsDefinition({"letter": LETTERS, "day": StaticPartitionsDefinition(["1", "2"])})

    @asset(partitions_def=both)
    def cell(context: Any) -> str:
        return str(context.partition_key)

    @asset(partitions_def=LETTERS)
    def column(cell: dict[str, str]) -> list[str]:
        return sorted(cell.values())

    manager = JsonIOManager(base)
    for day in "12":
        key = MultiPartitionKey({"day": day, "letter": "a"})
        materialize([cell], partition_key=key, resources={"io_manager": manager})
    assert files(base) == ["cell/1/a.json", "cell/2/a.json"]
    result = materialize([cell, column], selection=["column"], partition_key="a", resources={"io_manager": manager})
    assert result.output_for_node("column") == ["1|a", "2|a"]
    defs = Definitions(assets=[cell], resources={"io_manager": manager})
    assert defs.load_asset_value("cell", partition_key="2|a") == "2|a"
    built = build_output_context(asset_key="cell", partition_key="2|a", asset_partitions_def=both)
    assert built.partition_key == MultiPartitionKey({"day": "2", "letter": "a"})
    assert manager.has_output(built)


def test_it_may_be_a_configurable_io_manager_too(tmp_path: Path) -> None:
    class Configured(ConfigurableIOManager, JsonIOManager):
        folder: str
        _base_path: UPath = PrivateAttr()

        def setup_for_execution(self, context: Any) -> None:
            self._base_path = UPath(self.folder)

    assert materialize([whole], resources={"io_manager": Configured(folder=str(tmp_path))}).success
    assert files(UPath(tmp_path)) == ["raw/whole.json"]


def test_the_base_path_may_be_text_or_the_instance_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    JsonIOManager().handle_output(build_output_context(asset_key="x"), 1)
    JsonIOManager("memory://penstock-test/deep").handle_output(build_output_context(asset_key="y"), 1)
    assert files(UPath(tmp_path)) == ["x.json"]
    assert files(UPath("memory://penstock-test")) == ["deep/y.json"]
    fsspec.filesystem("memory").store.clear()
    with Instance.ephemeral() as instance:
        JsonIOManager(instance.artifacts).handle_output(build_output_context(asset_key="z"), 1)
        assert files(UPath(instance.artifacts)) == ["z.json"]


def test_local_paths_need_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "upath", None)
    manager = JsonIOManager(str(tmp_path))
    manager.handle_output(build_output_context(asset_key="x"), 1)
    assert (tmp_path / "x.json").read_text() == "1"
    assert manager.storage_options == {}
    for use in (lambda: JsonIOManager("s3://bucket"), lambda: manager.fs):
        with pytest.raises(ConfigurationError, match=r"install penstock\[storage\]"):
            use()


@given(st.text(alphabet="./ab\\", min_size=1, max_size=8))
def test_no_partition_leaves_its_asset(key: str) -> None:
    base = Path("/base/asset")
    path = JsonIOManager(Path("/base")).make_safe_partition_path(base, key)  # type: ignore[arg-type]
    assert base in path.parents
    assert ".." not in path.parts
