"""Mappings that cannot relate two sets of partitions."""

from __future__ import annotations

import pytest

from penstock.partitions.definition import (
    DynamicPartitionsDefinition,
    PartitionsDefinition,
    StaticPartitionsDefinition,
)
from penstock.partitions.fit import misfit
from penstock.partitions.mapping import (
    AllPartitionMapping,
    PartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)
from penstock.partitions.time_window import DailyPartitionsDefinition, HourlyPartitionsDefinition

DAYS = DailyPartitionsDefinition("2024-01-01")
HOURS = HourlyPartitionsDefinition("2024-01-01-00:00")
REGIONS = StaticPartitionsDefinition(["north", "south"])
COLORS = StaticPartitionsDefinition(["red"])
CUSTOMERS = DynamicPartitionsDefinition(name="customers")


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream"),
    [
        (TimeWindowPartitionMapping(), HOURS, DAYS),
        (StaticPartitionMapping({"north": "red", "south": ["red"]}), REGIONS, COLORS),
        (StaticPartitionMapping({"acme": "red"}), CUSTOMERS, COLORS),
        (AllPartitionMapping(), REGIONS, DAYS),
    ],
)
def test_what_fits_is_let_through(
    mapping: PartitionMapping, upstream: PartitionsDefinition, downstream: PartitionsDefinition
) -> None:
    assert misfit(mapping, upstream, downstream) is None


@pytest.mark.parametrize(
    ("mapping", "upstream", "downstream", "says"),
    [
        (TimeWindowPartitionMapping(), REGIONS, DAYS, "the upstream asset has a StaticPartitionsDefinition; use"),
        (TimeWindowPartitionMapping(), DAYS, CUSTOMERS, "the downstream asset has a DynamicPartitionsDefinition"),
        (StaticPartitionMapping({"nort": "red"}), REGIONS, COLORS, '"nort", which is no partition of the upstream'),
        (StaticPartitionMapping({"north": "rde"}), REGIONS, COLORS, 'the downstream asset; did you mean "red"?'),
    ],
)
def test_what_does_not_fit_is_told_with_the_way_out(
    mapping: PartitionMapping, upstream: PartitionsDefinition, downstream: PartitionsDefinition, says: str
) -> None:
    assert says in (misfit(mapping, upstream, downstream) or "")
