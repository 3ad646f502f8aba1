"""What an instance tells of events over all runs, and of the history of assets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock import (
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    AssetRecordsFilter,
    EventRecordsFilter,
    EventType,
    Instance,
    RunShardedEventsCursor,
    RunStatusChangeRecordsFilter,
)
from penstock.errors import UsageError
from penstock.instance import event_reading
from penstock.instance.filters import seconds_of
from penstock.instance.pages import EventRecordsResult
from penstock.testing import FakeClock, add_run

ORDERS = AssetKey("orders")
START = 1000.0
MADE, SEEN = EventType.ASSET_MATERIALIZATION, EventType.ASSET_OBSERVATION


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral(clock=FakeClock(START)) as opened:
        yield opened


def make(instance: Instance, partitions: str, kind: Any = AssetMaterialization, asset: Any = ORDERS) -> None:
    for partition in partitions:
        instance.report_runless_asset_event(kind(asset, partition=partition))
        assert isinstance(instance.clock, FakeClock)
        instance.clock.advance(1)


def partitions_of(page: EventRecordsResult) -> str:
    return "".join(record.partition_key or "" for record in page.records)


def test_a_history_is_read_in_pages_in_both_orders(instance: Instance) -> None:
    make(instance, "abcde")
    make(instance, "xy", AssetObservation)
    make(instance, "z", asset=AssetKey("other"))
    for ascending, expected in ((False, "edcba"), (True, "abcde")):
        seen, cursor = "", None
        while True:
            page = instance.fetch_materializations(ORDERS, limit=2, cursor=cursor, ascending=ascending)
            seen += partitions_of(page)
            cursor = page.cursor
            if not page.has_more:
                break
        assert seen == expected
        beyond = instance.fetch_materializations(ORDERS, limit=2, cursor=cursor, ascending=ascending)
        assert (beyond.records, beyond.cursor, beyond.has_more) == ([], cursor, False)
    assert partitions_of(instance.fetch_observations(ORDERS, limit=9)) == "yx"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_each_condition_on_a_history_holds(data: st.DataObject) -> None:
    letters = data.draw(st.text("abc", min_size=1, max_size=8))
    places = st.integers(1, len(letters) + 1)
    times = st.integers(0, len(letters)).map(lambda number: START + number)
    where = AssetRecordsFilter(
        ORDERS,
        asset_partitions=data.draw(st.none() | st.lists(st.sampled_from("abc"), unique=True)),
        after_timestamp=data.draw(st.none() | times),
        before_timestamp=data.draw(st.none() | times),
        after_storage_id=data.draw(st.none() | places),
        before_storage_id=data.draw(st.none() | places),
        storage_ids=data.draw(st.none() | st.lists(places)),
    )
    ascending = data.draw(st.booleans())
    since, until = seconds_of(where.after_timestamp), seconds_of(where.before_timestamp)
    with Instance.ephemeral(clock=FakeClock(START)) as instance:
        make(instance, letters)
        expected = [
            letter
            for index, letter in enumerate(letters)
            if (where.asset_partitions is None or letter in where.asset_partitions)
            and (since is None or START + index > since)
            and (until is None or START + index < until)
            and (where.after_storage_id is None or index + 1 > where.after_storage_id)
            and (where.before_storage_id is None or index + 1 < where.before_storage_id)
            and (where.storage_ids is None or index + 1 in where.storage_ids)
        ]
        seen, cursor = "", None
        while True:
            page = instance.fetch_materializations(where, limit=2, cursor=cursor, ascending=ascending)
            seen += partitions_of(page)
            cursor = page.cursor
            if not page.has_more:
                break
        assert seen == "".join(expected if ascending else expected[::-1])


def test_changes_of_the_states_of_runs(instance: Instance) -> None:
    assert isinstance(instance.clock, FakeClock)
    ids = []
    for job in ("a", "b", "a", "c"):
        ids.append(add_run(instance, job).run_id)
        instance.clock.advance(1)

    def found(*, ascending: bool = False, **where: Any) -> list[int]:
        asked = RunStatusChangeRecordsFilter(EventType.RUN_SUCCESS, **where)
        page = instance.fetch_run_status_changes(asked, limit=9, ascending=ascending)
        return [ids.index(record.run_id) for record in page.records]

    places = [
        record.storage_id
        for record in instance.fetch_run_status_changes(EventType.RUN_SUCCESS, limit=9, ascending=True).records
    ]
    assert found() == [3, 2, 1, 0]
    assert found(ascending=True) == [0, 1, 2, 3]
    assert found(after_timestamp=START, before_timestamp=START + 3) == [2, 1]
    assert found(after_storage_id=places[1]) == [3, 2]
    assert found(before_storage_id=places[1]) == [0]
    assert found(job_names=["a", "c"]) == [3, 2, 0]
    assert found(storage_ids=places[:3]) == [2, 1, 0]
    assert found(storage_ids=places[:3], job_names=["a"], after_timestamp=START) == [2]
    page = instance.fetch_run_status_changes(EventType.RUN_SUCCESS, limit=3)
    assert page.has_more
    (last,) = instance.fetch_run_status_changes(EventType.RUN_SUCCESS, limit=3, cursor=page.cursor).records
    assert last.run_id == ids[0]


def test_an_event_that_changes_no_run_is_refused() -> None:
    with pytest.raises(UsageError, match="STEP_START changes no run's state; give one of RUN_ENQUEUED"):
        RunStatusChangeRecordsFilter(EventType.STEP_START)


def test_events_of_a_type_over_all_runs(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_reading, "_PAGE", 2)
    make(instance, "abc")
    make(instance, "de", asset=AssetKey("other"))

    def found(event_type: EventType = MADE, *, limit: int | None = None, ascending: bool = False, **where: Any) -> str:
        records = instance.get_event_records(EventRecordsFilter(event_type, **where), limit, ascending)
        return "".join(record.partition_key or "-" for record in records)

    assert found() == "edcba"
    assert found(ascending=True, limit=3) == "abc"
    assert found(asset_key=ORDERS) == "cba"
    assert found(asset_key=ORDERS, asset_partitions=["a", "c"], ascending=True) == "ac"
    assert found(after_cursor=2, before_cursor=5) == "dc"
    assert found(after_cursor=RunShardedEventsCursor(1, START + 2), ascending=True) == "de"
    assert found(after_timestamp=START, before_timestamp=START + 2) == "b"
    assert found(storage_ids=[1, 4, 99]) == "da"
    assert found(SEEN) == ""
    run = add_run(instance, "nightly")
    (started,) = instance.get_event_records(EventRecordsFilter(EventType.RUN_START))
    assert started.run_id == run.run_id
    instance.wipe_assets([ORDERS])
    assert found(EventType.ASSET_WIPED, asset_key=ORDERS) == "-"
    assert found(EventType.ASSET_WIPED, asset_key=AssetKey("other")) == ""
    with pytest.raises(UsageError, match="name the asset"):
        found(asset_partitions=["a"])
