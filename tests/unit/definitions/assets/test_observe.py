"""Assets that something else makes and a function here looks at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetCheckResult,
    AssetCheckSpec,
    AssetIn,
    AssetKey,
    AssetSelection,
    AssetSpec,
    DataVersion,
    DataVersionsByPartition,
    Definitions,
    MaterializeResult,
    ObserveResult,
    SourceAsset,
    StaticPartitionsDefinition,
    asset,
    define_asset_job,
    materialize,
    mem_io_manager,
    multi_observable_source_asset,
    observable_source_asset,
)
from penstock.definitions.describe import describe
from penstock.errors import DefinitionError, UserCodeError
from penstock.plan.launch import plan_run
from penstock.records.data_version import VersionTag
from penstock.records.event import AssetCheckEvaluation, AssetMaterializationPlanned, AssetObservation
from penstock.records.metadata import IntMetadataValue

LETTERS = StaticPartitionsDefinition(["a", "b"])


@observable_source_asset(group_name="outside", tags={"t": "1"})
def feed() -> DataVersion:
    """What others deliver."""
    return DataVersion("7")


@asset(deps=[feed])
def made() -> None: ...


def observed(*assets: Any, **options: Any) -> list[tuple[str, str | None, str | None]]:
    result = materialize(assets, **options)
    return [
        (event.fact.asset, event.fact.partition, event.fact.tags.get(VersionTag.DATA_VERSION))
        for event in result.all_events
        if isinstance(event.fact, AssetObservation)
    ]


def test_it_is_described_and_never_made() -> None:
    assert (feed.is_observable, feed.is_materializable) == (True, False)
    description = describe(Definitions(assets=[feed, made]), "here")
    (feed_here,) = (each for each in description.assets if each.key == "feed")
    assert (feed_here.observable, feed_here.executable, feed_here.materializable) == (True, True, False)
    assert (feed_here.group, feed_here.description, feed_here.tags) == ("outside", "What others deliver.", {"t": "1"})
    graph = Definitions(assets=[feed, made]).resolve_asset_graph()
    assert AssetSelection.all().keys_in(graph) == {"made"}
    assert AssetSelection.all(include_sources=True).keys_in(graph) == {"made", "feed"}
    assert AssetSelection.assets(made).upstream().keys_in(graph) == {"made"}
    assert AssetSelection.assets(made).upstream_source_assets().keys_in(graph) == {"feed"}


def test_it_is_observed_where_it_is_selected() -> None:
    assert observed(feed, made) == []
    assert observed(feed, made, selection=["feed"]) == [("feed", None, "7")]
    job = Definitions(assets=[feed, made], jobs=[define_asset_job("look", "feed")]).get_job_def("look")
    assert [event.type for event in job.execute_in_process().all_events if "ASSET" in event.type] == [
        "ASSET_OBSERVATION"
    ]


def test_a_run_of_it_announces_no_materialization() -> None:
    location = describe(Definitions(assets=[feed, made]), "here")
    new = plan_run(location, assets=["feed", "made"], now=0.0)
    assert list(new.facts) == [AssetMaterializationPlanned(asset="made")]


def test_results_with_metadata_tags_and_checks() -> None:
    @multi_observable_source_asset(
        specs=[AssetSpec("x"), AssetSpec("y", skippable=True)], check_specs=[AssetCheckSpec("fine", asset="x")]
    )
    def both() -> Iterator[ObserveResult]:
        yield ObserveResult(
            asset_key="x",
            metadata={"rows": 3},
            tags={"k": "v"},
            data_version=DataVersion("1"),
            check_results=[AssetCheckResult(passed=True, check_name="fine")],
        )

    result = materialize([both], selection=["x", "y"])
    (fact,) = (event.fact for event in result.all_events if isinstance(event.fact, AssetObservation))
    assert (fact.asset, fact.tags) == ("x", {"k": "v", VersionTag.DATA_VERSION: "1"})
    assert fact.metadata == {"rows": IntMetadataValue(3)}
    assert [event.fact.check for event in result.all_events if isinstance(event.fact, AssetCheckEvaluation)] == ["fine"]


def test_a_part_of_several_is_observed_alone() -> None:
    @multi_observable_source_asset(specs=[AssetSpec("x"), AssetSpec("y")], can_subset=True)
    def both(context: Any) -> Iterator[ObserveResult]:
        for key in context.selected_asset_keys:
            yield ObserveResult(asset_key=key, data_version=DataVersion("1"))

    assert observed(both, selection=["y"]) == [("y", None, "1")]


def test_partitions_are_observed_one_by_one_or_all_at_once() -> None:
    @observable_source_asset(partitions_def=LETTERS)
    def parts() -> DataVersionsByPartition:
        return DataVersionsByPartition({"a": "1", "b": DataVersion("2")})

    @observable_source_asset(partitions_def=LETTERS)
    def one() -> DataVersion:
        return DataVersion("5")

    assert observed(parts, selection=["parts"]) == [("parts", "a", "1"), ("parts", "b", "2")]
    assert observed(one, selection=["one"], partition_key="b") == [("one", "b", "5")]


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (None, 'without giving "feed"'),
        (5, "passes no value"),
        (MaterializeResult(), "observes the asset feed and gave a MaterializeResult"),
        (DataVersionsByPartition({"a": "1"}), "its asset has no partitions"),
    ],
)
def test_what_it_may_not_give(returned: Any, words: str) -> None:
    @observable_source_asset(name="feed")
    def wrong() -> Any:
        return returned

    with pytest.raises(UserCodeError, match=words):
        materialize([wrong], selection=["feed"])


def test_only_an_observation_gives_plain_data_versions() -> None:
    @asset
    def wrong() -> Any:
        return DataVersion("1")

    with pytest.raises(UserCodeError, match="only a function that observes one asset gives that"):
        materialize([wrong])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"specs": []}, "needs specs of one or more assets"),
        ({"specs": [AssetSpec("x"), AssetSpec("x")]}, "has the asset x twice"),
        ({"specs": [AssetSpec("x"), AssetSpec("y", partitions_def=LETTERS)]}, "with the same partitions"),
    ],
)
def test_specs_of_several(options: dict[str, Any], words: str) -> None:
    def look() -> None: ...

    with pytest.raises(DefinitionError, match=words):
        multi_observable_source_asset(**options)(look)


# -- the older form ----------------------------------------------------------------------------------------------------


def test_a_source_asset_is_loaded_by_its_own_io_manager() -> None:
    class Constant:
        def load_input(self, context: Any) -> int:
            return len(context.asset_key.path)

        def handle_output(self, context: Any, value: Any) -> None: ...

    source = SourceAsset(["s", "numbers"], io_manager_def=Constant(), group_name="g", tags={"a": "b"})

    @asset(ins={"x": AssetIn(key=["s", "numbers"])})
    def doubled(x: int) -> int:
        return x * 2

    assert materialize([source, doubled], resources={"io_manager": mem_io_manager}).asset_value("doubled") == 4
    assert (source.group_name, source.tags, source.key) == ("g", {"a": "b"}, AssetKey(["s", "numbers"]))
    assert doubled.to_source_asset().io_manager_key == "io_manager"
    assert [each.key for each in doubled.to_source_assets()] == [AssetKey("doubled")]


def test_a_source_asset_may_be_observed() -> None:
    source = SourceAsset("feed", observe_fn=lambda: DataVersion("9"), op_tags={"a": "b"})
    assert observed(source, selection=["feed"]) == [("feed", None, "9")]
    with pytest.raises(DefinitionError, match="no observe_fn whose step"):
        SourceAsset("feed", op_tags={"a": "b"})
    with pytest.raises(DefinitionError, match="give one"):
        SourceAsset("feed", io_manager_key="x", io_manager_def=mem_io_manager)
