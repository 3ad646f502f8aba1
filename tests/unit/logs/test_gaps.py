"""The arithmetic of what is left out: everything kept is read once, in order, whatever is left out meanwhile."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.logs.gaps import BLOCK, Gap, next_piece, place_of, wider_gap

SIZES = st.integers(0, 200_000)
LIMITS = st.integers(1, 50_000)
MOST = st.integers(10_000, 60_000)


@given(st.lists(st.integers(0, 60_000), max_size=20), MOST)
def test_head_and_tail_are_kept_and_little_more(grown_by: list[int], most: int) -> None:
    size, gap = 0, None
    for each in grown_by:
        size += each
        wider = wider_gap(size, gap, most)
        if wider is not None:
            assert wider.start == most // 2
            assert gap is None or (wider.start == gap.start and wider.end > gap.end)
            assert wider.end % BLOCK == 0
            assert size - wider.end >= most - most // 2
            gap = wider
        left_out = 0 if gap is None else gap.end - gap.start
        assert size - left_out <= most + most // 4 + BLOCK
        assert size - left_out >= min(size, most)


@given(SIZES, MOST, LIMITS, st.integers(0, 200_000))
def test_pieces_are_the_whole_stream(size: int, most: int, limit: int, offset: int) -> None:
    gap = wider_gap(size, None, most)
    offset = min(offset, size)
    at, told = offset, 0
    while True:
        piece = next_piece(at, limit, size, gap)
        assert piece.start == at
        if piece.end == at:
            break
        if piece.left_out:
            assert gap is not None
            assert (piece.end, piece.left_out) == (gap.end, gap.end - at)
            told += 1
        else:
            assert piece.end - at <= limit
            assert gap is None or piece.end <= gap.start or piece.start >= gap.end
        at = piece.end
    assert at == size
    assert told == (gap is not None and offset < gap.end)


@given(SIZES, MOST)
def test_a_copy_holds_what_is_kept_without_a_hole(size: int, most: int) -> None:
    gap = wider_gap(size, None, most)
    if gap is None:
        assert place_of(size, None) == size
        return
    assert place_of(gap.start, gap) == place_of(gap.end, gap) == gap.start
    assert place_of(size, gap) == size - (gap.end - gap.start)
    assert place_of(gap.end - 1, gap) == gap.start


def test_what_is_kept_whole_needs_no_gap() -> None:
    assert wider_gap(1000, None, 1000) is None
    assert wider_gap(1250, None, 1000) is None
    assert wider_gap(1 << 20, Gap(500, 1 << 20), 1000) is None
