"""How often something may happen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.engine.allowance import Allowance


def test_a_burst_is_let_through_and_then_so_many_a_second() -> None:
    allowance = Allowance(rate=2, burst=3)
    assert [allowance.take(10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert allowance.take(10.0) == pytest.approx(0.5)
    assert allowance.take(10.5) == 0.0
    assert allowance.take(10.5) == pytest.approx(0.5)
    assert [allowance.take(100.0) for _ in range(3)] == [0.0, 0.0, 0.0]


@given(st.lists(st.floats(0, 5), max_size=200), st.floats(0.1, 50), st.floats(1, 20))
def test_never_more_than_the_burst_and_the_rate_allow(pauses: list[float], rate: float, burst: float) -> None:
    allowance, now, taken = Allowance(rate=rate, burst=burst), 0.0, 0
    for pause in pauses:
        now += pause
        taken += allowance.take(now) == 0.0
        assert taken <= burst + rate * now + 1e-6
