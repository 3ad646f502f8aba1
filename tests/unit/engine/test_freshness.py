"""Whether an asset is as fresh as its policy asks for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import AssetSpec, FreshnessPolicy, apply_freshness_policy
from penstock.codec import decode_json, encode_json
from penstock.engine.freshness import freshness_of
from penstock.errors import DefinitionError
from penstock.records.freshness import AnyFreshnessPolicy, FreshnessState
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
