"""Definitions described as records."""

from typing import Any

import pytest
from pydantic import SecretStr

from penstock import (
    AssetKey,
    AssetSelection,
    AssetSpec,
    BackfillPolicy,
    ConfigurableResource,
    DailyPartitionsDefinition,
    DefaultSensorStatus,
    Definitions,
    DynamicPartitionsDefinition,
    RetryPolicy,
    RunStatus,
    ScheduleDefinition,
    asset,
    asset_check,
    asset_sensor,
    define_asset_job,
    job,
    multi_asset_sensor,
    op,
    run_status_sensor,
    sensor,
)
from penstock.codec import decode_json, digest, encode_json
from penstock.definitions.describe import describe
from penstock.errors import DefinitionError
from penstock.partitions.spec import DynamicSpec
from penstock.records.automation import InstigatorStatus
from penstock.records.location import LocationDescription, SourceRef, StepRef
from penstock.records.metadata import IntMetadataValue


class Db(ConfigurableResource):
    """Where data is."""

    url: str
    token: SecretStr


@asset(
    group_name="raw",
    kinds={"sql"},
    metadata={"rows": 3},
    partitions_def=DailyPartitionsDefinition("2024-01-01"),
    backfill_policy=BackfillPolicy.single_run(),
    retry_policy=RetryPolicy(2),
    owners=["team:x"],
)
def orders(db: Db) -> int:
    """All orders."""
    return 1


@asset(partitions_def=DynamicPartitionsDefinition(name="regions"))
def by_region(orders: int, outside: int) -> None: ...


@asset_check(asset=orders, blocking=True)
def fine() -> Any: ...


@op
def first() -> int:
    return 1


@op
def second(x: int) -> None: ...


@job(tags={"a": "b"}, config={"execution": {"config": {"in_process": {}}}})
def of_ops() -> None:
    second(first())


@sensor(job=of_ops, minimum_interval_seconds=7, default_status=DefaultSensorStatus.RUNNING)
def look() -> None: ...


DEFS = Definitions(
    assets=[orders, by_region, AssetSpec("outside", description="Made elsewhere.")],
    asset_checks=[fine],
    jobs=[of_ops, define_asset_job("daily", [orders])],
    schedules=[
        ScheduleDefinition("s", job=of_ops, cron_schedule=["0 0 * * *", "@hourly"], execution_timezone="Asia/Kolkata"),
        ScheduleDefinition(
            "t", job=of_ops, cron_schedule="@daily", dst_gap="skip", dst_fold="both", max_catchup_runs=7
        ),
    ],
    sensors=[look],
    resources={"db": Db(url="here", token=SecretStr("s3cret"))},
    metadata={"version": "1"},
)
DESCRIBED = describe(DEFS, "here")


def test_it_travels_as_json_and_is_the_same_each_time() -> None:
    data = encode_json(DESCRIBED)
    again = decode_json(data, LocationDescription)
    assert encode_json(again) == data
    assert digest(again) == digest(describe(DEFS, "here")) == digest(DESCRIBED)
    assert b"s3cret" not in data


def test_assets() -> None:
    assets = {each.key: each for each in DESCRIBED.assets}
    made = assets["orders"]
    assert (made.group, made.kinds, made.owners, made.op) == ("raw", ("sql",), ("team:x",), "orders")
    assert made.metadata == {"rows": IntMetadataValue(3)}
    assert made.jobs == ("__ASSET_JOB", "daily")
    assert made.checks == ("fine",)
    assert made.io_manager == "io_manager"
    assert made.max_partitions_per_run is None
    assert made.source is not None
    assert made.source.file == __file__
    assert assets["by_region"].deps == ("orders", "outside")
    assert assets["by_region"].io_manager is None
    assert isinstance(assets["by_region"].partitions, DynamicSpec)
    assert not assets["outside"].executable
    assert assets["outside"].description == "Made elsewhere."
    assert DESCRIBED.dynamic_partitions == ("regions",)
    (check,) = DESCRIBED.checks
    assert (check.key, check.blocking, check.op) == ("orders:fine", True, "orders_fine")


