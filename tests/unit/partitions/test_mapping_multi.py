"""Mappings of sets of several dimensions, compared with plain search over all keys."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DefinitionError, PartitionNotFoundError
from penstock.partitions.definition import PartitionsDefinition, StaticPartitionsDefinition
from penstock.partitions.dependency import upstream_keys
from penstock.partitions.mapping import (
    AllPartitionMapping,
    ClosedMapping,
    IdentityPartitionMapping,
    PartitionMapping,
    SpecificPartitionsPartitionMapping,
    StaticPartitionMapping,
    TimeWindowPartitionMapping,
)
from penstock.partitions.mapping_multi import (
    DimensionPartitionMapping,
    MultiPartitionMapping,
    MultiToSingleDimensionPartitionMapping,
    default_mapping,
)
from penstock.partitions.multi import MultiPartitionsDefinition
from penstock.partitions.subset import Subset
from penstock.partitions.time_window import DailyPartitionsDefinition, WeeklyPartitionsDefinition

NOW = datetime(2024, 1, 15, tzinfo=UTC).timestamp()
DAYS = DailyPartitionsDefinition("2024-01-01")
WEEKS = WeeklyPartitionsDefinition("2023-12-31")
LETTERS = StaticPartitionsDefinition(["a", "b"])
COLOURS = StaticPartitionsDefinition(["red", "blue"])
SALES = MultiPartitionsDefinition({"date": DAYS, "letter": LETTERS})
WEEKLY = MultiPartitionsDefinition({"date": WEEKS, "letter": LETTERS})
CUBE = MultiPartitionsDefinition({"colour": COLOURS, "date": DAYS, "letter": LETTERS})


def _keys(
    mapping: PartitionMapping | None, key: str, downstream: PartitionsDefinition, upstream: PartitionsDefinition
) -> list[str]:
    return upstream_keys(mapping, [key], downstream, upstream, now=NOW)


def test_a_set_of_one_dimension_depends_on_all_that_have_its_key() -> None:
    assert _keys(None, "2024-01-02", DAYS, SALES) == ["2024-01-02|a", "2024-01-02|b"]
    assert len(_keys(None, "a", LETTERS, SALES)) == 14
    week = _keys(None, "2024-01-07", WEEKS, SALES)
    assert (len(week), week[0], week[-1]) == (14, "2024-01-07|a", "2024-01-13|b")


def test_a_set_of_several_depends_on_the_key_of_one_dimension() -> None:
    assert _keys(None, "2024-01-02|a", SALES, DAYS) == ["2024-01-02"]
    assert _keys(None, "2024-01-02|a", SALES, LETTERS) == ["a"]
    assert _keys(None, "2024-01-08|a", SALES, WEEKS) == ["2024-01-07"]
    assert _keys(MultiToSingleDimensionPartitionMapping("letter"), "2024-01-02|a", SALES, LETTERS) == ["a"]
    with pytest.raises(PartitionNotFoundError, match="'red' are needed"):
        _keys(MultiToSingleDimensionPartitionMapping("colour"), "red|2024-01-02|a", CUBE, LETTERS)


def test_dimensions_of_one_name_are_related_by_default() -> None:
    assert _keys(None, "2024-01-02|a", SALES, CUBE) == ["blue|2024-01-02|a", "red|2024-01-02|a"][::-1]
    assert _keys(None, "red|2024-01-02|a", CUBE, SALES) == ["2024-01-02|a"]
    assert _keys(None, "2024-01-02|a", SALES, SALES) == ["2024-01-02|a"]
    assert _keys(None, "2024-01-07|b", WEEKLY, SALES)[-1] == "2024-01-13|b"
    apart = MultiPartitionsDefinition({"x": LETTERS, "y": COLOURS})
    assert default_mapping(apart.spec, SALES.spec) == IdentityPartitionMapping()


def test_dimensions_are_related_by_rules() -> None:
    rule = MultiPartitionMapping(
        {
            "date": DimensionPartitionMapping("date", TimeWindowPartitionMapping(-1, -1)),
            "letter": DimensionPartitionMapping("letter", IdentityPartitionMapping()),
        }
    )
    assert _keys(rule, "2024-01-02|a", SALES, SALES) == ["2024-01-01|a"]
    assert _keys(rule, "2024-01-01|a", SALES, SALES) == []
    only_letter = MultiPartitionMapping({"letter": DimensionPartitionMapping("letter", IdentityPartitionMapping())})
    assert len(_keys(only_letter, "2024-01-01|a", SALES, SALES)) == 14
    renamed = MultiPartitionsDefinition({"day": DAYS, "kind": LETTERS})
    crossed = MultiPartitionMapping(
        {
            "day": DimensionPartitionMapping("date", IdentityPartitionMapping()),
            "kind": DimensionPartitionMapping("letter", StaticPartitionMapping({"a": "b", "b": "a"})),
        }
    )
    assert _keys(crossed, "2024-01-03|a", SALES, renamed) == ["2024-01-03|b"]


def test_what_does_not_exist_is_named() -> None:
    late = MultiPartitionsDefinition({"date": DailyPartitionsDefinition("2024-01-10"), "letter": LETTERS})
    with pytest.raises(PartitionNotFoundError, match=r"'2024-01-02\|a' are needed and do not exist"):
        _keys(None, "2024-01-02|a", SALES, late)
    with pytest.raises(PartitionNotFoundError, match=r"'2024-01-02\|a' and 1 more are needed"):
        _keys(None, "2024-01-02", DAYS, late)


@pytest.mark.parametrize(
    ("rule", "downstream", "upstream", "message"),
    [
        (
            MultiToSingleDimensionPartitionMapping(),
            CUBE,
            StaticPartitionsDefinition(["q"]),
            "give partition_dimension_name",
        ),
        (MultiToSingleDimensionPartitionMapping("size"), CUBE, LETTERS, "names the dimension 'size'; the set has"),
        (MultiToSingleDimensionPartitionMapping(), LETTERS, LETTERS, "several dimensions and a set of one"),
        (MultiPartitionMapping({}), SALES, LETTERS, "relates two partition sets of several dimensions"),
        (
            MultiPartitionMapping({"size": DimensionPartitionMapping("date", AllPartitionMapping())}),
            SALES,
            SALES,
            "names the upstream dimension 'size'",
        ),
    ],
)
def test_a_rule_that_does_not_fit_says_so(
    rule: ClosedMapping, downstream: PartitionsDefinition, upstream: PartitionsDefinition, message: str
) -> None:
    own, other = downstream.space(None, NOW), upstream.space(None, NOW)
    with pytest.raises(DefinitionError, match=message):
        rule.upstream(Subset.of([0]), own, other, NOW)


def test_a_dimension_takes_a_rule_for_one_dimension() -> None:
    with pytest.raises(DefinitionError, match="takes a built-in mapping between sets of one dimension"):
        DimensionPartitionMapping("date", MultiPartitionMapping({}))  # type: ignore[arg-type]  # refused


_CASES: list[tuple[ClosedMapping, PartitionsDefinition, PartitionsDefinition]] = [
    (MultiToSingleDimensionPartitionMapping("date"), SALES, DAYS),
    (MultiToSingleDimensionPartitionMapping("date"), WEEKS, SALES),
    (MultiToSingleDimensionPartitionMapping("letter"), LETTERS, CUBE),
    (default_mapping(SALES.spec, CUBE.spec), SALES, CUBE),
    (default_mapping(CUBE.spec, SALES.spec), CUBE, SALES),
    (default_mapping(WEEKLY.spec, CUBE.spec), WEEKLY, CUBE),
    (
        MultiPartitionMapping(
            {
                "date": DimensionPartitionMapping("date", TimeWindowPartitionMapping(-2, -1)),
                "colour": DimensionPartitionMapping("letter", StaticPartitionMapping({"red": "a", "blue": ["a", "b"]})),
            }
        ),
        SALES,
        CUBE,
    ),
    (
        MultiPartitionMapping(
            {"letter": DimensionPartitionMapping("letter", SpecificPartitionsPartitionMapping(["b"]))}
        ),
        CUBE,
        SALES,
    ),
]


@settings(deadline=None)
@given(case=st.sampled_from(_CASES), chosen=st.lists(st.integers(0, 60), max_size=6))
def test_downstream_is_upstream_read_backwards(
    case: tuple[ClosedMapping, PartitionsDefinition, PartitionsDefinition], chosen: list[int]
) -> None:
    rule, downstream, upstream = case
    own, other = downstream.space(None, NOW), upstream.space(None, NOW)
    subset = Subset.of(chosen).intersection(Subset.span(0, other.count(NOW)))
    expected = [
        position
        for position in range(own.count(NOW))
        if rule.upstream(Subset.of([position]), own, other, NOW).present.intersection(subset)
    ]
    assert list(rule.downstream(subset, other, own, NOW)) == expected


@settings(deadline=None)
@given(case=st.sampled_from(_CASES), chosen=st.lists(st.integers(0, 60), max_size=6))
def test_a_part_depends_on_what_its_partitions_depend_on(
    case: tuple[ClosedMapping, PartitionsDefinition, PartitionsDefinition], chosen: list[int]
) -> None:
    rule, downstream, upstream = case
    own, other = downstream.space(None, NOW), upstream.space(None, NOW)
    subset = Subset.of(chosen).intersection(Subset.span(0, own.count(NOW)))
    each = [rule.upstream(Subset.of([position]), own, other, NOW).present for position in subset]
    assert rule.upstream(subset, own, other, NOW).present == Subset.of_ranges(
        span for part in each for span in part.ranges
    )
