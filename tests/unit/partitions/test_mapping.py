"""Mappings: the default rule, overlap of windows compared with plain search, and what is absent."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError, PartitionNotFoundError, UserCodeError
from penstock.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition, keys_of, subset_of
from penstock.partitions.dependency import downstream_keys, upstream_keys
from penstock.partitions.loading import DynamicPartitionsStore
from penstock.partitions.mapping import (
    AllPartitionMapping,
    ClosedMapping,
    IdentityPartitionMapping,
    LastPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)
from penstock.partitions.mapping_multi import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
    PartitionMappingRecord,
    default_mapping,
)
from penstock.partitions.partitions_subset import PartitionsSubset, UpstreamPartitionsResult
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
SOON = datetime(2024, 4, 2, tzinfo=UTC).timestamp()
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


@settings(deadline=None)
@given(downstream=_SETS, upstream=_SETS, first=st.integers(0, 30), length=st.integers(1, 4))
def test_windows_depend_on_those_that_they_overlap(
    downstream: TimeWindowPartitionsDefinition, upstream: TimeWindowPartitionsDefinition, first: int, length: int
) -> None:
    chosen = Subset.span(first, first + length)
    found = TimeWindowPartitionMapping().upstream(chosen, downstream.time_space, upstream.time_space, SOON)
    windows = [downstream.window(position) for position in chosen]
    expected = {
        position
        for position in range(upstream.time_space.count(SOON))
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
    late = DailyPartitionsDefinition("2024-03-01")
    with pytest.raises(
        PartitionNotFoundError,
        match="'2024-02-29' are needed and do not exist; a time-window mapping with allow_nonexistent",
    ):
        _keys(TimeWindowPartitionMapping(start_offset=-1), "2024-02-29", DAYS, late)
    lenient = TimeWindowPartitionMapping(start_offset=-1, allow_nonexistent_upstream_partitions=True)
    assert _keys(lenient, "2024-02-29", DAYS, late) == []
    with pytest.raises(PartitionNotFoundError, match="and 19 more are needed"):
        _keys(None, "2024-02-02", DAYS, HourlyPartitionsDefinition("2024-03-01-00:00"))
    with pytest.raises(PartitionNotFoundError, match="'c' are needed"):
        _keys(None, "c", LETTERS, StaticPartitionsDefinition(["a", "b"]))
    with pytest.raises(PartitionNotFoundError, match="no partition 'z' in the set"):
        _keys(None, "z", LETTERS, late)


def test_what_an_offset_adds_is_needed_only_where_it_exists() -> None:
    assert _keys(TimeWindowPartitionMapping(start_offset=-1), "2024-01-01", DAYS, DAYS) == ["2024-01-01"]
    assert _keys(TimeWindowPartitionMapping(-1, -1), "2024-01-01", DAYS, DAYS) == []
    assert _keys(TimeWindowPartitionMapping(0, 1), "2024-05-31", DAYS, DAYS) == ["2024-05-31"]
    later = DailyPartitionsDefinition("2024-01-05")
    assert _keys(TimeWindowPartitionMapping(start_offset=-1), "2024-01-05", later, DAYS) == ["2024-01-04", "2024-01-05"]


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


def test_fixed_partitions() -> None:
    fixed = SpecificPartitionsPartitionMapping(["a", "c"])
    assert _keys(fixed, "2024-02-02", DAYS, LETTERS) == ["a", "c"]
    assert upstream_keys(fixed, [], None, LETTERS, now=NOW) == ["a", "c"]
    with pytest.raises(PartitionNotFoundError, match="'z' are needed"):
        _keys(SpecificPartitionsPartitionMapping(["a", "z"]), "2024-02-02", DAYS, LETTERS)
    with pytest.raises(DefinitionError, match="must be a list of keys, not 'ab'"):
        SpecificPartitionsPartitionMapping("ab")


def test_pairs_of_keys() -> None:
    pairs = StaticPartitionMapping({"a": ["x", "y"], "b": "y"})
    ends = StaticPartitionsDefinition(["x", "y", "z"])
    assert _keys(pairs, "x", ends, LETTERS) == ["a"]
    assert _keys(pairs, "y", ends, LETTERS) == ["a", "b"]
    assert _keys(pairs, "z", ends, LETTERS) == []
    with pytest.raises(DefinitionError, match="names 'q', which is no partition"):
        _keys(StaticPartitionMapping({"q": "x"}), "x", ends, LETTERS)


_RULES = st.sampled_from(
    [
        TimeWindowPartitionMapping(),
        TimeWindowPartitionMapping(-2, -1),
        TimeWindowPartitionMapping(start_offset=-3),
        AllPartitionMapping(),
        LastPartitionMapping(),
    ]
)


@settings(deadline=None)
@given(rule=_RULES, downstream=_SETS, upstream=_SETS, first=st.integers(0, 40), length=st.integers(1, 9))
def test_downstream_is_upstream_read_backwards(
    rule: ClosedMapping,
    downstream: TimeWindowPartitionsDefinition,
    upstream: TimeWindowPartitionsDefinition,
    first: int,
    length: int,
) -> None:
    own, other = downstream.time_space, upstream.time_space
    chosen = Subset.span(first, first + length).intersection(Subset.span(0, other.count(SOON)))
    expected = [
        position
        for position in range(own.count(SOON))
        if rule.upstream(Subset.of([position]), own, other, SOON).present.intersection(chosen)
    ]
    assert list(rule.downstream(chosen, other, own, SOON)) == expected


def test_key_rules_read_backwards() -> None:
    ends = StaticPartitionsDefinition(["x", "y", "a"])
    own, other = ends.space(), LETTERS.space()
    for rule, chosen, expected in (
        (IdentityPartitionMapping(), ["a", "b"], ["a"]),
        (StaticPartitionMapping({"a": ["x", "y"], "b": "y"}), ["b"], ["y"]),
        (SpecificPartitionsPartitionMapping(["c"]), ["c"], ["x", "y", "a"]),
        (SpecificPartitionsPartitionMapping(["c"]), ["a"], []),
        (AllPartitionMapping(), [], []),
    ):
        found = rule.downstream(subset_of(other, chosen)[0], other, own, NOW)
        assert keys_of(own, found) == expected


class _Reversed(PartitionMapping):
    """Letters depend on each other from the far end."""

    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: PartitionsSubset | None,
        downstream_partitions_def: PartitionsDefinition | None,
        upstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> UpstreamPartitionsResult:
        assert downstream_partitions_subset is not None
        every = list(upstream_partitions_def.get_partition_keys(current_time))
        wanted = [every[-1 - every.index(key)] for key in downstream_partitions_subset.get_partition_keys()]
        empty = upstream_partitions_def.empty_subset()
        lost = empty.with_partition_keys(["lost"]) if "b" in wanted else None
        return UpstreamPartitionsResult(empty.with_partition_keys(wanted), lost)

    def get_downstream_partitions_for_partitions(
        self,
        upstream_partitions_subset: PartitionsSubset,
        upstream_partitions_def: PartitionsDefinition,
        downstream_partitions_def: PartitionsDefinition,
        current_time: datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> PartitionsSubset:
        return upstream_partitions_subset


def test_a_rule_of_the_users_own() -> None:
    assert _keys(_Reversed(), "a", LETTERS, LETTERS) == ["c"]
    with pytest.raises(PartitionNotFoundError, match="'lost' are needed and do not exist"):
        _keys(_Reversed(), "b", LETTERS, LETTERS)
    assert downstream_keys(_Reversed(), ["a"], LETTERS, LETTERS, now=NOW) == ["a"]

    class Broken(_Reversed):
        def get_upstream_mapped_partitions_result_for_partitions(self, *_: object, **__: object) -> Any:
            return ["a"]

    with pytest.raises(UserCodeError, match=r"Broken\..* answered \['a'\]"):
        _keys(Broken(), "a", LETTERS, LETTERS)


def test_downstream_keys() -> None:
    assert downstream_keys(None, ["2024-01-01"], DAYS, WeeklyPartitionsDefinition("2023-12-31"), now=NOW) == [
        "2023-12-31"
    ]
    assert downstream_keys(AllPartitionMapping(), ["a"], LETTERS, LETTERS, now=NOW) == ["a", "b", "c"]
    with pytest.raises(PartitionNotFoundError, match="no partition 'z'"):
        downstream_keys(None, ["z"], LETTERS, LETTERS, now=NOW)


def test_a_rule_of_penstock_answers_as_one_of_the_users_does() -> None:
    chosen = DAYS.empty_subset().with_partition_keys(["2024-01-02"])
    week = WeeklyPartitionsDefinition("2024-01-07")
    moment = datetime(2024, 6, 1, tzinfo=UTC)
    answer = TimeWindowPartitionMapping().get_upstream_mapped_partitions_result_for_partitions(
        chosen, DAYS, HOURS, moment
    )
    assert len(answer.partitions_subset) == 24
    none = TimeWindowPartitionMapping().get_upstream_mapped_partitions_result_for_partitions(chosen, DAYS, week, moment)
    assert none.required_but_nonexistent_subset is not None
    assert none.required_but_nonexistent_subset.get_partition_keys() == ["2023-12-31"]
    back = IdentityPartitionMapping().get_downstream_partitions_for_partitions(chosen, DAYS, DAYS, moment)
    assert back == chosen


def test_mappings_travel_as_records() -> None:
    for mapping in (
        SpecificPartitionsPartitionMapping(["a"]),
        StaticPartitionMapping({"a": ["b", "c"], "d": "e"}),
        MultiToSingleDimensionPartitionMapping("date"),
        MultiPartitionMapping({"a": DimensionPartitionMapping("b", TimeWindowPartitionMapping(start_offset=-1))}),
        IdentityPartitionMapping(),
        AllPartitionMapping(),
        LastPartitionMapping(),
        TimeWindowPartitionMapping(start_offset=-1),
    ):
        assert decode_json(encode_json(mapping), PartitionMappingRecord) == mapping  # type: ignore[arg-type]  # a union