def test_jobs_and_their_steps() -> None:
    jobs = {each.name: each for each in DESCRIBED.jobs}
    assert list(jobs) == ["__ASSET_JOB", "of_ops", "daily"]
    ops = jobs["of_ops"]
    assert [step.key for step in ops.steps] == ["first", "second"]
    assert ops.steps[1].inputs[0].sources == (StepRef(step="first", output="result"),)
    assert ops.default_config == {"execution": {"config": {"in_process": {}}}}
    assert (ops.tags, ops.is_asset_job) == ({"a": "b"}, False)
    daily = jobs["daily"]
    assert daily.is_asset_job
    assert (daily.assets, daily.checks) == (("orders",), ("orders:fine",))
    assert daily.partitions is not None
    made = daily.steps[0]
    assert (made.max_retries, made.compute_kind, made.resources) == (2, "sql", ("db", "io_manager"))


def test_schedules_sensors_and_resources() -> None:
    schedule, other = DESCRIBED.schedules
    assert (schedule.dst_gap, schedule.dst_fold, schedule.max_catchup, schedule.follows_partitions) == (
        "after",
        "first",
        None,
        False,
    )
    assert (other.dst_gap, other.dst_fold, other.max_catchup) == ("skip", "both", 7)
    assert (schedule.cron, schedule.timezone, schedule.job) == (("0 0 * * *", "@hourly"), "Asia/Kolkata", "of_ops")
    assert schedule.default_status is InstigatorStatus.STOPPED
    assert schedule.source is not None
    (described,) = DESCRIBED.sensors
    assert (described.interval, described.jobs) == (7.0, ("of_ops",))
    assert described.default_status is InstigatorStatus.RUNNING
    (resource,) = DESCRIBED.resources
    assert (resource.name, resource.type_name, resource.used_by) == ("db", "Db", ("orders",))
    assert resource.description == "Where data is."
    assert resource.config["url"] == "here"


def test_a_bad_fact_about_an_asset_names_it() -> None:
    @asset(metadata={"bad": object()})
    def odd() -> None: ...

    with pytest.raises(DefinitionError, match=r"Asset odd \(.*test_describe\.py:\d+\): Metadata 'bad'"):
        describe(Definitions(assets=[odd]), "x")


def test_sources_are_where_users_wrote_things() -> None:
    schedule, _ = DESCRIBED.schedules
    assert isinstance(schedule.source, SourceRef)
    assert schedule.source.file == __file__


def test_sensors_say_what_kind_they_are_and_what_they_watch() -> None:
    @asset_sensor(AssetKey(["elsewhere", "orders"]), job=of_ops)
    def on_orders(_context: Any, _event: Any) -> None: ...

    @multi_asset_sensor(AssetSelection.all(), job=of_ops)
    def on_all(_context: Any) -> None: ...

    @run_status_sensor(RunStatus.SUCCESS)
    def on_success(_context: Any) -> None: ...

    @asset
    def parts() -> None: ...

    described = describe(Definitions(assets=[parts], sensors=[on_orders, on_all, on_success]), "here").sensors
    assert {each.name: (each.kind, each.assets) for each in described} == {
        "on_orders": ("ASSET", ("elsewhere/orders",)),
        "on_all": ("MULTI_ASSET", ("parts",)),
        "on_success": ("RUN_STATUS", ()),
    }


def test_a_sensor_over_assets_that_are_not_there_is_named() -> None:
    @multi_asset_sensor(AssetSelection.keys("nowhere"))
    def lost(_context: Any) -> None: ...

    with pytest.raises(
        DefinitionError, match=r'Sensor "lost" .* monitors what is not there: There is no asset "nowhere"'
    ):
        describe(Definitions(sensors=[lost]), "here")
