"""Schedules: what a tick asks for."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from penstock import (
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    MultiPartitionsDefinition,
    ResourceParam,
    RunConfig,
    RunRequest,
    ScheduleDefinition,
    SkipReason,
    StaticPartitionsDefinition,
    WeeklyPartitionsDefinition,
    asset,
    build_schedule_context,
    build_schedule_from_partitioned_job,
    define_asset_job,
    job,
    op,
    schedule,
)
from penstock.errors import DefinitionError, UnknownResourceError
from penstock.partitions.definition import PartitionsDefinition


@op
def work() -> None: ...


@job
def nightly() -> None:
    work()


def _context(moment: str = "2024-01-03T00:00:00+00:00") -> Any:
    return SimpleNamespace(scheduled_execution_time=datetime.fromisoformat(moment).astimezone(UTC))


def test_the_same_run_at_each_tick() -> None:
    every = ScheduleDefinition(
        job=nightly, cron_schedule="0 0 * * *", tags={"a": 1}, run_config={"ops": {"work": {"config": 1}}}
    )
    asked = every.evaluate(_context(), {})
    assert every.name == "nightly_schedule"
    assert every.tags == {"a": "1"}
    assert [each.run_config for each in asked.run_requests] == [{"ops": {"work": {"config": 1}}}]


def test_functions_may_give_config_tags_and_a_no() -> None:
    made = ScheduleDefinition(
        "s",
        job=nightly,
        cron_schedule=["@daily", "0 12 * * MON-FRI"],
        run_config_fn=lambda context: RunConfig(ops={"work": {"config": context.scheduled_execution_time.day}}),
        tags_fn=lambda context: {"day": str(context.scheduled_execution_time.day)},
        should_execute=lambda context: context.scheduled_execution_time.day == 3,
    )
    (request,) = made.evaluate(_context(), {}).run_requests
    assert request.run_config == {"ops": {"work": {"config": 3}}}
    assert request.tags == {"day": "3"}
    assert made.evaluate(_context("2024-01-04T00:00:00+00:00"), {}).skip_reason is not None


@pytest.mark.parametrize(
    ("given", "keys", "reason"),
    [
        (RunRequest("a"), ["a"], None),
        ([RunRequest("a"), RunRequest("b")], ["a", "b"], None),
        ({"ops": {}}, [None], None),
        (SkipReason("not today"), [], "not today"),
        (None, [], None),
        ([], [], None),
    ],
)
def test_every_form_of_an_answer(given: Any, keys: list[str | None], reason: str | None) -> None:
    @schedule("0 0 * * *", job=nightly)
    def ask(context: object) -> Any:
        return given

    asked = ask.evaluate(_context(), {})
    assert [each.run_key for each in asked.run_requests] == keys
    assert asked.skip_reason == reason


def test_a_function_may_yield_and_take_resources() -> None:
    @schedule("0 0 * * *", job_name="nightly")
    def ask(db: ResourceParam[str]) -> Any:
        yield RunRequest(db)

    assert ask.required_resource_keys == {"db"}
    assert [each.run_key for each in ask.evaluate(_context(), {"db": "x"}).run_requests] == ["x"]
    assert [each.run_key for each in ask(db="y")] == ["y"]


@pytest.mark.parametrize("given", ["text", 3, [RunRequest(), "x"], [RunRequest(), SkipReason("no")]])
def test_other_answers_are_refused(given: Any) -> None:
    @schedule("0 0 * * *", job=nightly)
    def ask() -> Any:
        return given

    with pytest.raises(DefinitionError, match='Schedule "ask"'):
        ask.evaluate(_context(), {})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"cron_schedule": "0 0 * *"}, "has 4 fields instead of 5"),
        ({"cron_schedule": "every day"}, "has 2 fields instead of 5"),
        ({"cron_schedule": [5]}, "has the cron_schedule 5; give a text"),
        ({"cron_schedule": []}, "no cron text"),
        ({"cron_schedule": "61 * * * *"}, '"61" is not valid; use 0 to 59'),
        ({"execution_timezone": "Mars/Olympus"}, "time zone 'Mars/Olympus'"),
        ({"dst_gap": "before"}, 'has dst_gap=\'before\'; give "after" or "skip"'),
        ({"dst_fold": "twice"}, 'has dst_fold=\'twice\'; give "first" or "second" or "both"'),
        ({"max_catchup_runs": 0}, "max_catchup_runs=0; give a whole number from 1 to 1000"),
        ({"max_catchup_runs": True}, "max_catchup_runs=True"),
        ({"job": None}, "starts nothing"),
        ({"job_name": "other"}, "say in one way"),
        ({"job": work}, "give a job"),
        ({"tags": {}, "tags_fn": lambda _: {}}, "tags and tags_fn"),
        ({"run_config": {}, "execution_fn": lambda context: None}, "which the function gives"),
        ({"execution_fn": lambda context, x: None}, "the parameters .context, x.; it takes the context"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        ScheduleDefinition("s", **{"job": nightly, "cron_schedule": "0 0 * * *", **options})


def test_assets_as_a_target_get_a_job_of_their_own() -> None:
    @asset
    def a() -> None: ...

    made = ScheduleDefinition("s", target=[a], cron_schedule="0 0 * * *")
    resolved = Definitions(assets=[a], schedules=[made]).resolved
    assert made.job_name == "__anonymous_asset_job_s"
    assert resolved.jobs[made.job_name].asset_layer is not None


def _partitioned(partitions: PartitionsDefinition, **options: Any) -> ScheduleDefinition:
    @asset(partitions_def=partitions)
    def a() -> None: ...

    made = build_schedule_from_partitioned_job(define_asset_job("parts", [a]), **options)
    return Definitions(assets=[a], schedules=[made]).get_schedule_def("parts_schedule")


def test_a_partitioned_job_runs_when_a_window_has_ended() -> None:
    made = _partitioned(DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berlin"), hour_of_day=4)
    assert made.cron_schedule == "0 4 * * *"
    assert made.execution_timezone == "Europe/Berlin"
    assert made.follows_partitions
    asked = made.evaluate(_context("2024-01-03T04:00:00+01:00"), {})
    assert [(each.run_key, each.partition_key) for each in asked.run_requests] == [("2024-01-02", "2024-01-02")]
    assert made.evaluate(_context("2024-01-01T04:00:00+01:00"), {}).skip_reason == "No partition has ended yet."
    assert made.source is not None
    assert made.source.file == __file__


def test_a_job_of_several_dimensions_runs_all_partitions_of_the_window() -> None:
    shops = SimpleNamespace(get_dynamic_partitions=lambda _: ["x", "y"])
    sets = MultiPartitionsDefinition(
        {"date": DailyPartitionsDefinition("2024-01-01"), "shop": DynamicPartitionsDefinition(name="shops")}
    )
    made = _partitioned(sets, minute_of_hour=30)
    assert made.cron_schedule == "30 0 * * *"
    context = _context("2024-01-03T00:30:00+00:00")
    context.instance = shops
    asked = made.evaluate(context, {})
    assert [(each.run_key, each.partition_key) for each in asked.run_requests] == [
        ("2024-01-02|x", "2024-01-02|x"),
        ("2024-01-02|y", "2024-01-02|y"),
    ]


def test_partitions_without_time_all_run_at_each_tick() -> None:
    made = _partitioned(StaticPartitionsDefinition(["a", "b"]), cron_schedule="0 5 * * *")
    keys: list[Any] = []
    for moment in ("2024-01-03T05:00:00+00:00", "2024-01-04T05:00:00+00:00"):
        context = _context(moment)
        context.instance = None
        asked = made.evaluate(context, {}).run_requests
        assert [each.partition_key for each in asked] == ["a", "b"]
        keys += [each.run_key for each in asked]
    assert len(set(keys)) == 4


def test_times_that_do_not_fit_the_partitions_are_refused() -> None:
    assert _partitioned(WeeklyPartitionsDefinition("2024-01-07"), day_of_week=2).cron_schedule == "0 0 * * 2"
    with pytest.raises(DefinitionError, match='Schedule "parts_schedule"'):
        _partitioned(DailyPartitionsDefinition("2024-01-01"), day_of_month=2)
    with pytest.raises(DefinitionError, match="has StaticPartitionsDefinition"):
        _partitioned(StaticPartitionsDefinition(["a"]))
    with pytest.raises(DefinitionError, match="say it in one way"):
        _partitioned(DailyPartitionsDefinition("2024-01-01"), day_of_month=2, cron_schedule="0 0 * * *")


def test_a_tick_has_the_tags_of_the_schedule_and_of_its_function() -> None:
    @schedule(
        cron_schedule="@daily",
        job=nightly,
        tags_fn=lambda context: {"day": str(context.scheduled_execution_time.day)},
    )
    def config_alone() -> dict[str, Any]:
        return {"ops": {}}

    context = build_schedule_context(scheduled_execution_time=datetime(2024, 1, 3, tzinfo=UTC))
    assert [each.tags for each in config_alone.evaluate_tick(context).run_requests] == [{"day": "3"}]

    @schedule(cron_schedule="@daily", job=nightly, tags={"a": "1", "b": "1"})
    def own() -> RunRequest:
        return RunRequest(tags={"b": "2"})

    assert [each.tags for each in own.evaluate_tick(context).run_requests] == [{"a": "1", "b": "2"}]


def test_a_schedule_of_a_job_whose_partitions_are_known_is_there_at_once() -> None:
    @job(partitions_def=StaticPartitionsDefinition(["a", "b"]))
    def lettered() -> None:
        work()

    made = build_schedule_from_partitioned_job(lettered, cron_schedule="0 5 * * *")
    assert isinstance(made, ScheduleDefinition)
    assert made.cron_schedule == "0 5 * * *"
    asked = made.evaluate_tick(build_schedule_context(scheduled_execution_time=datetime(2024, 1, 3, tzinfo=UTC)))
    assert [each.partition_key for each in asked.run_requests] == ["a", "b"]


def test_a_tick_that_lacks_a_resource_says_so() -> None:
    @schedule(cron_schedule="@daily", job=nightly)
    def needy(number: ResourceParam[int]) -> RunRequest:
        return RunRequest(run_key=str(number))

    with pytest.raises(UnknownResourceError, match='needs the resource "number"'):
        needy.evaluate_tick(build_schedule_context(scheduled_execution_time=datetime(2024, 1, 3, tzinfo=UTC)))
