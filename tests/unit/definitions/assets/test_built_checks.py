"""Checks that builders make: of columns, bounds and freshness; and the sensor that runs those of freshness."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    AssetCheckSeverity,
    AssetSelection,
    AssetSpec,
    DailyPartitionsDefinition,
    Definitions,
    Instance,
    MaterializeResult,
    MetadataValue,
    RunRequest,
    SkipReason,
    TableColumn,
    TableSchema,
    asset,
    asset_check,
    build_column_schema_change_checks,
    build_last_update_freshness_checks,
    build_metadata_bounds_checks,
    build_sensor_context,
    build_sensor_for_freshness_checks,
    build_time_partition_freshness_checks,
    materialize,
)
from penstock.definitions.assets.change_checks import column_changes, outside_of_bounds
from penstock.definitions.assets.freshness_checks import FRESH_UNTIL, judge_update
from penstock.definitions.automation.freshness_sensor import is_due
from penstock.errors import DefinitionError
from penstock.partitions.cron import parse
from penstock.records.asset import AssetState, CheckState
from penstock.records.event import AssetCheckEvaluation, AssetMaterialization, AssetObservation
from penstock.records.metadata import Metadata
from penstock.testing.clock import FakeClock

HOUR = timedelta(hours=1)
NOON = datetime(2024, 3, 5, 12, tzinfo=UTC).timestamp()


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as made:
        made.clock = FakeClock(NOON)
        yield made


@asset
def table() -> None: ...


@asset(partitions_def=DailyPartitionsDefinition("2024-01-01"))
def daily() -> None: ...


def evaluated(instance: Instance, checks: list[Any], *assets: Any) -> list[tuple[str, bool]]:
    result = materialize([*assets, *checks], instance=instance, selection=AssetSelection.checks(*checks))
    return [
        (event.fact.asset, event.fact.passed)
        for event in result.all_events
        if isinstance(event.fact, AssetCheckEvaluation)
    ]


def report(instance: Instance, *facts: AssetMaterialization | AssetObservation, ago: timedelta = timedelta(0)) -> None:
    instance.storage.assets.report(facts, now=NOON - ago.total_seconds())


# -- columns and bounds ------------------------------------------------------------------------------------------------


def with_columns(**columns: str) -> AssetMaterialization:
    schema = TableSchema(columns=[TableColumn(name, kind) for name, kind in columns.items()])
    return AssetMaterialization(asset="table", metadata={"penstock/column_schema": MetadataValue.table_schema(schema)})


def test_columns_are_compared_with_those_before(instance: Instance) -> None:
    checks = build_column_schema_change_checks(assets=[table])
    report(instance, with_columns(a="int"))
    assert evaluated(instance, checks, table) == [("table", True)]  # nothing to compare with
    report(instance, with_columns(a="int"))
    assert evaluated(instance, checks, table) == [("table", True)]
    report(instance, with_columns(a="text", b="int"))
    assert evaluated(instance, checks, table) == [("table", False)]
    report(instance, AssetMaterialization(asset="table"))
    assert evaluated(instance, checks, table) == [("table", False)]


columns = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["int", "text"]))


@given(columns, columns)
def test_columns_change_exactly_when_they_differ(before: dict[str, str], after: dict[str, str]) -> None:
    changes = column_changes(before, after)
    assert len(changes) == len({name for name in {*before, *after} if before.get(name) != after.get(name)})


def test_bounds_look_at_the_latest_materialization(instance: Instance) -> None:
    checks = build_metadata_bounds_checks(
        assets=[table], metadata_key="rows", min_value=1, max_value=9, severity=AssetCheckSeverity.ERROR
    )
    assert [spec.name for spec in checks[0].check_specs] == ["rows_bounds_check"]
    assert evaluated(instance, checks, table) == [("table", False)]  # never made
    for rows, passed in ((5, True), (10, False)):
        report(instance, AssetMaterialization(asset="table", metadata={"rows": MetadataValue.int(rows)}))
        assert evaluated(instance, checks, table) == [("table", passed)]
    report(instance, AssetMaterialization(asset="table", metadata={"rows": MetadataValue.text("5")}))
    assert evaluated(instance, checks, table) == [("table", False)]


@given(st.integers(-3, 3), st.integers(-3, 3), st.integers(-3, 3), st.booleans(), st.booleans())
def test_bounds(value: int, least: int, greatest: int, open_below: bool, open_above: bool) -> None:
    within = (least < value if open_below else least <= value) and (
        value < greatest if open_above else value <= greatest
    )
    assert (outside_of_bounds(value, least, greatest, open_below, open_above) is None) == within
    assert outside_of_bounds(float("nan"), least, None, False, False) is not None


def test_a_check_sees_what_its_own_run_made(instance: Instance) -> None:
    @asset(name="table")
    def counted() -> MaterializeResult[Any]:
        return MaterializeResult(metadata={"rows": 5})

    checks = build_metadata_bounds_checks(assets=[counted], metadata_key="rows", min_value=1)
    result = materialize([counted, *checks], instance=instance)
    assert [
        fact.passed for fact in (event.fact for event in result.all_events) if isinstance(fact, AssetCheckEvaluation)
    ] == [True]


def test_a_part_of_the_checks_may_be_asked_for(instance: Instance) -> None:
    checks = build_metadata_bounds_checks(assets=[table, "other"], metadata_key="n", min_value=1)
    result = materialize(
        [table, AssetSpec("other"), *checks], instance=instance, selection=AssetSelection.checks_for_assets("other")
    )
    assert [event.fact.asset for event in result.all_events if isinstance(event.fact, AssetCheckEvaluation)] == [
        "other"
    ]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: build_column_schema_change_checks(assets=[]), "have no assets"),
        (lambda: build_metadata_bounds_checks(assets=[table], metadata_key="n"), "neither min_value nor max_value"),
        (
            lambda: build_time_partition_freshness_checks(assets=[table], deadline_cron="@daily"),
            "no partitions of time",
        ),
        (lambda: build_time_partition_freshness_checks(assets=[daily], deadline_cron="x"), "cron text"),
        (lambda: build_last_update_freshness_checks(assets=[table], lower_bound_delta=HOUR, timezone="N/A"), "N/A"),
    ],
)
def test_builders_refuse_what_is_not_valid(make: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        make()


# -- freshness ---------------------------------------------------------------------------------------------------------


def test_an_update_is_recent_enough_or_not(instance: Instance) -> None:
    checks = build_last_update_freshness_checks(assets=[table], lower_bound_delta=HOUR)
    assert evaluated(instance, checks, table) == [("table", False)]
    report(instance, AssetMaterialization(asset="table"), ago=2 * HOUR)
    assert evaluated(instance, checks, table) == [("table", False)]
    report(instance, AssetMaterialization(asset="table"), ago=HOUR / 2)
    assert evaluated(instance, checks, table) == [("table", True)]


def test_an_observation_tells_when_something_else_updated_its_asset(instance: Instance) -> None:
    checks = build_last_update_freshness_checks(assets=[AssetSpec("outside")], lower_bound_delta=HOUR)
    seen: Metadata = {"penstock/last_updated_timestamp": MetadataValue.timestamp(NOON - 7200)}
    report(instance, AssetObservation(asset="outside", metadata=seen))
    assert evaluated(instance, checks, AssetSpec("outside")) == [("outside", False)]
    report(instance, AssetObservation(asset="outside"))
    assert evaluated(instance, checks, AssetSpec("outside")) == [("outside", True)]


def test_the_newest_partition_is_there_by_the_deadline(instance: Instance) -> None:
    checks = build_time_partition_freshness_checks(assets=[daily], deadline_cron="0 9 * * *")
    assert evaluated(instance, checks, daily) == [("daily", False)]
    report(instance, AssetMaterialization(asset="daily", partition="2024-03-03"))
    assert evaluated(instance, checks, daily) == [("daily", False)]
    report(instance, AssetMaterialization(asset="daily", partition="2024-03-04"))
    assert evaluated(instance, checks, daily) == [("daily", True)]


@given(st.none() | st.integers(0, 10**6), st.integers(10**6, 2 * 10**6), st.integers(60, 10**5), st.booleans())
def test_a_judgement_stands_until_it_says(updated: int | None, now: int, allowed: int, by_deadline: bool) -> None:
    cron = parse("0 9 * * *") if by_deadline else None
    judged = judge_update(updated, now, allowed=allowed, deadline_cron=cron)
    again = judge_update(updated, min(judged.fresh_until - 1, now + 10**5), allowed=allowed, deadline_cron=cron)
    assert judged.passed == (updated is not None and updated >= judged.lower_bound)
    assert not judged.passed or again.passed


def state(status: str, *, passed: bool | None = None, until: float | None = None, updated: float = 10.0) -> CheckState:
    evaluation = None
    if passed is not None:
        metadata: Metadata = {} if until is None else {FRESH_UNTIL: MetadataValue.timestamp(until)}
        evaluation = AssetCheckEvaluation(asset="a", check="c", passed=passed, metadata=metadata)
    return CheckState(asset="a", check="c", status=status, evaluation=evaluation, updated=updated)


@pytest.mark.parametrize(
    ("check", "made_at", "expected"),
    [
        (None, None, True),
        (state("IN_PROGRESS"), None, False),
        (state("SUCCEEDED", passed=True, until=200.0), None, False),
        (state("SUCCEEDED", passed=True, until=99.0), None, True),
        (state("SUCCEEDED", passed=True), None, True),
        (state("FAILED", passed=False), None, False),
        (state("FAILED", passed=False), 5.0, False),
        (state("FAILED", passed=False), 50.0, True),
        (state("EXECUTION_FAILED"), 50.0, True),
    ],
)
def test_when_a_freshness_check_has_something_new_to_tell(
    check: CheckState | None, made_at: float | None, expected: bool
) -> None:
    assert is_due(check, AssetState(asset="a", materialized_at=made_at), 100.0) is expected


def test_the_sensor_asks_for_the_checks_that_are_due(instance: Instance) -> None:
    checks = build_last_update_freshness_checks(assets=[table], lower_bound_delta=HOUR)
    sensor = build_sensor_for_freshness_checks(freshness_checks=checks)
    definitions = Definitions(assets=[table], asset_checks=checks, sensors=[sensor])
    assert definitions.get_sensor_def("freshness_checks_sensor") is sensor
    context = build_sensor_context(instance=instance)
    (request,) = sensor(context).run_requests
    assert isinstance(request, RunRequest)
    assert request.asset_check_keys == [checks[0].check_key]
    report(instance, AssetMaterialization(asset="table"))
    evaluated(instance, checks, table)
    assert isinstance(sensor(context), SkipReason)


def test_the_sensor_takes_checks_of_freshness_alone() -> None:
    @asset_check(asset=table)
    def other() -> None: ...

    with pytest.raises(DefinitionError, match="table:other is no check of freshness"):
        build_sensor_for_freshness_checks(freshness_checks=[other])
    with pytest.raises(DefinitionError, match="has no checks"):
        build_sensor_for_freshness_checks(freshness_checks=[])
