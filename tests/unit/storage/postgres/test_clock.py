"""Whose time counts: this machine's while it agrees with the database's, and else the database's."""

from __future__ import annotations

import pytest

from penstock.storage.postgres.clock import DatabaseClock
from penstock.testing import FakeClock

NOW = 1_700_000_000.0
HOUR = 3600.0


def told(own: FakeClock, theirs: float, *, waited: float = 0.0) -> DatabaseClock:
    """A clock whose database gave this answer after so long."""
    clock = DatabaseClock(own)
    asked = own.monotonic()
    own.advance(waited)
    clock.tell(theirs, asked=asked)
    return clock


def test_before_the_database_was_asked_the_own_time_counts() -> None:
    clock = DatabaseClock(FakeClock(NOW))
    assert (clock.now(), clock.skew, clock.is_due()) == (NOW, None, True)


def test_a_clock_that_agrees_is_believed() -> None:
    own = FakeClock(NOW)
    clock = told(own, NOW + 0.4)
    own.advance(10)
    assert clock.now() == NOW + 10
    assert clock.skew == pytest.approx(-0.4)


@pytest.mark.parametrize("skew", [-24 * HOUR, -HOUR, -1, 1, HOUR, 24 * HOUR])
def test_for_one_that_differs_the_database_s_time_counts(skew: float) -> None:
    own = FakeClock(NOW + skew)
    clock = told(own, NOW)
    own.advance(10)
    assert clock.now() == NOW + 10
    assert clock.skew == pytest.approx(skew)


@pytest.mark.parametrize("jump", [-HOUR, HOUR])
def test_a_jump_changes_nothing_and_neither_does_the_way_back(jump: float) -> None:
    own = FakeClock(NOW)
    clock = told(own, NOW)
    own.advance(1)
    own.jump(jump)
    own.advance(1)
    assert clock.now() == NOW + 2
    own.jump(-jump)
    assert clock.now() == NOW + 2


def test_it_is_asked_once_a_minute_and_more_often_in_doubt() -> None:
    own = FakeClock(NOW)
    clock = told(own, NOW)
    own.advance(59)
    assert not clock.is_due()
    own.advance(1)
    assert clock.is_due()
    clock.tell(NOW + 60, asked=own.monotonic())
    own.jump(HOUR)
    assert not clock.is_due()
    own.advance(5)
    assert clock.is_due()


def test_an_answer_counts_for_the_middle_of_its_way_unless_that_was_long() -> None:
    own = FakeClock(NOW + HOUR)
    clock = told(own, NOW, waited=0.4)
    assert clock.now() == pytest.approx(NOW + 0.2)
    clock = told(own, NOW, waited=0.6)
    assert clock.skew is None
