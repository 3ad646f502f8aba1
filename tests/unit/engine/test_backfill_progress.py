"""How fast a backfill goes, and how long it takes at that pace."""

from __future__ import annotations

import pytest

from penstock.engine.backfill_progress import Pace, Progress, pace_of
from penstock.records.backfill import Backfill, BackfillStatus

HALF = Progress(total=1200, in_progress=5, materialized=590, failed=7, skipped=2, canceled=1)


def test_what_is_left_takes_as_long_as_what_has_its_outcome_has_taken() -> None:
    backfill = Backfill(backfill_id="b", created=1000.0)
    assert pace_of(backfill, HALF, 1300.0) == Pace(per_hour=7200.0, seconds_left=300.0)


def test_the_time_in_which_it_rested_does_not_count() -> None:
    backfill = Backfill(backfill_id="b", created=1000.0, rested=86_400.0)
    assert pace_of(backfill, HALF, 87_700.0) == Pace(per_hour=7200.0, seconds_left=300.0)


@pytest.mark.parametrize(
    ("backfill", "progress", "now"),
    [
        (Backfill(backfill_id="b", created=1000.0), Progress(total=5, in_progress=5), 1300.0),
        (Backfill(backfill_id="b", created=1000.0, paused=True), HALF, 1300.0),
        (Backfill(backfill_id="b", created=1000.0, status=BackfillStatus.COMPLETED_FAILED), HALF, 1300.0),
        (Backfill(backfill_id="b", created=1000.0), HALF, 900.0),  # another clock
    ],
)
def test_it_is_not_known_before_anything_is_done_nor_of_one_that_does_not_go_on(
    backfill: Backfill, progress: Progress, now: float
) -> None:
    assert pace_of(backfill, progress, now) is None
