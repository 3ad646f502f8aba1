"""Mappings: the default rule, overlap of windows compared with plain search, and what is absent."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError, NotFoundError
from penstock.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition
from penstock.partitions.mapping import (
    AllPartitionMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
    PartitionMappingRecord,
    TimeWindowPartitionMapping,
    default_mapping,
    upstream_keys,
)
from penstock.partitions.spec import StaticSpec
from penstock.partitions.subset import Subset
from penstock.partitions.time_window import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
)

NOW = datetime(2024, 6, 1, tzinfo=UTC).timestamp()
DAYS = DailyPartitionsDefinition("2024-01-01")
HOURS = HourlyPartitionsDefinition("2024-01-01-00:00")
LETTERS = StaticPartitionsDefinition(["a", "b", "c"])

_ZONES = st.sampled_from(["UTC", "Europe/Berlin", "Australia/Lord_Howe"])
_SETS = st.one_of(
    st.builds(lambda zone: HourlyPartitionsDefinition("2024-03-25-00:00", timezone=zone), _ZONES),
    st.builds(
        lambda zone, hour: DailyPartitionsDefinition("2024-03-20", timezone=zone, hour_offset=hour),
        _ZONES,
        st.integers(0, 23),
    ),
    st.builds(lambda zone: WeeklyPartitionsDefinition("2024-03-01", timezone=zone), _ZONES),
    st.builds(lambda zone: MonthlyPartitionsDefinition("2024-02-01", timezone=zone), _ZONES),
)


@given(downstream=_SETS, upstream=_SETS, first=st.integers(0, 30), length=st.integers(1, 4))
def test_windows_depend_on_those_that_they_overlap(
    downstream: TimeWindowPartitionsDefinition, upstream: TimeWindowPartitionsDefinition, first: int, length: int
) -> None:
    chosen = Subset.span(first, first + length)
    found = TimeWindowPartitionMapping().upstream(chosen, downstream.time_space, upstream.time_space, NOW)
    windows = [downstream.window(position) for position in chosen]
    expected = {
        position
        for position in range(upstream.time_space.count(NOW))
        for window in [upstream.window(position)]
        if any(
            window.start.timestamp() < own.end.timestamp() and own.start.timestamp() < window.end.timestamp()
            for own in windows
        )
    }
    assert set(found.present) == expected


def _keys(
    mapping: PartitionMapping | None, key: str, downstream: PartitionsDefinition, upstream: PartitionsDefinition
) -> list[str]:
    return upstream_keys(mapping, [key], downstream, upstream, now=NOW)


def test_the_default_rule() -> None:
    assert _keys(None, "2024-02-02", DAYS, DAYS) == ["2024-02-02"]
    assert _keys(None, "2024-02-02-05:00", HOURS, DAYS) == ["2024-02-02"]
    hours = _keys(None, "2024-02-02", DAYS, HOURS)
    assert (len(hours), hours[0], hours[-1]) == (24, "2024-02-02-00:00", "2024-02-02-23:00")
    assert _keys(None, "b", LETTERS, StaticPartitionsDefinition(["x", "b"])) == ["b"]
    assert upstream_keys(None, [], None, LETTERS, now=NOW) == ["a", "b", "c"]
    assert default_mapping(StaticSpec(keys=()), DAYS.spec) == IdentityPartitionMapping()


def test_offsets_count_downstream_windows() -> None:
    before = TimeWindowPartitionMapping(start_offset=-1)
    assert _keys(before, "2024-02-02", DAYS, DAYS) == ["2024-02-01", "2024-02-02"]
    assert _keys(TimeWindowPartitionMapping(-1, -1), "2024-02-02", DAYS, DAYS) == ["2024-02-01"]
    hours = _keys(before, "2024-02-02", DAYS, HOURS)
    assert (len(hours), hours[0], hours[-1]) == (48, "2024-02-01-00:00", "2024-02-02-23:00")
    assert _keys(before, "2024-02-02-00:00", HOURS, DAYS) == ["2024-02-01", "2024-02-02"]


def test_an_upstream_partition_that_does_not_exist_is_named() -> None:
    with pytest.raises(NotFoundError, match="'2023-12-31' are needed and do not exist"):
        _keys(TimeWindowPartitionMapping(start_offset=-1), "2024-01-01", DAYS, DAYS)
    lenient = TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
    assert _keys(lenient, "2024-01-01", DAYS, DAYS) == ["2024-01-01"]
    late = DailyPartitionsDefinition("2024-03-01")
    with pytest.raises(NotFoundError, match="and 19 more are needed"):
        _keys(None, "2024-02-02", DAYS, HourlyPartitionsDefinition("2024-03-01-00:00"))
    with pytest.raises(NotFoundError, match="'c' are needed"):
        _keys(None, "c", LETTERS, StaticPartitionsDefinition(["a", "b"]))
    with pytest.raises(NotFoundError, match="no partition 'z'"):
        _keys(None, "z", LETTERS, late)


def test_identity_of_equal_sets_counts_positions_and_of_others_compares_keys() -> None:
    identity = IdentityPartitionMapping()
    chosen = Subset.of([0, 3])
    assert identity.upstream(chosen, DAYS.time_space, DAYS.time_space, NOW).present == chosen
    later = DailyPartitionsDefinition("2024-01-03")
    found = identity.upstream(chosen, DAYS.time_space, later.time_space, NOW)
    assert (found.present, found.absent, found.absent_count) == (Subset.of([1]), ("2024-01-01",), 1)


def test_all_and_last() -> None:
    assert _keys(AllPartitionMapping(), "2024-02-02", DAYS, LETTERS) == ["a", "b", "c"]
    assert _keys(LastPartitionMapping(), "2024-02-02", DAYS, LETTERS) == ["c"]
    assert upstream_keys(LastPartitionMapping(), [], None, LETTERS, now=NOW) == ["c"]
    assert _keys(LastPartitionMapping(), "a", LETTERS, StaticPartitionsDefinition([])) == []


def test_a_rule_that_does_not_fit_says_so() -> None:
    with pytest.raises(DefinitionError, match="relates two time-window partition sets"):
        _keys(TimeWindowPartitionMapping(), "a", LETTERS, DAYS)
    with pytest.raises(DefinitionError, match="IdentityPartitionMapping needs partitions on both sides"):
        upstream_keys(IdentityPartitionMapping(), [], None, DAYS, now=NOW)
    with pytest.raises(DefinitionError, match="covers no time"):
        TimeWindowPartitionMapping(start_offset=1)


def test_mappings_travel_as_records() -> None:
    for mapping in (
        IdentityPartitionMapping(),
        AllPartitionMapping(),
        LastPartitionMapping(),
        TimeWindowPartitionMapping(start_offset=-1),
    ):
        assert decode_json(encode_json(mapping), PartitionMappingRecord) == mapping  # type: ignore[arg-type]  # a union
