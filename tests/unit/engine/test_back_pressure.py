"""When a sensor with many runs in the queue is held back."""

from __future__ import annotations

import pytest

from penstock.engine.back_pressure import why_held_back


@pytest.mark.parametrize(("queued", "most"), [(0, 0), (3, 3), (5000, -1)])
def test_a_sensor_may_be_evaluated_up_to_its_bound(queued: int, most: int) -> None:
    assert why_held_back(queued, most) is None


def test_beyond_it_the_reason_names_bound_and_settings() -> None:
    reason = why_held_back(1001, 1000)
    assert reason is not None
    assert "More than 1,000 of its runs" in reason
    assert "sensors.max_queued_runs" in reason
