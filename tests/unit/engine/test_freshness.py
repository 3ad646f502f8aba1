"""Whether an asset is as fresh as its policy asks for."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import AssetSpec, FreshnessPolicy, apply_freshness_policy
from penstock.codec import decode_json, encode_json
from penstock.engine.freshness import freshness_of, made_at, turns_at
from penstock.errors import DefinitionError
from penstock.records.asset import AssetState
from penstock.records.freshness import AnyFreshnessPolicy
from penstock.records.freshness_state import FreshnessState
from penstock.records.location import AssetDescription

HOUR = timedelta(hours=1)
WINDOW = FreshnessPolicy.time_window(fail_window=3 * HOUR, warn_window=HOUR)
DAILY = FreshnessPolicy.cron(deadline_cron="0 9 * * *", lower_bound_delta=HOUR)


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("policy", "made", "now", "expected"),
    [
        (WINDOW, None, "2024-01-01T12:00", FreshnessState.UNKNOWN),
        (WINDOW, "2024-01-01T11:30", "2024-01-01T12:00", FreshnessState.PASS),
        (WINDOW, "2024-01-01T10:30", "2024-01-01T12:00", FreshnessState.WARN),
        (WINDOW, "2024-01-01T08:59", "2024-01-01T12:00", FreshnessState.FAIL),
        (DAILY, None, "2024-01-01T12:00", FreshnessState.UNKNOWN),
        (DAILY, "2024-01-02T08:30", "2024-01-02T12:00", FreshnessState.PASS),
        (DAILY, "2024-01-02T07:59", "2024-01-02T12:00", FreshnessState.FAIL),
        (DAILY, "2024-01-02T10:00", "2024-01-02T12:00", FreshnessState.PASS),  # late, but there
        (DAILY, "2024-01-01T08:30", "2024-01-02T08:59", FreshnessState.PASS),  # before the next deadline
    ],
)
def test_freshness(policy: AnyFreshnessPolicy, made: str | None, now: str, expected: FreshnessState) -> None:
    assert freshness_of(policy, None if made is None else at(made), at(now)) is expected


@given(st.floats(0, 1e7), st.floats(0, 1e7), st.floats(0, 1e6))
def test_what_is_made_later_is_no_less_fresh(made: float, later: float, since: float) -> None:
    now = max(made, later) + since
    order = [FreshnessState.FAIL, FreshnessState.WARN, FreshnessState.PASS]
    first, second = sorted((made, later))
    for policy in (WINDOW, DAILY):
        assert order.index(freshness_of(policy, first, now)) <= order.index(freshness_of(policy, second, now))


def test_policies_travel_as_data() -> None:
    for policy in (WINDOW, DAILY):
        described = AssetDescription(key="a", freshness=policy)
        assert decode_json(encode_json(described), AssetDescription) == described


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FreshnessPolicy.time_window(fail_window=timedelta(seconds=1)), "give a minute or more"),
        (lambda: FreshnessPolicy.time_window(fail_window=HOUR, warn_window=HOUR), "the warning comes before"),
        (lambda: FreshnessPolicy.cron(deadline_cron="x", lower_bound_delta=HOUR), "cron text"),
        (lambda: FreshnessPolicy.cron(deadline_cron="@daily", lower_bound_delta=timedelta(0)), "a minute or more"),
        (lambda: FreshnessPolicy.cron(deadline_cron="@daily", lower_bound_delta=HOUR, timezone="No/Where"), "No/Where"),
        (lambda: AssetSpec("a", freshness_policy=cast("Any", "daily")), "give a FreshnessPolicy"),
    ],
)
def test_policies_that_are_not_valid(make: object, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        make()  # type: ignore[operator]  # a function


def test_a_policy_is_given_to_specs() -> None:
    bare, own = AssetSpec("a"), AssetSpec("b", freshness_policy=DAILY)
    assert apply_freshness_policy(bare, WINDOW).freshness_policy == WINDOW
    assert apply_freshness_policy(own, WINDOW).freshness_policy == WINDOW
    assert apply_freshness_policy(own, WINDOW, overwrite_existing=False).freshness_policy == DAILY


ZONED = FreshnessPolicy.cron(deadline_cron="30 2 * * *", lower_bound_delta=2 * HOUR, timezone="Europe/Berlin")
BERLIN_CHANGES = [at("2024-03-31T01:00"), at("2024-10-27T01:00")]


@given(
    policy=st.sampled_from([WINDOW, FreshnessPolicy.time_window(fail_window=HOUR), DAILY, ZONED]),
    near=st.sampled_from(BERLIN_CHANGES),
    made=st.integers(-4 * 86_400, 86_400),
    since=st.integers(0, 3 * 86_400),
    steps=st.lists(st.floats(0, 1), max_size=5),
)
def test_freshness_turns_at_the_instant_that_is_told_and_not_before(
    policy: AnyFreshnessPolicy, near: float, made: int, since: int, steps: list[float]
) -> None:
    then, now = near + made, near + made + since
    state = freshness_of(policy, then, now)
    turn = turns_at(policy, then, now)
    until = now + 30 * 86_400 if turn is None else turn
    between = [now + step * (until - now) for step in steps]
    assert {freshness_of(policy, then, each) for each in between if each < until} <= {state}
    if turn is not None:
        assert turn > now
        assert freshness_of(policy, then, math.nextafter(turn, -math.inf)) is state
        assert freshness_of(policy, then, turn) is not state


@pytest.mark.parametrize("policy", [WINDOW, DAILY])
def test_what_was_never_made_turns_by_no_time(policy: AnyFreshnessPolicy) -> None:
    assert turns_at(policy, None, at("2024-01-01T12:00")) is None


def test_what_something_else_makes_is_as_old_as_its_last_event() -> None:
    state = AssetState(asset="a", materialized_at=5.0, observed_at=9.0)
    assert made_at(state, materializable=True) == 5.0
    assert made_at(state, materializable=False) == 9.0
    assert made_at(None, materializable=True) is None
