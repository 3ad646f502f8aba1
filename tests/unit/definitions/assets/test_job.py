"""Jobs of assets."""

import pytest

from penstock import (
    AssetSelection,
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
)
from penstock.definitions.assets.graph import build_asset_graph
from penstock.errors import DefinitionError

DAYS = DailyPartitionsDefinition("2024-01-01")


@asset(partitions_def=DAYS)
def by_day() -> int:
    return 1


@asset(partitions_def=HourlyPartitionsDefinition("2024-01-01-00:00"))
def by_hour() -> int:
    return 1


@asset
def whole(by_day: int) -> int:
    return by_day


@asset_check(asset=whole)
def fine() -> None: ...


GRAPH = build_asset_graph([by_day, by_hour, whole, fine])


def test_partitions_come_from_the_assets() -> None:
    job = define_asset_job("daily", "by_day or whole").resolve(GRAPH)
    assert job.partitions_def == DAYS
    assert job.asset_layer is not None
    assert job.asset_layer.assets == {"by_day", "whole"}
    assert job.asset_layer.checks == {"whole:fine"}
    assert define_asset_job("plain", [whole]).resolve(GRAPH).partitions_def is None


def test_what_cannot_be_one_job_is_refused() -> None:
    with pytest.raises(DefinitionError, match="different partitions, for example by_day and by_hour"):
        define_asset_job("all").resolve(GRAPH)
    with pytest.raises(DefinitionError, match="other partitions than its asset by_hour"):
        define_asset_job("mixed", partitions_def=DAYS).resolve(GRAPH)
    with pytest.raises(DefinitionError, match="selects nothing that can be made"):
        define_asset_job("none", AssetSelection.groups("nowhere")).resolve(GRAPH)
    with pytest.raises(DefinitionError, match=r'Job "typo" \(.*test_job\.py:\d+\): There is no asset "hole"'):
        define_asset_job("typo", "hole").resolve(GRAPH)
