"""Months as the event log counts them: 202611 is November 2026, UTC.

The raw log of a run lies whole in the month in which the run was created, so that a page reads one table, and a month
that is taken away tears no log apart. Month 0 is what was stored before there were months.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

__all__ = ["LogPlace", "month_end", "month_of"]

_LATEST = datetime(9999, 11, 30, tzinfo=UTC).timestamp()


class LogPlace(NamedTuple):
    """Where events are: the month of the log, and the `num` of their run; None where no run made them."""

    log: int
    run: int | None


def month_of(time: float) -> int:
    """The month of a time in seconds since the epoch; of one that no calendar has, the nearest that it has."""
    day = datetime.fromtimestamp(min(max(time, 0.0), _LATEST), UTC)
    return day.year * 100 + day.month


def month_end(month: int) -> float:
    """When a month is over, in seconds since the epoch."""
    year, number = divmod(month, 100)
    return datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()
