"""Subsets agree with plain sets of positions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError
from penstock.partitions.subset import Subset

positions = st.sets(st.integers(0, 40))


@given(left=positions, right=positions)
def test_operations_are_those_of_sets(left: set[int], right: set[int]) -> None:
    a, b = Subset.of(left), Subset.of(right)
    assert set(a.union(b)) == left | right
    assert set(a.intersection(b)) == left & right
    assert set(a.difference(b)) == left - right
    assert set(a.complement(5, 30)) == set(range(5, 30)) - left
    assert len(a) == len(left)
    assert bool(a) == bool(left)
    assert [each in a for each in range(-1, 42)] == [each in left for each in range(-1, 42)]
    assert "x" not in a


@given(left=positions, right=positions)
def test_equal_content_is_one_form(left: set[int], right: set[int]) -> None:
    joined = Subset.of(left).union(Subset.of(right))
    assert joined == Subset.of(left | right)
    for (_, stop), (start, _) in zip(joined.ranges, joined.ranges[1:], strict=False):
        assert stop < start


@given(ranges=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30))))
def test_ranges_may_overlap_and_be_empty(ranges: list[tuple[int, int]]) -> None:
    assert set(Subset.of_ranges(ranges)) == {each for start, stop in ranges for each in range(start, stop)}


@given(chosen=positions)
def test_text_and_record_lead_back(chosen: set[int]) -> None:
    subset = Subset.of(chosen)
    assert Subset.from_text(subset.to_text()) == subset
    assert decode_json(encode_json(subset), Subset) == subset


def test_the_size_is_that_of_the_gaps() -> None:
    assert Subset.span(0, 1_000_000).ranges == ((0, 1_000_000),)
    assert Subset.span(3, 3) == Subset()
    assert Subset.of([1, 2, 3, 7]).to_text() == "1-3,7"
    assert Subset.of([1, 2]).shifted(3) == Subset.of([4, 5])


@pytest.mark.parametrize("text", ["a", "1-", "-1", "1,,2", "1-2-3", " 1", "9" * 5000])
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(DefinitionError, match="is no range of positions"):
        Subset.from_text(text)
