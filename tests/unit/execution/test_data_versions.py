"""Data versions of what runs make: computed, given by user code, and told as provenance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetExecutionContext,
    AssetKey,
    AssetSpec,
    DailyPartitionsDefinition,
    DataProvenance,
    DataVersion,
    Instance,
    MaterializeResult,
    Output,
    StaticPartitionsDefinition,
    asset,
    materialize,
    observable_source_asset,
)
from penstock.records.data_version import DataVersionState, VersionTag, combined_version, computed_version
from penstock.records.event import AssetMaterialization

LETTERS = StaticPartitionsDefinition(["a", "b"])


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as made:
        yield made


def tags_of(result: Any, key: str) -> dict[str, str]:
    (fact,) = (
        event.fact
        for event in result.all_events
        if isinstance(event.fact, AssetMaterialization) and event.fact.asset == key
    )
    return fact.tags


@asset(code_version="1")
def base() -> int:
    return 1


@asset(code_version="2", deps=["outside"])
def built(base: int) -> int:
    return base


def version_in(instance: Instance, key: str) -> DataVersionState:
    return instance.storage.assets.data_versions([key])[key]


def test_a_version_follows_from_code_and_inputs_alone(instance: Instance) -> None:
    first = materialize([base, built], instance=instance)
    second = materialize([base, built], instance=instance)
    expected = computed_version("1", {})
    assert tags_of(first, "base") == {VersionTag.CODE_VERSION: "1", VersionTag.DATA_VERSION: expected}
    assert tags_of(first, "built") == tags_of(second, "built")
    assert tags_of(first, "built")[VersionTag.DATA_VERSION] == computed_version(
        "2", {"base": expected, "outside": "INITIAL"}
    )
    assert version_in(instance, "built").inputs == {"base": expected, "outside": "INITIAL"}


def test_without_a_code_version_each_run_makes_another(instance: Instance) -> None:
    @asset
    def plain() -> int:
        return 1

    first, second = (tags_of(materialize([plain], instance=instance), "plain") for _ in range(2))
    assert first[VersionTag.CODE_VERSION] != second[VersionTag.CODE_VERSION]
    assert first[VersionTag.DATA_VERSION] != second[VersionTag.DATA_VERSION]


def test_inputs_of_earlier_runs_are_found_in_the_storage_with_their_event(instance: Instance) -> None:
    materialize([base], instance=instance)
    tags = tags_of(materialize([base, built], instance=instance, selection=["built"]), "built")
    stored = version_in(instance, "base")
    assert tags[VersionTag.INPUT_DATA_VERSION + "base"] == stored.version
    assert tags[VersionTag.INPUT_EVENT_POINTER + "base"] == str(stored.event)


def test_an_observation_is_the_version_of_what_something_else_makes(instance: Instance) -> None:
    @observable_source_asset
    def outside() -> DataVersion:
        return DataVersion("x7")

    materialize([outside], instance=instance, selection=["outside"])
    tags = tags_of(materialize([outside, base, built], instance=instance), "built")
    assert tags[VersionTag.INPUT_DATA_VERSION + "outside"] == "x7"
    assert version_in(instance, "outside").observed


@pytest.mark.parametrize("form", ["output", "result"])
def test_a_version_that_user_code_gives_stands(instance: Instance, form: str) -> None:
    @asset
    def given() -> Any:
        version = DataVersion("mine")
        return Output(1, data_version=version) if form == "output" else MaterializeResult(data_version=version)

    tags = tags_of(materialize([given], instance=instance), "given")
    assert (tags[VersionTag.DATA_VERSION], tags[VersionTag.DATA_VERSION_IS_USER_PROVIDED]) == ("mine", "true")
    assert version_in(instance, "given").version == "mine"


def test_partitions_have_versions_of_their_own(instance: Instance) -> None:
    @asset(partitions_def=LETTERS, code_version="1")
    def up(context: AssetExecutionContext) -> Output[str]:
        return Output(context.partition_key, data_version=DataVersion(f"v-{context.partition_key}"))

    @asset(partitions_def=LETTERS, code_version="1")
    def same(up: str) -> None: ...

    @asset(code_version="1")
    def over_all(up: dict[str, str]) -> None: ...

    for key in ("a", "b"):
        materialize([up], instance=instance, partition_key=key)
    tags = tags_of(materialize([up, same], instance=instance, partition_key="b", selection=["same"]), "same")
    assert tags[VersionTag.INPUT_DATA_VERSION + "up"] == "v-b"
    assert VersionTag.INPUT_EVENT_POINTER + "up" in tags
    tags = tags_of(materialize([up, over_all], instance=instance, selection=["over_all"]), "over_all")
    assert tags[VersionTag.INPUT_DATA_VERSION + "up"] == combined_version({"a": "v-a", "b": "v-b"})
    found = instance.storage.assets.partition_data_versions("up", ["a", "b", "c"])
    assert {key: state.version for key, state in found.items()} == {"a": "v-a", "b": "v-b"}


def test_too_many_partitions_are_left_out(instance: Instance) -> None:
    days = DailyPartitionsDefinition("2020-01-01", end_date="2021-01-01")

    @asset(deps=[AssetSpec("days", partitions_def=days)], code_version="1")
    def over_all() -> None: ...

    tags = tags_of(materialize([AssetSpec("days", partitions_def=days), over_all], instance=instance), "over_all")
    assert not any(tag.startswith(VersionTag.INPUT_DATA_VERSION) for tag in tags)


def test_without_an_instance_versions_are_those_of_the_run() -> None:
    result = materialize([base, built])
    assert tags_of(result, "built")[VersionTag.INPUT_DATA_VERSION + "base"] == computed_version("1", {})


def test_a_context_tells_what_an_asset_was_made_of(instance: Instance) -> None:
    seen: list[DataProvenance | None] = []

    @asset(code_version="3")
    def looks(context: AssetExecutionContext, base: int) -> None:
        seen.append(context.get_asset_provenance(AssetKey("looks")))

    for _ in range(2):
        materialize([base, looks], instance=instance)
    first, second = seen
    assert first is None
    assert second == DataProvenance(
        code_version="3",
        input_data_versions={AssetKey("base"): DataVersion(computed_version("1", {}))},
        input_storage_ids={},
        is_user_provided=False,
    )


def test_provenance_is_read_from_tags() -> None:
    assert DataProvenance.from_tags({"a": "b"}) is None
    assert DataProvenance.from_tags(
        {
            VersionTag.CODE_VERSION: "1",
            VersionTag.DATA_VERSION: "x",
            VersionTag.DATA_VERSION_IS_USER_PROVIDED: "true",
            VersionTag.INPUT_DATA_VERSION + "p/q": "y",
            VersionTag.INPUT_EVENT_POINTER + "p/q": "12",
        }
    ) == DataProvenance("1", {AssetKey(["p", "q"]): DataVersion("y")}, {AssetKey(["p", "q"]): 12}, True)
