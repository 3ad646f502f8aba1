"""Delays before retries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import Backoff, Jitter, RetryPolicy
from penstock.errors import DefinitionError


def test_delays_grow_as_told() -> None:
    assert [RetryPolicy(delay=2).wait(n, 0.5) for n in (1, 2, 3)] == [2, 2, 2]
    assert [RetryPolicy(delay=2, backoff=Backoff.LINEAR).wait(n, 0.5) for n in (1, 2, 3)] == [2, 4, 6]
    assert [RetryPolicy(delay=2, backoff=Backoff.EXPONENTIAL).wait(n, 0.5) for n in (1, 2, 3)] == [2, 6, 14]
    assert RetryPolicy().wait(1, 0.9) == 0


@given(
    delay=st.floats(0, 1e3),
    retry=st.integers(1, 10),
    chance=st.floats(0, 1, exclude_max=True),
    backoff=st.sampled_from([None, *Backoff]),
)
def test_jitter_stays_within_its_bounds(delay: float, retry: int, chance: float, backoff: Backoff | None) -> None:
    plain = RetryPolicy(delay=delay, backoff=backoff).wait(retry, chance)
    full = RetryPolicy(delay=delay, backoff=backoff, jitter=Jitter.FULL).wait(retry, chance)
    around = RetryPolicy(delay=delay, backoff=backoff, jitter=Jitter.PLUS_MINUS).wait(retry, chance)
    assert 0 <= full <= plain
    assert max(0, plain - delay) <= around <= plain + delay


def test_bad_policies_are_refused() -> None:
    with pytest.raises(DefinitionError, match="max_retries=-1; give a whole number from 0 on"):
        RetryPolicy(max_retries=-1)
    with pytest.raises(DefinitionError, match="delay=-2; give a number of seconds"):
        RetryPolicy(delay=-2)
    with pytest.raises(DefinitionError, match="no delay to apply them to"):
        RetryPolicy(jitter=Jitter.FULL)
