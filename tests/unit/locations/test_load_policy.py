"""When user code is loaded again by itself, and when a zygote is worn."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.locations.load_policy import Outcome, pause_before_next_load, reason_to_renew


@given(st.integers(1, 10_000))
def test_what_user_code_raises_is_not_tried_again(failures: int) -> None:
    assert pause_before_next_load(Outcome.RAISED, failures) is None


@pytest.mark.parametrize(
    ("outcome", "longest"),
    [(Outcome.CRASHED, 300.0), (Outcome.TOOK_TOO_LONG, 300.0), (Outcome.DIED_AFTERWARDS, 10.0)],
)
def test_pauses_double_up_to_a_limit(outcome: Outcome, longest: float) -> None:
    pauses = [pause_before_next_load(outcome, failures) for failures in range(1, 40)]
    assert pauses[:4] == [0.2, 0.4, 0.8, 1.6]
    assert pauses[-1] == longest
    assert all(earlier is not None and later is not None and earlier <= later for earlier, later in _pairs(pauses))


def _pairs(pauses: list[float | None]) -> list[tuple[float | None, float | None]]:
    return list(itertools.pairwise(pauses))


@given(forks=st.integers(0, 100), grown=st.integers(-(2**30), 2**30))
def test_without_bounds_nothing_is_renewed(forks: int, grown: int) -> None:
    assert reason_to_renew(forks, grown, after_forks=0, after_growth=0) is None


def test_each_bound_says_itself() -> None:
    assert reason_to_renew(9, 2**20, after_forks=10, after_growth=2**21) is None
    assert reason_to_renew(10, 0, after_forks=10, after_growth=2**21) == "it has forked 10 times"
    assert reason_to_renew(1, 3 * 2**20, after_forks=10, after_growth=2**21) == "its memory has grown by 3 MB"
