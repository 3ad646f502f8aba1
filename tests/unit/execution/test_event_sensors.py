"""Sensors that react to events: every event since the cursor, once, in order, whatever the function does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AddDynamicPartitionsRequest,
    AssetKey,
    AssetMaterialization,
    AssetObservation,
    CodeLocationSelector,
    ConfigurableResource,
    Definitions,
    EventLogEntry,
    EventType,
    Instance,
    JobSelector,
    RepositorySelector,
    RunFailureSensorContext,
    RunRequest,
    RunStatus,
    RunStatusSensorContext,
    RunStatusSensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    SkipReason,
    asset_sensor,
    build_run_status_sensor_context,
    build_sensor_context,
    job,
    multi_asset_sensor,
    op,
    run_failure_sensor,
    run_status_sensor,
    sensor,
)
from penstock.definitions.automation.run_request import Requested
from penstock.errors import DefinitionError, UsageError
from penstock.execution import event_sensors
from penstock.execution.evaluate import evaluate_sensor
from penstock.records.errors import ErrorInfo
from penstock.records.event import Event, StepFailure
from penstock.records.wire import EvaluateSensor, Evaluation
from penstock.testing import FakeClock, add_run


class Outbox(ConfigurableResource):
    name: str


@op
def nothing() -> None: ...


@job
def work() -> None:
    nothing()


@job
def other_work() -> None:
    nothing()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def instance(clock: FakeClock) -> Iterator[Instance]:
    with Instance.ephemeral(clock=clock) as opened:
        yield opened


def tick(sensor_def: Any, instance: Instance, cursor: str | None = "0", **more: Any) -> Requested:
    requested: Requested = sensor_def.evaluate_tick(build_sensor_context(instance=instance, cursor=cursor, **more))
    return requested


# -- runs -------------------------------------------------------------------------------------------------------------


def watcher(seen: list[str], **options: Any) -> RunStatusSensorDefinition:
    @run_status_sensor(RunStatus.SUCCESS, **options)
    def watch(context: RunStatusSensorContext) -> None:
        seen.append(context.run.run_id)

    return watch


def test_each_run_that_reached_the_state_is_told_once_and_in_order(instance: Instance) -> None:
    seen: list[str] = []
    watch = watcher(seen)
    runs = [add_run(instance, f"job_{index}").run_id for index in range(3)]
    add_run(instance, "failing", RunStatus.FAILURE)
    first = tick(watch, instance)
    assert seen == runs
    assert (first.acted, first.more, first.skip_reason) == (True, False, None)
    idle = tick(watch, instance, first.cursor)
    assert (idle.acted, idle.cursor, idle.skip_reason) == (False, first.cursor, "No run has reached the state.")
    runs.append(add_run(instance, "later").run_id)
    tick(watch, instance, idle.cursor)
    assert seen == runs


def test_without_a_cursor_it_begins_where_it_was_turned_on(instance: Instance, clock: FakeClock) -> None:
    seen: list[str] = []
    add_run(instance, "before")
    clock.advance(10)
    turned_on = clock.now()
    clock.advance(10)
    after = add_run(instance, "after").run_id
    watch = watcher(seen)
    answer = tick(watch, instance, None, last_sensor_start_time=turned_on)
    assert seen == [after]
    assert tick(watch, instance, answer.cursor).acted is False


def test_without_a_cursor_and_a_beginning_it_begins_now(instance: Instance) -> None:
    seen: list[str] = []
    add_run(instance, "before")
    watch = watcher(seen)
    answer = tick(watch, instance, None)
    assert (seen, answer.cursor) == ([], str(instance.storage.events.last_id()))
    assert answer.skip_reason is not None
    after = add_run(instance, "after").run_id
    tick(watch, instance, answer.cursor)
    assert seen == [after]


@pytest.mark.parametrize(
    ("monitored", "expected"),
    [
        ({}, {"work here", "other_work here"}),
        ({"monitored_jobs": [work]}, {"work here"}),
        ({"monitored_jobs": [JobSelector("there", job_name="work")]}, {"work there"}),
        ({"monitored_jobs": [JobSelector("there"), work]}, {"work here", "work there", "other_work there"}),
        ({"monitored_jobs": [CodeLocationSelector("there")]}, {"work there", "other_work there"}),
        ({"monitored_jobs": [RepositorySelector("there", "__repository__")]}, {"work there", "other_work there"}),
        (
            {"monitor_all_code_locations": True},
            {"work here", "other_work here", "work there", "other_work there"},
        ),
    ],
)
def test_it_watches_its_own_location_or_what_it_names(
    instance: Instance, monitored: dict[str, Any], expected: set[str]
) -> None:
    seen: list[str] = []

    @run_status_sensor(RunStatus.SUCCESS, **monitored)
    def watch(context: RunStatusSensorContext) -> None:
        seen.append(f"{context.run.job_name} {context.run.location}")

    for location in ("here", "there"):
        for name in ("work", "other_work"):
            add_run(instance, name, location=location)
    defs = Definitions(jobs=[work, other_work], sensors=[watch])
    answer = evaluate_sensor(defs, EvaluateSensor(name="watch", due=0, cursor="0"), instance, "here")
    assert answer.error is None
    assert sorted(seen) == sorted(expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"monitored_jobs": ["work"]}, "'work' among its monitored_jobs; give jobs, or a JobSelector"),
        ({"monitored_jobs": [work], "monitor_all_code_locations": True}, "keep one of them"),
    ],
)
def test_jobs_that_cannot_be_watched_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        watcher([], **options)


def test_a_state_that_no_event_tells_is_refused() -> None:
    with pytest.raises(DefinitionError, match="the state NOT_STARTED, which no event tells; give one of QUEUED"):
        run_status_sensor(RunStatus.NOT_STARTED, name="watch")(lambda context: None)


def test_all_that_the_function_gives_for_its_runs_is_an_effect_of_the_tick(instance: Instance) -> None:
    @run_status_sensor(RunStatus.SUCCESS, request_jobs=[work, other_work])
    def follow(context: RunStatusSensorContext) -> Any:
        if context.run.job_name == "quiet":
            return SkipReason("quiet")
        return SensorResult(
            run_requests=[RunRequest(run_key=context.run.run_id, job_name="work")],
            dynamic_partitions_requests=[AddDynamicPartitionsRequest("jobs", [context.run.job_name])],
            asset_events=[AssetObservation("report")],
        )

    runs = [add_run(instance, name).run_id for name in ("a", "quiet", "b")]
    answer = tick(follow, instance)
    assert [request.run_key for request in answer.run_requests] == [runs[0], runs[2]]
    assert [wish.partition_keys for wish in answer.dynamic_partitions_requests] == [["a"], ["b"]]
    assert len(answer.asset_events) == 2


def test_a_run_for_which_the_function_raises_is_passed_over_and_told(instance: Instance) -> None:
    seen: list[str] = []

    @run_status_sensor(RunStatus.SUCCESS, request_job=work)
    def watch(context: RunStatusSensorContext) -> RunRequest:
        if context.run.job_name == "bad":
            raise ValueError("in the user's function")
        seen.append(context.run.job_name)
        return RunRequest(run_key=context.run.job_name)

    for name in ("first", "bad", "last"):
        add_run(instance, name)
    defs = Definitions(jobs=[work], sensors=[watch])

    def evaluate(cursor: str | None) -> Any:
        return evaluate_sensor(defs, EvaluateSensor(name="watch", due=0, cursor=cursor), instance)

    answer = evaluate("0")
    assert (answer.contained, answer.more, answer.error.message) == (True, True, "in the user's function")
    assert [request.run_key for request in answer.run_requests] == ["first"]
    answer = evaluate(answer.cursor)
    assert (answer.contained, answer.error) == (False, None)
    assert seen == ["first", "last"]


def test_a_long_backlog_is_worked_off_in_ticks_that_say_that_there_is_more(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_sensors, "_PAGE", 4)
    monkeypatch.setattr(event_sensors, "_MOST_READ", 8)
    seen: list[str] = []
    watch = watcher(seen, monitored_jobs=[work])
    expected = []
    for index in range(30):
        run = add_run(instance, "work" if index in (0, 1, 2, 3, 4, 20, 29) else "unseen")
        expected += [run.run_id] if run.job_name == "work" else []
    answer = tick(watch, instance)
    counted = 1
    while answer.more:
        answer = tick(watch, instance, answer.cursor)
        counted += 1
    assert seen == expected
    assert 3 <= counted <= 6


def test_a_tick_ends_after_a_while_though_there_is_more(instance: Instance, clock: FakeClock) -> None:
    seen: list[str] = []

    @run_status_sensor(RunStatus.SUCCESS)
    def slow(context: RunStatusSensorContext) -> None:
        seen.append(context.run.run_id)
        clock.advance(15)

    runs = [add_run(instance, "work").run_id for _ in range(3)]
    first = tick(slow, instance)
    assert (seen, first.more) == (runs[:2], True)
    tick(slow, instance, first.cursor)
    assert seen == runs


def test_runs_that_were_deleted_meanwhile_are_left_out(instance: Instance) -> None:
    seen: list[str] = []
    gone, there = add_run(instance, "a").run_id, add_run(instance, "b").run_id
    instance.delete_run(gone)
    tick(watcher(seen), instance)
    assert seen == [there]


def test_a_cursor_of_another_kind_is_told(instance: Instance) -> None:
    with pytest.raises(UsageError, match='has the cursor "x", which is no place in the event log; clear it'):
        tick(watcher([]), instance, "x")


def test_a_failure_is_told_with_its_steps_and_resources(instance: Instance) -> None:
    told: list[Any] = []

    @run_failure_sensor
    def alert(context: RunFailureSensorContext, outbox: Outbox) -> None:
        context.log.info("telling of %s", context.run.job_name)
        told.append((outbox.name, context.partition_key, context.failure_event.event_type, context.sensor_name))
        told.append([event.step_key for event in context.get_step_failure_events()])

    failure = StepFailure(error=ErrorInfo(cls="OSError", message="disk"))
    add_run(
        instance, "work", RunStatus.FAILURE, facts=[Event(time=1, fact=failure, step_key="load")], partition_key="p"
    )
    defs = Definitions(sensors=[alert], resources={"outbox": Outbox(name="mail")})
    answer = evaluate_sensor(defs, EvaluateSensor(name="alert", due=0, cursor="0"), instance)
    assert answer.error is None
    assert told == [("mail", "p", EventType.RUN_FAILURE, "alert"), ["load"]]
    assert answer.log == ("INFO telling of work",)


def test_a_function_is_called_directly_with_a_context_made_for_it(instance: Instance) -> None:
    told: list[str] = []

    @run_failure_sensor(name="alert")
    def alert(context: RunFailureSensorContext, outbox: Outbox) -> None:
        told.append(f"{outbox.name}: {context.failure_event.message} {context.partition_key}")

    run = add_run(instance, "work", RunStatus.FAILURE)
    (record,) = instance.fetch_run_status_changes(EventType.RUN_FAILURE, limit=1).records
    event = record.event_log_entry.get_event()
    context = build_run_status_sensor_context(
        "alert", event, instance, run, resources={"outbox": Outbox(name="mail")}, partition_key="p"
    )
    alert(context.for_run_failure())
    assert told == ["mail: The run failed. It was made for a test. p"]
    shared = build_sensor_context(resources={"outbox": Outbox(name="mail")})
    alert(build_run_status_sensor_context("alert", event, instance, run, context=shared).for_run_failure())
    assert len(told) == 2
    with pytest.raises(UsageError, match="Give resources to build_sensor_context"):
        build_run_status_sensor_context("alert", event, instance, run, context=shared, resources={})


# -- assets -----------------------------------------------------------------------------------------------------------


@asset_sensor(AssetKey("orders"), job=work)
def on_orders(context: SensorEvaluationContext, event: EventLogEntry) -> RunRequest:
    assert event.asset_materialization is not None
    return RunRequest(run_key=context.cursor, tags={"partition": event.asset_materialization.partition or "none"})


def make(instance: Instance, *partitions: str | None, asset: str = "orders") -> None:
    for partition in partitions:
        instance.report_runless_asset_event(AssetMaterialization(asset, partition=partition))


def partitions_of(requested: Requested) -> list[str]:
    return [request.tags["partition"] for request in requested.run_requests]


def test_each_materialization_is_told_once_and_in_order(instance: Instance) -> None:
    make(instance, "a", "b", "c")
    make(instance, "x", asset="other")
    instance.report_runless_asset_event(AssetObservation("orders"))
    answer = tick(on_orders, instance)
    assert partitions_of(answer) == ["a", "b", "c"]
    assert len({request.run_key for request in answer.run_requests}) == 3
    idle = tick(on_orders, instance, answer.cursor)
    assert (idle.run_requests, idle.cursor, idle.skip_reason) == ((), answer.cursor, "Nothing new was made of orders.")
    make(instance, "d")
    assert partitions_of(tick(on_orders, instance, idle.cursor)) == ["d"]


def test_without_a_cursor_the_newest_materialization_is_the_first(instance: Instance) -> None:
    make(instance, "a", "b")
    answer = tick(on_orders, instance, None)
    assert partitions_of(answer) == ["b"]
    make(instance, "c", "d")
    assert partitions_of(tick(on_orders, instance, answer.cursor)) == ["c", "d"]


def test_nothing_is_missed_of_an_asset_that_was_never_made(instance: Instance) -> None:
    make(instance, "x", asset="other")
    answer = tick(on_orders, instance, None)
    make(instance, "a", "b")
    assert partitions_of(tick(on_orders, instance, answer.cursor)) == ["a", "b"]


def test_a_materialization_for_which_the_function_raises_comes_again(instance: Instance) -> None:
    poison = ["b"]

    @asset_sensor(AssetKey("orders"), job=work)
    def careful(_context: Any, event: EventLogEntry) -> RunRequest:
        if event.partition_key in poison:
            raise ValueError("not yet")
        return RunRequest(tags={"partition": event.partition_key})

    make(instance, "a", "b", "c")
    answer = tick(careful, instance)
    assert partitions_of(answer) == ["a"]
    assert str(answer.error) == "not yet"
    with pytest.raises(ValueError, match="not yet"):
        tick(careful, instance, answer.cursor)
    poison.clear()
    assert partitions_of(tick(careful, instance, answer.cursor)) == ["b", "c"]


def test_an_asset_sensor_called_with_a_context_goes_through_its_events(instance: Instance) -> None:
    context = build_sensor_context(instance=instance, cursor="0")
    (reason,) = on_orders(context)
    assert reason == SkipReason("Nothing new was made of orders.")
    make(instance, "a", "b")
    assert [request.tags["partition"] for request in on_orders(context)] == ["a", "b"]
    assert context.cursor == str(instance.storage.events.last_id())
    entry = instance.get_latest_materialization_event(AssetKey("orders"))
    assert on_orders(context, entry).run_key == context.cursor


def test_a_cursor_of_its_own_is_refused(instance: Instance) -> None:
    @asset_sensor(AssetKey("orders"), job=work)
    def wrong(_context: Any, event: EventLogEntry) -> SensorResult:
        return SensorResult(cursor=event.run_id)

    make(instance, "a")
    with pytest.raises(UsageError, match="gave a cursor; its cursor is the place in the event log"):
        tick(wrong, instance)


def test_an_asset_sensor_takes_a_context_and_an_event() -> None:
    with pytest.raises(DefinitionError, match="it takes the context and the event of the asset"):
        asset_sensor(AssetKey("orders"), name="wrong")(lambda context: None)


def test_a_cursor_is_set_in_one_way(instance: Instance) -> None:
    @sensor(job=work)
    def both(context: SensorEvaluationContext) -> SensorResult:
        context.update_cursor("1")
        return SensorResult(cursor="2")

    with pytest.raises(UsageError, match="keep one of them"):
        tick(both, instance)


def test_a_multi_asset_sensor_needs_its_own_kind_of_context(instance: Instance) -> None:
    watch = multi_asset_sensor([AssetKey("orders")], name="watch")(lambda context: None)
    with pytest.raises(UsageError, match="build_multi_asset_sensor_context"):
        tick(watch, instance)


def test_a_tick_ends_when_enough_runs_were_asked_for(instance: Instance) -> None:
    @run_status_sensor(RunStatus.SUCCESS, request_job=work, monitored_jobs=[work])
    def many(context: RunStatusSensorContext) -> Any:
        return [RunRequest() for _ in range(6_000)]

    for _ in range(3):
        add_run(instance, "work")
    first = tick(many, instance)
    assert (len(first.run_requests), first.more) == (12_000, True)
    second = tick(many, instance, first.cursor)
    assert (len(second.run_requests), second.more) == (6_000, False)


def test_what_comes_of_each_event_is_handed_over_once(instance: Instance) -> None:
    @run_status_sensor(RunStatus.SUCCESS, request_job=work, monitor_all_code_locations=True)
    def some(context: RunStatusSensorContext) -> Any:
        return [RunRequest(run_key=f"{context.run.job_name} {number}") for number in range(2)]

    for name in ("a", "b", "c"):
        add_run(instance, name)
    told: list[Evaluation] = []
    answer = evaluate_sensor(
        Definitions(jobs=[work], sensors=[some]),
        EvaluateSensor(name="some", due=0.0, cursor="0", timeout=60),
        instance,
        tell=told.append,
    )
    keys = [[each.run_key for each in one.run_requests] for one in told]
    assert keys == [["a 0", "a 1"], ["b 0", "b 1"], ["c 0", "c 1"]]
    assert all(each.unfinished for each in told)
    assert told[-1].cursor == answer.cursor
    assert [each.run_key for each in answer.run_requests] == [key for one in keys for key in one]
