"""Evaluations of schedules and sensors, and checks of run configs, as the code server asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import field_validator

from penstock import (
    Config,
    ConfigurableResource,
    Definitions,
    RepositoryDefinition,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    build_schedule_context,
    build_sensor_context,
    job,
    op,
    resource,
    schedule,
    sensor,
)
from penstock.codec import encode_msgpack
from penstock.errors import NotFoundError, UsageError
from penstock.execution.evaluate import check_run_config, evaluate_schedule, evaluate_sensor
from penstock.records.wire import CheckRunConfig, EvaluateSchedule, EvaluateSensor

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC).timestamp()


class Folder(ConfigurableResource):
    name: str


class Sizes(Config):
    size: int
    name: str = ""

    @field_validator("size")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


@op
def sized(config: Sizes) -> None:
    pass


@job
def idle() -> None: ...


@op
def free() -> None:
    pass


@job
def work() -> None:
    sized()
    free()


@schedule(cron_schedule="0 12 * * *", job=work, execution_timezone="Europe/Berlin", tags={"from": "schedule"})
def daily(context: ScheduleEvaluationContext, folder: Folder) -> RunRequest:
    context.log.info("at %s", folder.name)
    moment = context.scheduled_execution_time
    return RunRequest(run_key=moment.isoformat(), tags={"zone": str(moment.tzinfo)})


@schedule(cron_schedule="0 12 * * *", job=work)
def wrong(context: ScheduleEvaluationContext) -> None:
    context.log.warning("about to fail")
    raise ValueError("in the user's schedule")


@sensor(job=work, tags={"from": "sensor"})
def counting(context: SensorEvaluationContext) -> Iterator[RunRequest | SkipReason]:
    seen = int(context.cursor or "0")
    if seen >= 2:
        yield SkipReason("enough")
        return
    context.update_cursor(str(seen + 1))
    yield RunRequest(run_key=f"k{seen}", run_config={"ops": {"sized": {"config": {"size": seen}}}})


@sensor(job=work)
def by_result(context: SensorEvaluationContext) -> SensorResult:
    return SensorResult(skip_reason="nothing new", cursor="from the result")


@sensor(job=work)
def wrong_kind() -> Any:
    return 3


plain = ScheduleDefinition("plain", cron_schedule="@daily", job=work, run_config={"ops": {"sized": {}}})

DEFS = Definitions(
    jobs=[work],
    schedules=[daily, wrong, plain],
    sensors=[counting, by_result, wrong_kind],
    resources={"folder": Folder(name="inbox")},
)


def test_a_schedule_gets_its_time_in_its_zone_and_its_resources() -> None:
    answer = evaluate_schedule(DEFS, EvaluateSchedule(name="daily", due=NOON))
    assert answer.error is None
    (request,) = answer.run_requests
    assert request.run_key == "2024-07-01T14:00:00+02:00"
    assert request.tags == {"from": "schedule", "zone": "Europe/Berlin"}
    assert answer.log == ("INFO at inbox",)


def test_a_schedule_without_function_asks_for_the_same_run_each_time() -> None:
    (request,) = evaluate_schedule(DEFS, EvaluateSchedule(name="plain", due=NOON)).run_requests
    assert request.run_config == {"ops": {"sized": {}}}


def test_what_user_code_raises_is_in_the_answer_with_its_frame_first() -> None:
    answer = evaluate_schedule(DEFS, EvaluateSchedule(name="wrong", due=NOON))
    assert answer.error is not None
    assert answer.error.message == "in the user's schedule"
    assert answer.error.frames[0].function == "wrong"
    assert answer.log == ("WARNING about to fail",)


def test_a_sensor_goes_on_from_its_cursor() -> None:
    first = evaluate_sensor(DEFS, EvaluateSensor(name="counting", due=NOON))
    assert [each.run_key for each in first.run_requests] == ["k0"]
    assert first.run_requests[0].tags == {}
    assert first.cursor == "1"
    last = evaluate_sensor(DEFS, EvaluateSensor(name="counting", due=NOON, cursor="2"))
    assert last.run_requests == ()
    assert last.skip_reason == "enough"
    assert last.cursor is None


def test_a_sensor_may_give_all_in_one_result() -> None:
    answer = evaluate_sensor(DEFS, EvaluateSensor(name="by_result", due=NOON, cursor="old"))
    assert answer.cursor == "from the result"
    assert answer.skip_reason == "nothing new"


def test_what_is_no_answer_is_an_error() -> None:
    answer = evaluate_sensor(DEFS, EvaluateSensor(name="wrong_kind", due=NOON))
    assert answer.error is not None
    assert "gave 3" in answer.error.message


def test_names_that_do_not_exist_are_refused() -> None:
    with pytest.raises(NotFoundError, match='did you mean "daily"'):
        evaluate_schedule(DEFS, EvaluateSchedule(name="dayly", due=NOON))


def check(config: dict[str, Any], **more: Any) -> list[tuple[tuple[str, ...], str]]:
    answer = check_run_config(DEFS, CheckRunConfig(job="work", run_config=config, **more))
    assert answer.error is None
    return [(each.path, each.reason) for each in answer.problems]


def test_configs_are_checked_with_all_that_user_code_knows() -> None:
    assert check({"ops": {"sized": {"config": {"size": 2}}}}) == []
    path = ("ops", "sized", "config", "size")
    assert check({"ops": {"sized": {"config": {"size": 3}}}}) == [(path, "RUNTIME_TYPE_MISMATCH")]
    assert check({"ops": {"sized": {"config": {"size": "x", "nams": ""}}}}) == [
        (path, "RUNTIME_TYPE_MISMATCH"),
        ((*path[:-1], "nams"), "FIELD_NOT_DEFINED"),
    ]
    assert check({})[0][1] == "MISSING_REQUIRED_FIELD"


def test_config_of_steps_that_do_not_run_is_not_asked_for() -> None:
    assert check({}, step_keys=("free",)) == []


def test_a_job_that_does_not_exist_is_an_error_in_the_answer() -> None:
    answer = check_run_config(DEFS, CheckRunConfig(job="werk", run_config={}))
    assert answer.error is not None
    assert 'did you mean "work"' in answer.error.message


def test_functions_are_called_directly_with_contexts_made_for_it() -> None:
    moment = datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    context = build_schedule_context(scheduled_execution_time=moment)
    assert context.scheduled_execution_time == moment
    with pytest.raises(UsageError, match="no scheduled time"):
        _ = build_schedule_context().scheduled_execution_time

    given = build_sensor_context(cursor="1", resources={"folder": Folder(name="x")})
    assert given.resources.folder.name == "x"
    assert [each.run_key for each in counting(given)] == ["k1"]
    assert given.cursor == "2"
    with pytest.raises(UsageError, match="A cursor is a text"):
        given.update_cursor(3)  # type: ignore[arg-type]  # on purpose
    with pytest.raises(UsageError, match="no instance"):
        _ = given.instance


def test_contexts_know_the_definitions_that_they_are_given() -> None:
    for context in (
        build_sensor_context(definitions=DEFS),
        build_sensor_context(repository_def=RepositoryDefinition("older", definitions=DEFS)),
        build_schedule_context(repository_def=DEFS),
    ):
        assert context.definitions is DEFS
        assert context.repository_def.has_job("work")
        assert context.resources.folder.name == "inbox"
    with pytest.raises(UsageError, match="pass definitions= to the function that made its context"):
        _ = build_sensor_context().repository_def
    with pytest.raises(UsageError, match="to know the definitions 'DEFS'; give Definitions"):
        build_sensor_context(definitions="DEFS")  # type: ignore[arg-type]


def test_a_sensor_sees_whether_it_was_turned_on_since_it_was_last_evaluated() -> None:
    def first(last_tick: float | None, turned_on: float | None) -> bool:
        context = build_sensor_context(last_sensor_start_time=turned_on, last_tick_completion_time=last_tick)
        return context.is_first_tick_since_sensor_start

    assert [first(None, 5.0), first(4.0, 5.0), first(6.0, 5.0), first(6.0, None)] == [True, True, False, False]


def test_a_tick_sets_up_only_what_its_function_requires() -> None:
    @resource
    def broken(context: object) -> None:
        raise OSError

    @schedule(cron_schedule="0 0 * * *", job=idle, required_resource_keys={"folder"})
    def nightly(context: ScheduleEvaluationContext) -> RunRequest:
        return RunRequest(run_key=context.resources.folder.name)

    @sensor(job=idle)
    def look(context: SensorEvaluationContext) -> RunRequest:
        return RunRequest(run_key="any")

    definitions = Definitions(
        schedules=[nightly], sensors=[look], resources={"folder": Folder(name="x"), "bad": broken}
    )
    of_schedule = nightly.evaluate_tick(build_schedule_context(repository_def=definitions.get_repository_def()))
    of_sensor = look.evaluate_tick(build_sensor_context(definitions=definitions))
    assert [each.run_key for each in (*of_schedule.run_requests, *of_sensor.run_requests)] == ["x", "any"]


@pytest.mark.parametrize(
    "given",
    [
        SkipReason("no \udcff"),
        RunRequest(run_config={"ops": {"sized": {"config": object()}}}),
        RunRequest(run_config={"ops": {"sized": {"config": 1 << 70}}}),
    ],
)
def test_what_has_no_stored_form_is_an_error_in_the_answer(given: Any) -> None:
    @sensor(job=idle)
    def strange() -> Any:
        return given

    answer = evaluate_sensor(Definitions(jobs=[idle], sensors=[strange]), EvaluateSensor(name="strange", due=NOON))
    assert answer.error is not None
    assert "cannot be stored" in answer.error.message
    encode_msgpack(answer)


def test_an_error_that_cannot_be_told_as_it_is_is_told_otherwise() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise ValueError

    @sensor(job=idle)
    def mute() -> None:
        raise MuteError from OSError("no such file: \udcff")

    answer = evaluate_sensor(Definitions(jobs=[idle], sensors=[mute]), EvaluateSensor(name="mute", due=NOON))
    assert answer.error is not None
    assert answer.error.message == "(its text cannot be had: ValueError)"
    assert answer.error.cause is not None
    assert answer.error.cause.message == "no such file: \\udcff"
