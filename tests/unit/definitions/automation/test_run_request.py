"""Requests for runs, results of sensors, and the one form that both take."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import pytest

from penstock import (
    AddDynamicPartitionsRequest,
    AssetCheckKey,
    AssetKey,
    AssetMaterialization,
    RunRequest,
    SensorResult,
    SkipReason,
)
from penstock.definitions.automation.run_request import AT_MOST, Requested, join_outcomes, read_outcome
from penstock.errors import DefinitionError

ADD = AddDynamicPartitionsRequest("files", ["a"])
MADE = AssetMaterialization("inbox")


def test_a_request_can_be_had_with_other_values() -> None:
    first = RunRequest(
        run_key="a",
        run_config={"x": 1},
        tags={"t": "1"},
        asset_selection=["orders"],
        asset_check_keys=[AssetCheckKey(AssetKey("orders"), "c")],
        stale_assets_only=True,
    )
    second = first.with_replaced_attrs(run_key="b", partition_key="p")
    assert (second.run_key, second.partition_key) == ("b", "p")
    assert second.with_replaced_attrs(run_key="a", partition_key=None) == first
    assert second != first
    with pytest.raises(DefinitionError, match="has no runkey"):
        first.with_replaced_attrs(runkey="c")


def test_all_that_a_result_says_is_read() -> None:
    request = RunRequest(run_key="a")
    result = SensorResult(run_requests=[request], cursor="7", dynamic_partitions_requests=[ADD], asset_events=[MADE])
    expected = Requested(run_requests=(request,), cursor="7", dynamic_partitions_requests=(ADD,), asset_events=(MADE,))
    assert read_outcome(result, "Sensor s") == expected
    assert read_outcome(iter([result]), "Sensor s") == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"dynamic_partitions_requests": ["a"]}, "among its dynamic_partitions_requests; give AddDynamic"),
        ({"asset_events": [AssetKey("a")]}, "among its asset_events; give AssetMaterialization"),
        ({"run_requests": [SkipReason("no")]}, "among its run_requests; give RunRequest"),
        ({"run_requests": [RunRequest()], "skip_reason": "no"}, "give one of them"),
        ({"cursor": 3}, "a cursor is a text"),
    ],
)
def test_what_a_result_may_not_hold_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        SensorResult(**options)


def test_reasons_for_no_run_count_where_no_run_is_asked_for() -> None:
    skipped = Requested(skip_reason="nothing")
    assert join_outcomes([skipped, Requested(skip_reason="late"), skipped]).skip_message == "nothing; late"
    asked = Requested(run_requests=(RunRequest(),))
    assert join_outcomes([skipped, asked]).skip_reason is None
    assert join_outcomes([]) == Requested()


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        ((RunRequest() for _ in itertools.count()), "Sensor s gave more than 10,000 runs at once.* cursor .* backfill"),
        (SensorResult(run_requests=[RunRequest()] * (AT_MOST + 1)), "more than 10,000 runs"),
        ([SensorResult(run_requests=[RunRequest()] * 9_000)] * 2, "more than 10,000 runs"),
        (SensorResult(asset_events=[MADE] * (AT_MOST + 1)), "more than 10,000 asset events"),
    ],
)
def test_more_than_one_transaction_should_hold_is_refused(returned: Iterable[Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        read_outcome(returned, "Sensor s")


def test_as_many_as_may_be_are_read() -> None:
    assert len(read_outcome([RunRequest()] * AT_MOST, "Sensor s").run_requests) == AT_MOST
