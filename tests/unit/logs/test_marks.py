"""Marks: when which bytes came, however many wrote them down, and however the last line was cut off."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.logs.gaps import Gap
from penstock.logs.marks import (
    Marks,
    Point,
    Segment,
    ended,
    gap_line,
    gaps_of,
    marks_of,
    point_line,
    segments,
    told_line,
)

LINES = point_line("at", 10.0, (5, 0)) + told_line("stderr", 0, 7) + point_line("end", 12.5, (9, 7))


def test_lines_are_read_back() -> None:
    assert marks_of(LINES) == Marks(
        points=[Point(10.0, 5, 0), Point(12.5, 9, 7)], told={"stdout": [], "stderr": [Gap(0, 7)]}, complete=True
    )


def test_an_attempt_that_goes_on_is_not_complete() -> None:
    again = LINES + point_line("begin", 20.0, (9, 7)) + point_line("at", 21.0, (10, 7))
    assert not marks_of(again).complete
    assert not ended(again)
    assert ended(LINES)
    assert ended(LINES + point_line("at", 13.0, (9, 7)))
    assert not ended(b"")


@given(st.integers(0, len(LINES)))
def test_a_line_that_was_cut_off_counts_for_nothing(at: int) -> None:
    found = marks_of(LINES[:at])
    assert len(found.points) == sum(line.startswith((b"at", b"end")) for line in LINES[:at].split(b"\n")[:-1])
    assert found.complete == (at == len(LINES))


def test_the_last_gap_counts() -> None:
    lines = gap_line("stdout", Gap(5, 8)) + gap_line("stdout", Gap(5, 16)) + gap_line("stderr", Gap(1, 2))
    assert gaps_of(lines) == {"stdout": Gap(5, 16), "stderr": Gap(1, 2)}
    assert gaps_of(b"") == {}


def test_bytes_are_cut_where_their_time_or_their_writer_changes() -> None:
    marks = Marks(points=[Point(1.0, 4, 0), Point(2.0, 4, 6), Point(3.0, 10, 6)], told={"stdout": [Gap(6, 8)]})
    assert list(segments(marks, "stdout", 0, 12)) == [
        Segment(0, 4, 1.0, False),
        Segment(4, 6, 3.0, False),
        Segment(6, 8, 3.0, True),
        Segment(8, 10, 3.0, False),
        Segment(10, 12, None, False),
    ]
    assert list(segments(marks, "stdout", 7, 9)) == [Segment(7, 8, 3.0, True), Segment(8, 9, 3.0, False)]
    assert list(segments(Marks(), "stderr", 0, 0)) == []


@given(
    st.lists(st.tuples(st.floats(0, 100), st.integers(0, 50), st.integers(0, 50)), max_size=10),
    st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), max_size=5),
    st.integers(0, 50),
    st.integers(0, 50),
)
def test_segments_cover_each_byte_once_in_order(
    points: list[tuple[float, int, int]], told: list[tuple[int, int]], start: int, end: int
) -> None:
    lines = b"".join(point_line("at", time, (out, err)) for time, out, err in points)
    lines += b"".join(told_line("stdout", at, at + length) for at, length in told)
    found = list(segments(marks_of(lines), "stdout", start, end))
    at = start
    for each in found:
        assert each.start == at < each.end
        at = each.end
        assert each.told == any(a <= each.start < a + length for a, length in told)
    assert at == max(start, end)
    times = [each.time for each in found if each.time is not None]
    assert times == sorted(times)
