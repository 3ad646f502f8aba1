"""Restarts come ever more slowly, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from penstock.locations.backoff import restart_delay


@given(st.integers(1, 10_000))
def test_delays_grow_within_bounds(failures: int) -> None:
    assert 0 < restart_delay(failures) <= restart_delay(failures + 1) <= 10
