"""Sets of several dimensions: keys, positions and parts of them compared with the plain product."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError, InvocationError, PartitionNotFoundError
from penstock.partitions.definition import (
    DynamicPartitionsDefinition,
    PartitionKeyRange,
    PartitionsDefinition,
    StaticPartitionsDefinition,
)
from penstock.partitions.multi import MultiPartitionsDefinition, as_partition_key
from penstock.partitions.multi_key import MultiPartitionKey
from penstock.partitions.multi_space import MultiSpace, positions_stay
from penstock.partitions.space import between, pieces
from penstock.partitions.spec import PartitionsSpec
from penstock.partitions.subset import Subset
from penstock.partitions.time_window import DailyPartitionsDefinition, HourlyPartitionsDefinition

NOW = datetime(2024, 1, 5, tzinfo=UTC)
DAYS = DailyPartitionsDefinition("2024-01-01")
LETTERS = StaticPartitionsDefinition(["a", "b", "c"])
SHOPS = DynamicPartitionsDefinition(name="shops")
SALES = MultiPartitionsDefinition({"letter": LETTERS, "date": DAYS})


class _Store:
    def __init__(self, *shops: str) -> None:
        self.shops = shops

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        assert partitions_def_name == "shops"
        return self.shops


def _space(partitions: PartitionsDefinition, now: datetime = NOW) -> MultiSpace:
    space = partitions.space(_Store("x", "y"), now.timestamp())
    assert isinstance(space, MultiSpace)
    return space


def test_keys_join_those_of_the_dimensions_in_the_order_of_names() -> None:
    assert SALES.get_partition_keys(NOW) == [f"2024-01-0{day}|{letter}" for day, letter in product(range(1, 5), "abc")]
    assert SALES.get_num_partitions(NOW) == 12
    assert SALES.partition_dimension_names == ["date", "letter"]
    first = SALES.get_first_partition_key(NOW)
    assert isinstance(first, MultiPartitionKey)
    assert first.keys_by_dimension == {"date": "2024-01-01", "letter": "a"}
    assert SALES.has_partition_key("2024-01-04|c", NOW)
    assert not SALES.has_partition_key("2024-01-05|c", NOW)
    assert not SALES.has_partition_key("2024-01-04", NOW)


def test_three_and_more_dimensions() -> None:
    cube = MultiPartitionsDefinition({"c": LETTERS, "a": SHOPS, "b": DAYS, "d": StaticPartitionsDefinition(["1", "2"])})
    keys = cube.get_partition_keys(NOW, _Store("x", "y"))
    assert sorted(keys) == sorted(
        "|".join(parts) for parts in product("xy", [f"2024-01-0{day}" for day in range(1, 5)], "abc", "12")
    )
    space = _space(cube)
    assert [space.position(key) for key in keys] == list(range(len(keys)))


def test_positions_stay_when_time_goes_on() -> None:
    later = datetime(2025, 1, 1, tzinfo=UTC)
    before = SALES.get_partition_keys(NOW)
    assert SALES.get_partition_keys(later)[: len(before)] == before
    assert positions_stay(SALES.spec)
    assert not positions_stay(MultiPartitionsDefinition({"a": DAYS, "b": SHOPS}).spec)
    assert not positions_stay(
        MultiPartitionsDefinition({"a": DAYS, "b": HourlyPartitionsDefinition("2024-01-01-00:00")}).spec
    )


def test_two_dimensions_of_time() -> None:
    both = MultiPartitionsDefinition({"made": DAYS, "seen": DailyPartitionsDefinition("2024-01-02")})
    assert both.get_num_partitions(NOW) == 12
    assert len(set(both.get_partition_keys(NOW))) == 12
    assert not both.has_time_window_dimension
    with pytest.raises(DefinitionError, match="Not exactly one of the dimensions made, seen"):
        both.time_window_for_partition_key("2024-01-01|2024-01-02")


def test_a_dimension_without_keys_leaves_none() -> None:
    empty = MultiPartitionsDefinition({"a": DAYS, "b": StaticPartitionsDefinition([])})
    assert empty.get_partition_keys(NOW) == []
    assert not empty.has_partition_key("2024-01-01|x", NOW)
    assert _space(empty).product({"a": Subset.span(0, 4), "b": Subset()}) == Subset()


def test_a_range_is_one_of_each_dimension() -> None:
    whole = PartitionKeyRange("2024-01-02|a", "2024-01-03|b")
    assert SALES.get_partition_keys_in_range(whole, NOW) == [
        "2024-01-02|a",
        "2024-01-02|b",
        "2024-01-03|a",
        "2024-01-03|b",
    ]
    fixed = PartitionKeyRange("2024-01-02|b", "2024-01-04|b")
    assert SALES.get_partition_keys_in_range(fixed, NOW) == ["2024-01-02|b", "2024-01-03|b", "2024-01-04|b"]
    assert SALES.get_partition_keys_in_range(PartitionKeyRange("2024-01-03|b", "2024-01-04|a"), NOW) == []
    with pytest.raises(PartitionNotFoundError, match=r"a key here is date\|letter, for example '2024-01-01\|a'"):
        SALES.get_partition_keys_in_range(PartitionKeyRange("2024-01-03|b", "2024-01-04|z"), NOW)


def test_the_time_of_a_key_and_the_keys_of_a_dimension() -> None:
    assert SALES.time_window_dimension is DAYS
    assert SALES.time_window_for_partition_key("2024-01-02|a") == DAYS.time_window_for_partition_key("2024-01-02")
    assert SALES.get_multipartition_keys_with_dimension_value("letter", "b", NOW) == [
        f"2024-01-0{day}|b" for day in range(1, 5)
    ]
    assert SALES.get_multipartition_keys_with_dimension_value("date", "2024-01-05", NOW) == []
    with pytest.raises(DefinitionError, match="no partition dimension 'colour'; there are date, letter"):
        SALES.get_multipartition_keys_with_dimension_value("colour", "b", NOW)


def test_a_key_is_a_text_that_knows_its_parts() -> None:
    key = MultiPartitionKey({"letter": "a", "date": "2024-01-01"})
    assert key == "2024-01-01|a"
    assert {str(key): 1}[key] == 1
    for same in (copy.deepcopy(key), pickle.loads(pickle.dumps(key))):
        assert same.keys_by_dimension == {"date": "2024-01-01", "letter": "a"}
    assert encode_json({"key": key}) == b'{"key":"2024-01-01|a"}'
    assert as_partition_key(SALES, str(key)) == key
    assert isinstance(as_partition_key(SALES, str(key)), MultiPartitionKey)
    assert as_partition_key(LETTERS, "a") == "a"
    for refused in ({}, {"a": "x|y"}, "a|b"):
        with pytest.raises(InvocationError):
            MultiPartitionKey(refused)  # type: ignore[arg-type]  # refused


def test_sets_are_equal_by_content_and_travel_as_records() -> None:
    same = MultiPartitionsDefinition({"date": DailyPartitionsDefinition("2024-01-01"), "letter": LETTERS})
    assert same == SALES
    assert hash(same) == hash(SALES)
    assert same != MultiPartitionsDefinition({"date": DAYS, "letters": LETTERS})
    assert decode_json(encode_json(SALES.spec), PartitionsSpec) == SALES.spec  # type: ignore[arg-type]  # a union


@pytest.mark.parametrize(
    ("dimensions", "message"),
    [
        ({"a": LETTERS}, "at least two dimensions"),
        ([LETTERS, DAYS], "takes a mapping"),
        ({"a": LETTERS, "b": SALES}, "'b' is .* must be a static, time-window or dynamic"),
        ({"a": LETTERS, "b": StaticPartitionsDefinition(["x|y"])}, r"'x\|y' of dimension 'b' contains"),
        ({"a": LETTERS, "b": DailyPartitionsDefinition("2024|01|01", fmt="%Y|%m|%d")}, "of dimension 'b' contains"),
        ({"a": LETTERS, "": DAYS}, "'' cannot be the name"),
    ],
)
def test_what_is_not_valid_is_refused(dimensions: object, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        MultiPartitionsDefinition(dimensions)  # type: ignore[arg-type]  # refused


def test_a_key_added_at_run_time_cannot_contain_the_separator() -> None:
    cube = MultiPartitionsDefinition({"shop": SHOPS, "date": DAYS})
    with pytest.raises(DefinitionError, match=r"'x\|y' of dimension 'shop' contains"):
        cube.get_partition_keys(NOW, _Store("x|y"))


_sizes = st.lists(st.integers(1, 4), min_size=2, max_size=4)
_chosen = st.lists(st.integers(0, 255), max_size=40)


def _cube(sizes: list[int]) -> MultiPartitionsDefinition:
    return MultiPartitionsDefinition(
        {
            f"d{number}": StaticPartitionsDefinition([f"{number}{each}" for each in range(size)])
            for number, size in enumerate(sizes)
        }
    )


@settings(deadline=None)
@given(sizes=_sizes, chosen=_chosen)
def test_boxes_are_the_part_taken_apart(sizes: list[int], chosen: list[int]) -> None:
    space = _space(_cube(sizes))
    subset = Subset.of(chosen).intersection(Subset.span(0, space.count(0)))
    boxes = [space.product(box) for box in space.boxes(subset)]
    assert sum(len(each) for each in boxes) == len(subset)
    assert Subset.of_ranges(span for each in boxes for span in each.ranges) == subset


@settings(deadline=None)
@given(sizes=_sizes, data=st.data())
def test_a_product_has_all_combinations(sizes: list[int], data: st.DataObject) -> None:
    space = _space(_cube(sizes))
    box = {
        name: Subset.of(data.draw(st.lists(st.integers(0, size - 1))))
        for name, size in zip(space.names, sizes, strict=True)
    }
    expected = {
        "|".join(space.spaces[name].key(at) for name, at in zip(box, combo, strict=True))
        for combo in product(*box.values())
    }
    assert {str(space.key(position)) for position in space.product(box)} == expected


def test_many_partitions_are_counted_without_naming_them() -> None:
    minutes = HourlyPartitionsDefinition("1990-01-01-00:00")
    many = MultiPartitionsDefinition(
        {"time": minutes, "shop": StaticPartitionsDefinition([str(n) for n in range(10_000)])}
    )
    space = _space(many)
    count = space.count(NOW.timestamp())
    assert count > 2_900_000_000
    assert space.position(space.key(count - 1)) == count - 1
    assert [len(box["time"]) for box in space.boxes(Subset.span(5, count - 5))] == [1, count // 10_000 - 2, 1]


@settings(deadline=None)
@given(sizes=_sizes, chosen=_chosen, at_most=st.one_of(st.none(), st.integers(1, 9)))
def test_pieces_are_ranges_that_cover_a_part(sizes: list[int], chosen: list[int], at_most: int | None) -> None:
    space = _space(_cube(sizes))
    subset = Subset.of(chosen).intersection(Subset.span(0, space.count(0)))
    found = [between(space, first, last) for first, last in pieces(space, subset, at_most)]
    assert sum(len(each) for each in found) == len(subset)
    assert Subset.of_ranges(span for each in found for span in each.ranges) == subset
    assert at_most is None or all(len(each) <= at_most for each in found)
