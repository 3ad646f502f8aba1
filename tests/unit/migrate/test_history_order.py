"""Logs are merged by time: each keeps its order, and none is opened before its turn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from hypothesis import given
from hypothesis import strategies as st

from penstock.migrate.history_order import in_order

LOGS = st.lists(st.tuples(st.integers(0, 50), st.lists(st.integers(0, 20))), max_size=6)
"""When each log begins, and the steps of time from line to line."""


@given(LOGS)
def test_logs_are_merged_by_time(given_logs: list[tuple[int, list[int]]]) -> None:
    times = [[float(begin + sum(steps[: n + 1])) for n in range(len(steps))] for begin, steps in given_logs]
    opened: list[int] = []

    def log(number: int) -> Callable[[], Iterator[tuple[float, tuple[float, int, int]]]]:
        def lines() -> Iterator[tuple[float, tuple[float, int, int]]]:
            opened.append(number)
            for place, time in enumerate(times[number]):
                yield time, (time, number, place)

        return lines

    begins = [float(begin) for begin, _ in given_logs]
    seen = []
    for time, number, place in in_order([(begin, log(number)) for number, begin in enumerate(begins)]):
        seen.append((time, number, place))
        assert all(begins[each] <= time for each in opened)
    assert [time for time, _, _ in seen] == sorted(time for log_times in times for time in log_times)
    for number, log_times in enumerate(times):
        assert [time for time, n, _ in seen if n == number] == log_times
    assert sorted(opened) == list(range(len(given_logs)))


def test_a_log_keeps_its_order_where_its_times_do_not() -> None:
    ahead = [(5.0, "a"), (3.0, "b"), (6.0, "c")]
    other = [(4.0, "x"), (5.5, "y")]
    assert list(in_order([(0.0, lambda: ahead), (0.0, lambda: other)])) == ["x", "a", "b", "y", "c"]
