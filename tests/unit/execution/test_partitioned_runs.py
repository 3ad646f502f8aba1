"""Runs on partitions: of several dimensions, over ranges, with mappings of all kinds, and with config by partition."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from penstock import (
    AssetExecutionContext,
    AssetIn,
    Config,
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    Instance,
    IOManager,
    MultiPartitionKey,
    MultiPartitionMapping,
    MultiPartitionsDefinition,
    OpExecutionContext,
    Partition,
    PartitionedConfig,
    PartitionKeyRange,
    PartitionMapping,
    StaticPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionMapping,
    UpstreamPartitionsResult,
    asset,
    build_asset_context,
    build_op_context,
    daily_partitioned_config,
    define_asset_job,
    job,
    materialize,
    op,
    static_partitioned_config,
)
from penstock.errors import DefinitionError, InvocationError, PartitionNotFoundError, UsageError, UserCodeError
from penstock.execution.evaluate import evaluate_partitions, evaluate_schedule
from penstock.partitions.partitions_subset import PartitionsSubset
from penstock.records.wire import EvaluatePartitions, EvaluateSchedule, PartitionRun

DAYS = DailyPartitionsDefinition("2024-01-01", end_date="2024-02-01")
LETTERS = StaticPartitionsDefinition(["a", "b"])
SALES = MultiPartitionsDefinition({"date": DAYS, "letter": LETTERS})
START, END = "penstock/asset_partition_range_start", "penstock/asset_partition_range_end"


def _day(day: int) -> datetime:
    return datetime(2024, 1, day, tzinfo=UTC)


class _Notes(IOManager):
    """Keeps what it was asked."""

    def __init__(self) -> None:
        self.stored: list[Any] = []
        self.loaded: list[Any] = []

    def handle_output(self, context: Any, obj: Any) -> None:
        keys, window = list(context.asset_partition_keys), context.asset_partitions_time_window
        one = context.partition_key if context.has_partition_key else None
        self.stored.append((keys, one, window.start.day, window.end.day, context.asset_partition_key_range))

    def load_input(self, context: Any) -> Any:
        self.loaded.append(list(context.asset_partition_keys))
        return 1


def test_a_partition_of_several_dimensions() -> None:
    seen: list[Any] = []
    notes = _Notes()

    @asset(partitions_def=SALES)
    def sales(context: AssetExecutionContext) -> int:
        seen.append((context.partition_key, context.multi_partition_key.keys_by_dimension))
        seen.append(context.partition_time_window)
        seen.append((context.has_partition_key, context.has_partition_key_range, context.partition_keys))
        seen.append(dict(context.run.tags))
        return 1

    for key in (MultiPartitionKey({"letter": "b", "date": "2024-01-03"}), "2024-01-03|b"):
        seen.clear()
        result = materialize([sales], partition_key=key, resources={"io_manager": notes})
        assert isinstance(seen[0][0], MultiPartitionKey)
        assert seen == [
            ("2024-01-03|b", {"date": "2024-01-03", "letter": "b"}),
            TimeWindow(_day(3), _day(4)),
            (True, False, ["2024-01-03|b"]),
            {
                "penstock/partition": "2024-01-03|b",
                "penstock/partition/date": "2024-01-03",
                "penstock/partition/letter": "b",
            },
        ]
        assert [each.partition for each in result.asset_materializations_for_node("sales")] == ["2024-01-03|b"]
    assert notes.stored[0] == (["2024-01-03|b"], "2024-01-03|b", 3, 4, ("2024-01-03|b", "2024-01-03|b"))
    with pytest.raises(PartitionNotFoundError, match=r"no partition '2024-01-03\|z'"):
        materialize([sales], partition_key="2024-01-03|z")


def test_a_range_of_several_dimensions_is_a_range_of_each() -> None:
    notes = _Notes()
    seen: list[Any] = []

    @asset(partitions_def=SALES)
    def sales(context: AssetExecutionContext) -> int:
        seen.append((context.has_partition_key, context.has_partition_key_range, context.partition_key_range))
        seen.append((context.asset_partition_key_range_for_output(), context.partition_time_window))
        return 1

    tags = {START: "2024-01-03|b", END: "2024-01-05|b"}
    result = materialize([sales], tags=tags, resources={"io_manager": notes})
    whole = PartitionKeyRange("2024-01-03|b", "2024-01-05|b")
    assert seen == [(False, True, whole), (whole, TimeWindow(_day(3), _day(6)))]
    keys = ["2024-01-03|b", "2024-01-04|b", "2024-01-05|b"]
    assert notes.stored == [(keys, None, 3, 6, whole)]
    assert [each.partition for each in result.asset_materializations_for_node("sales")] == keys


def test_inputs_follow_the_dimensions() -> None:
    notes = _Notes()

    @asset(partitions_def=SALES)
    def sales() -> int:
        return 1

    @asset(partitions_def=DAYS)
    def per_day(context: AssetExecutionContext, sales: int) -> int:
        assert context.asset_partition_keys_for_input("sales") == ["2024-01-02|a", "2024-01-02|b"]
        assert context.asset_partitions_time_window_for_input("sales") == TimeWindow(_day(2), _day(3))
        return sales

    @asset(partitions_def=SALES, ins={"sales": AssetIn(partition_mapping=MultiPartitionMapping({}))})
    def against_all(sales: int) -> int:
        return sales

    everything = [sales, per_day, against_all]
    resources = {"io_manager": notes}
    assert materialize(everything, selection=["per_day"], partition_key="2024-01-02", resources=resources).success
    assert materialize(everything, selection=["against_all"], partition_key="2024-01-02|a", resources=resources).success
    assert [len(each) for each in notes.loaded] == [2, 62]


def test_the_first_partition_of_an_asset_that_needs_its_own_previous_one() -> None:
    seen: list[Any] = []

    @asset(
        partitions_def=DAYS,
        ins={"total": AssetIn(partition_mapping=TimeWindowPartitionMapping(start_offset=-1, end_offset=-1))},
    )
    def total(context: AssetExecutionContext, total: Any) -> int:
        seen.append((context.asset_partition_keys_for_input("total"), total))
        return (total or 0) + 1

    with Instance.ephemeral() as instance:
        for key in ("2024-01-01", "2024-01-02"):
            assert materialize([total], partition_key=key, instance=instance).success
    assert seen == [([], None), (["2024-01-01"], 1)]


class _DayBefore(PartitionMapping):
    def get_upstream_mapped_partitions_result_for_partitions(
        self,
        downstream_partitions_subset: Any,
        downstream_partitions_def: Any,
        upstream_partitions_def: Any,
        current_time: Any = None,
        dynamic_partitions_store: Any = None,
    ) -> UpstreamPartitionsResult:
        days = [f"2024-01-{int(key[-2:]) - 1:02}" for key in downstream_partitions_subset.get_partition_keys()]
        return UpstreamPartitionsResult(upstream_partitions_def.empty_subset().with_partition_keys(days))

    def get_downstream_partitions_for_partitions(self, *_: Any, **__: Any) -> PartitionsSubset:
        raise NotImplementedError


def test_a_mapping_of_the_users_own() -> None:
    notes = _Notes()

    @asset(partitions_def=DAYS)
    def orders() -> int:
        return 1

    @asset(partitions_def=DAYS, ins={"orders": AssetIn(partition_mapping=_DayBefore())})
    def report(orders: int) -> int:
        return orders

    resources = {"io_manager": notes}
    assert materialize([orders, report], selection=["report"], partition_key="2024-01-09", resources=resources).success
    assert notes.loaded == [["2024-01-08"]]


def test_dynamic_partitions_exist_in_an_instance() -> None:
    @asset(partitions_def=MultiPartitionsDefinition({"shop": DynamicPartitionsDefinition(name="shops"), "date": DAYS}))
    def sales(context: AssetExecutionContext) -> str:
        return context.multi_partition_key.keys_by_dimension["shop"]

    with Instance.ephemeral() as instance:
        instance.add_dynamic_partitions("shops", ["x"])
        result = materialize([sales], partition_key="2024-01-02|x", instance=instance)
        assert result.output_for_node("sales") == "x"
        with pytest.raises(PartitionNotFoundError):
            materialize([sales], partition_key="2024-01-02|y", instance=instance)


class _DayConfig(Config):
    day: str


@op
def work(context: OpExecutionContext, config: _DayConfig) -> str:
    return f"{config.day} {context.partition_key} {context.run.tags.get('weekday')}"


def _config(day: str) -> dict[str, Any]:
    return {"ops": {"work": {"config": {"day": day}}}}


@daily_partitioned_config("2024-01-01", tags_for_partition_fn=lambda start, _end: {"weekday": str(start.isoweekday())})
def by_day(start: datetime, end: datetime) -> dict[str, Any]:
    return _config(f"{start:%d}-{end:%d}")


@job(config=by_day)
def daily() -> None:
    work()


def test_config_and_tags_follow_from_the_partition() -> None:
    assert daily.partitions_def == DailyPartitionsDefinition("2024-01-01")
    assert daily.partitioned_config is by_day
    assert by_day(_day(1), _day(2)) == _config("01-02")
    assert daily.execute_in_process(partition_key="2024-01-05").output_for_node("work") == "05-06 2024-01-05 5"
    mine = daily.execute_in_process(partition_key="2024-01-05", run_config=_config("mine"), tags={"weekday": "x"})
    assert mine.output_for_node("work") == "mine 2024-01-05 x"
    with pytest.raises(PartitionNotFoundError):
        daily.execute_in_process(partition_key="2023-01-05")


def test_a_run_request_for_a_partition() -> None:
    request = daily.run_request_for_partition("2024-01-05", run_key="k", tags={"a": "b"})
    assert (request.run_key, request.partition_key, request.job_name) == ("k", "2024-01-05", "daily")
    assert request.run_config == _config("05-06")
    assert request.tags == {"weekday": "5", "a": "b"}
    assert daily.run_request_for_partition("2024-01-05", run_config=_config("x")).run_config == _config("x")
    with pytest.raises(PartitionNotFoundError):
        daily.run_request_for_partition("2024-01-05", current_time=_day(2))

    @job
    def plain() -> None:
        work()

    with pytest.raises(UsageError, match='Job "plain" has no partitions'):
        plain.run_request_for_partition("a")


def test_a_job_of_assets_with_config_by_partition() -> None:
    @asset(partitions_def=LETTERS)
    def lettered(context: AssetExecutionContext, config: _DayConfig) -> str:
        return f"{config.day} {context.partition_key}"

    @static_partitioned_config(["a", "b"])
    def by_letter(key: str) -> dict[str, Any]:
        return {"ops": {"lettered": {"config": {"day": key * 2}}}}

    defs = Definitions(assets=[lettered], jobs=[define_asset_job("letters", "lettered", config=by_letter)])
    made = defs.get_job_def("letters")
    assert made.partitions_def == LETTERS
    assert made.execute_in_process(partition_key="b").output_for_node("lettered") == "bb b"
    with pytest.raises(DefinitionError, match="other partitions than its asset"):
        Definitions(assets=[lettered], jobs=[define_asset_job("days", "lettered", config=by_day)]).get_job_def("days")


def test_evaluating_what_user_code_gives_for_partitions() -> None:
    defs = Definitions(jobs=[daily])
    answer = evaluate_partitions(defs, EvaluatePartitions(job="daily", keys=("2024-01-05", "2024-01-06")))
    assert answer.runs == {
        "2024-01-05": PartitionRun(run_config=_config("05-06"), tags={"weekday": "5"}),
        "2024-01-06": PartitionRun(run_config=_config("06-07"), tags={"weekday": "6"}),
    }
    assert evaluate_partitions(defs, EvaluatePartitions(job="none", keys=())).error is not None

    @job(config=PartitionedConfig(LETTERS, run_config_for_partition_key_fn=lambda key: {"ops": 1 / 0}))
    def broken() -> None:
        work()

    failed = evaluate_partitions(Definitions(jobs=[broken]), EvaluatePartitions(job="broken", keys=("a",)))
    assert failed.error is not None
    assert "run config of partition 'a' raised ZeroDivisionError: division by zero" in failed.error.message


def test_a_schedule_asks_with_the_config_of_the_partition() -> None:
    from penstock import RunRequest, ScheduleDefinition

    def ask(_context: Any) -> list[RunRequest]:
        return [
            RunRequest(partition_key="2024-01-05"),
            RunRequest(partition_key="2024-01-06", run_config=_config("x"), tags={"weekday": "y"}),
        ]

    schedule = ScheduleDefinition("nightly", cron_schedule="@daily", job=daily, execution_fn=ask)
    defs = Definitions(jobs=[daily], schedules=[schedule])
    answer = evaluate_schedule(defs, EvaluateSchedule(name="nightly", due=0.0))
    assert answer.error is None
    assert [(each.run_config, each.tags) for each in answer.run_requests] == [
        (_config("05-06"), {"weekday": "5"}),
        (_config("x"), {"weekday": "y"}),
    ]


def test_functions_of_a_partition_object() -> None:
    config = PartitionedConfig(
        SALES,
        run_config_for_partition_fn=lambda partition: {
            "name": partition.name,
            "letter": partition.value.keys_by_dimension["letter"],
        },
        tags_for_partition_fn=lambda partition: {"key": partition.name},
    )
    assert config.get_run_config_for_partition_key("2024-01-01|a") == {"name": "2024-01-01|a", "letter": "a"}
    assert config.get_tags_for_partition_key("2024-01-01|a") == {"key": "2024-01-01|a"}
    assert len(config.get_partition_keys(_day(3))) == 4
    with pytest.raises(DefinitionError, match="not made of a function"):
        config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PartitionedConfig(SALES), "needs one function for the run config"),
        (lambda: PartitionedConfig("a", run_config_for_partition_key_fn=dict), "needs a partition set, not 'a'"),  # type: ignore[arg-type]  # refused
        (
            lambda: static_partitioned_config(["a"], lambda _: {}, lambda _: {}),
            "Both tags_for_partition_fn and tags_for_partition_key_fn",
        ),
        (
            lambda: job(name="both", config=by_day, partitions_def=LETTERS)(lambda: work()),
            "has other partitions than its partitioned config",
        ),
    ],
)
def test_what_is_not_valid_is_refused(make: Any, message: str) -> None:
    with pytest.raises(DefinitionError, match=message):
        make()


def test_contexts_outside_of_a_run() -> None:
    @asset(partitions_def=SALES)
    def sales(context: AssetExecutionContext) -> list[str]:
        return list(context.partition_keys)

    whole = PartitionKeyRange("2024-01-01|a", "2024-01-02|a")
    with build_asset_context(partition_key_range=whole) as context:
        assert (context.has_partition_key, context.has_partition_key_range) == (False, True)
        assert context.partition_key_range == whole
        assert sales(context) == ["2024-01-01|a", "2024-01-02|a"]
    with build_asset_context(partition_key=MultiPartitionKey({"date": "2024-01-01", "letter": "b"})) as context:
        assert sales(context) == ["2024-01-01|b"]
    with build_op_context(partition_key_range=PartitionKeyRange("x", "y")) as op_context:
        assert op_context.partition_key_range == ("x", "y")
        with pytest.raises(UserCodeError, match="has no set of partitions"):
            _ = op_context.multi_partition_key
    with pytest.raises(InvocationError, match="partition_key or partition_key_range, not both"):
        build_op_context(partition_key="a", partition_key_range=whole)


def test_a_partition_has_the_text_of_its_value() -> None:
    assert (Partition(3).name, Partition(3, "three").name) == ("3", "three")
