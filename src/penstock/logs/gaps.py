"""Where the middle of a stream is left out, and what that means for offsets. Pure.

Offsets are those of all that was printed: what is left out keeps its place, so a reader's offset stays right whenever
the gap widens. A stream has one gap at most; its start stays, its end moves on.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["BLOCK", "MOST_BYTES", "Gap", "Piece", "next_piece", "place_of", "wider_gap", "words_of"]

BLOCK = 4096
"""File systems free whole blocks of this size or of a part of it."""


MOST_BYTES = 10 * 1024 * 1024
"""How much of a stream is kept where no setting says so."""


class Gap(NamedTuple):
    """The bytes from `start` up to `end`, which are left out."""

    start: int
    end: int


class Piece(NamedTuple):
    """What comes next of a stream: the bytes from `start` up to `end`, or, where `left_out` is not 0, none of them."""

    start: int
    end: int
    left_out: int


def wider_gap(size: int, gap: Gap | None, most: int) -> Gap | None:
    """The gap that a stream needs now; None if it is well as it is.

    Half of `most` is kept of its head. Of its tail it is half too, or up to a quarter more, so that a gap widens in
    large steps.

    Args:
        size: How many bytes were printed.
        gap: The present gap.
        most: How many bytes to keep.
    """
    head = gap.start if gap is not None else most // 2
    begin = gap.end if gap is not None else head
    tail = most - most // 2
    if size - begin <= tail + most // 4:
        return None
    end = (size - tail) // BLOCK * BLOCK
    return Gap(head, end) if end > begin else None


def next_piece(offset: int, limit: int, size: int, gap: Gap | None) -> Piece:
    """What comes at `offset`: at most `limit` bytes, or the gap, or nothing (an empty piece)."""
    if gap is not None and gap.start <= offset < gap.end:
        return Piece(offset, gap.end, gap.end - offset)
    end = max(offset, min(offset + limit, size))
    if gap is not None and offset < gap.start:
        end = min(end, gap.start)
    return Piece(offset, end, 0)


def place_of(offset: int, gap: Gap | None) -> int:
    """Where the byte of this offset is in a copy that holds only what is kept."""
    if gap is None or offset <= gap.start:
        return offset
    return gap.start if offset < gap.end else offset - (gap.end - gap.start)


def words_of(left_out: int) -> bytes:
    """What a reader sees in the place of so many bytes."""
    return f"\n... {left_out:,} bytes left out ...\n".encode()
