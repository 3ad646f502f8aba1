"""When schedules and sensors are due."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from penstock.engine.instigators import MOST_COUNTED, Due, is_on, look_at_schedules, look_at_sensors, next_schedule_time
from penstock.records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Override, instigator_id
from penstock.records.location import ScheduleDescription, SensorDescription

ON, OFF, CODE = InstigatorStatus.RUNNING, InstigatorStatus.STOPPED, InstigatorStatus.DECLARED_IN_CODE


def at(text: str) -> float:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp()


def hourly(name: str = "hourly", cron: str = "0 * * * *", status: InstigatorStatus = ON) -> ScheduleDescription:
    return ScheduleDescription(name=name, cron=(cron,), job="job", default_status=status)


def remembered(states: tuple[InstigatorState, ...]) -> dict[str, InstigatorState]:
    return {state.id: state for state in states}


@pytest.mark.parametrize(
    ("declared", "stored", "on"),
    [(ON, None, True), (OFF, None, False), (OFF, ON, True), (ON, OFF, False), (ON, CODE, True), (OFF, CODE, False)],
)
def test_a_person_s_switch_goes_before_the_code(
    declared: InstigatorStatus, stored: InstigatorStatus | None, on: bool
) -> None:
    state = None
    if stored is not None:
        state = InstigatorState(id="a/schedule/b", location="a", kind=InstigatorKind.SCHEDULE, name="b", status=stored)
    assert is_on(declared, state) is on


def test_a_new_schedule_is_due_at_its_next_instant_and_not_before() -> None:
    now = at("2026-01-01T10:20")
    outlook = look_at_schedules([("here", hourly())], {}, now)
    assert outlook.due == ()
    assert outlook.next_look == at("2026-01-01T11:00")
    (state,) = outlook.store
    later = look_at_schedules([("here", hourly())], remembered(outlook.store), at("2026-01-01T11:00"))
    assert [(due.id, due.at) for due in later.due] == [(state.id, at("2026-01-01T11:00"))]
    assert later.store == ()


def test_of_several_missed_instants_only_the_latest_is_made_up() -> None:
    first = look_at_schedules([("here", hourly())], {}, at("2026-01-01T10:20"))
    outlook = look_at_schedules([("here", hourly())], remembered(first.store), at("2026-01-03T09:30"))
    assert [due.at for due in outlook.due] == [at("2026-01-03T09:00")]


def test_a_yearly_schedule_missed_by_months_is_made_up() -> None:
    yearly = hourly(cron="0 6 1 1 *")
    first = look_at_schedules([("here", yearly)], {}, at("2025-12-31T00:00"))
    outlook = look_at_schedules([("here", yearly)], remembered(first.store), at("2026-08-01T00:00"))
    assert [due.at for due in outlook.due] == [at("2026-01-01T06:00")]


def test_a_changed_cron_text_is_computed_from_now_and_fires_nothing() -> None:
    first = look_at_schedules([("here", hourly())], {}, at("2026-01-01T10:20"))
    changed = look_at_schedules([("here", hourly(cron="30 * * * *"))], remembered(first.store), at("2026-01-01T11:10"))
    assert changed.due == ()
    assert changed.next_look == at("2026-01-01T11:30")


def test_a_schedule_that_was_off_does_not_make_up_for_that_time() -> None:
    first = look_at_schedules([("here", hourly())], {}, at("2026-01-01T10:20"))
    (state,) = first.store
    # Turning it off and on again forgets the due time (the storage does that).
    switched = msgspec.structs.replace(state, status=ON, next_due=None)
    outlook = look_at_schedules([("here", hourly())], {state.id: switched}, at("2026-01-05T10:20"))
    assert outlook.due == ()
    assert outlook.next_look == at("2026-01-05T11:00")


def test_nothing_is_stored_for_a_schedule_that_is_off() -> None:
    outlook = look_at_schedules([("here", hourly(status=OFF))], {}, at("2026-01-01T10:20"))
    assert (outlook.due, outlook.store, outlook.next_look) == ((), (), None)


def test_a_sensor_is_due_at_once_and_then_at_its_stored_time() -> None:
    sensor = SensorDescription(name="files", jobs=("job",), interval=30.0, default_status=ON)
    now = at("2026-01-01T10:00")
    first = look_at_sensors([("here", sensor)], {}, now)
    assert [due.at for due in first.due] == [now]
    key = instigator_id("here", InstigatorKind.SENSOR, "files")
    stored = msgspec.structs.replace(first.store[0], next_due=now + 30)
    assert look_at_sensors([("here", sensor)], {key: stored}, now + 29).due == ()
    assert [due.at for due in look_at_sensors([("here", sensor)], {key: stored}, now + 31).due] == [now + 30]


# -- what was missed ---------------------------------------------------------------------------------------------------


def looked(schedule: ScheduleDescription, first: str, then: str, **limits: Any) -> Due:
    before = look_at_schedules([("here", schedule)], {}, at(first))
    (due,) = look_at_schedules([("here", schedule)], remembered(before.store), at(then), **limits).due
    return due


def test_what_is_not_made_up_is_told() -> None:
    due = looked(hourly(), "2026-01-01T10:20", "2026-01-01T14:30")
    assert due.at == at("2026-01-01T14:00")
    passed = due.passed_over
    assert passed is not None
    assert (passed.first, passed.last, passed.count, passed.bound.ticks) == (
        at("2026-01-01T11:00"),
        at("2026-01-01T13:00"),
        3,
        1,
    )


def test_so_many_as_a_schedule_says_are_made_up_the_oldest_first() -> None:
    three = msgspec.structs.replace(hourly(), max_catchup=3)
    due = looked(three, "2026-01-01T10:20", "2026-01-01T14:30")
    assert due.at == at("2026-01-01T12:00")
    assert due.passed_over is not None
    assert (due.passed_over.count, due.passed_over.bound.ticks) == (1, 3)
    # The next look, after that tick has ended, finds the next one.
    state = msgspec.structs.replace(due.state, next_due=next_schedule_time(three, due.at))
    (after,) = look_at_schedules([("here", three)], {state.id: state}, at("2026-01-01T14:30")).due
    assert (after.at, after.passed_over) == (at("2026-01-01T13:00"), None)


def test_a_schedule_of_partitions_makes_up_as_many_as_the_settings_say() -> None:
    partitions = msgspec.structs.replace(hourly(), follows_partitions=True)
    assert looked(partitions, "2026-01-01T10:20", "2026-01-02T00:30").at == at("2026-01-01T20:00")
    assert looked(partitions, "2026-01-01T10:20", "2026-01-02T00:30", max_catchup=2).at == at("2026-01-01T23:00")
    own = msgspec.structs.replace(partitions, max_catchup=1)
    assert looked(own, "2026-01-01T10:20", "2026-01-02T00:30").at == at("2026-01-02T00:00")


def test_a_long_absence_is_counted_up_to_a_bound() -> None:
    due = looked(hourly(cron="* * * * *"), "2026-01-01T10:20", "2026-06-01T10:20")
    assert due.at == at("2026-06-01T10:20")
    assert due.passed_over is not None
    assert due.passed_over.count is None
    assert due.passed_over.last == at("2026-06-01T10:19")
    few = looked(hourly(cron="* * * * *"), "2026-01-01T00:00", "2026-01-01T16:41")
    assert few.passed_over is not None
    assert few.passed_over.count == MOST_COUNTED


def test_what_is_too_old_is_not_made_up() -> None:
    five = msgspec.structs.replace(hourly(), max_catchup=5)
    due = looked(five, "2026-01-01T10:20", "2026-01-01T14:30", max_age=2 * 3600)
    assert due.at == at("2026-01-01T13:00")
    daily = hourly(cron="0 6 * * *")
    due = looked(daily, "2026-01-01T10:20", "2026-01-03T09:00", max_age=2 * 3600)
    assert due.at == at("2026-01-04T06:00")  # nothing but what is to come
    passed = due.passed_over
    assert passed is not None
    assert (passed.first, passed.last, passed.count) == (at("2026-01-02T06:00"), at("2026-01-03T06:00"), 2)


def test_nothing_is_passed_over_in_a_common_look() -> None:
    assert looked(hourly(), "2026-01-01T10:20", "2026-01-01T11:00").passed_over is None


# -- overrides ---------------------------------------------------------------------------------------------------------


def overriding(state: InstigatorState, override: Override | None) -> dict[str, InstigatorState]:
    # The storage forgets the due time with it.
    return {state.id: msgspec.structs.replace(state, override=override, next_due=None, fingerprint=None)}


def test_another_cron_text_counts_from_now_on_and_fires_nothing() -> None:
    (state,) = look_at_schedules([("here", hourly())], {}, at("2026-01-01T10:20")).store
    states = overriding(state, Override(cron=("30 6 * * *", "30 18 * * *"), timezone="Europe/Berlin"))
    outlook = look_at_schedules([("here", hourly())], states, at("2026-01-01T11:10"))
    assert (outlook.due, outlook.next_look) == ((), at("2026-01-01T17:30"))
    states = remembered(outlook.store)
    assert look_at_schedules([("here", hourly())], states, at("2026-01-01T11:20")).store == ()
    states = overriding(outlook.store[0], None)
    assert look_at_schedules([("here", hourly())], states, at("2026-01-01T11:30")).next_look == at("2026-01-01T12:00")


def test_a_pause_is_not_made_up() -> None:
    (state,) = look_at_schedules([("here", hourly())], {}, at("2026-01-01T10:20")).store
    states = overriding(state, Override(paused_until=at("2026-01-01T15:00")))
    outlook = look_at_schedules([("here", hourly())], states, at("2026-01-01T10:30"))
    assert (outlook.due, outlook.next_look) == ((), at("2026-01-01T16:00"))
    (due,) = look_at_schedules([("here", hourly())], remembered(outlook.store), at("2026-01-01T16:00")).due
    assert (due.at, due.passed_over) == (at("2026-01-01T16:00"), None)


def test_nothing_is_due_in_a_pause_whatever_planned_it() -> None:
    sensor = SensorDescription(name="files", jobs=("job",), interval=30.0, default_status=ON)
    (state,) = look_at_sensors([("here", sensor)], {}, at("2026-01-01T10:00")).store
    states = overriding(state, Override(paused_until=at("2026-01-01T11:00")))
    (state,) = look_at_sensors([("here", sensor)], states, at("2026-01-01T10:00")).store
    assert state.next_due == at("2026-01-01T11:00")
    pushed = msgspec.structs.replace(state, next_due=at("2026-01-01T10:00"))
    outlook = look_at_sensors([("here", sensor)], {state.id: pushed}, at("2026-01-01T10:30"))
    assert (outlook.due, outlook.next_look) == ((), at("2026-01-01T11:00"))
    assert look_at_sensors([("here", sensor)], {state.id: pushed}, at("2026-01-01T11:00")).due


def test_one_that_was_removed_is_off_whatever_the_code_says() -> None:
    state = InstigatorState(
        id="a/schedule/b", location="a", kind=InstigatorKind.SCHEDULE, name="b", status=ON, retired=1.0
    )
    assert not is_on(ON, state)


def test_a_clock_that_was_set_back_takes_no_instant_away() -> None:
    schedule = hourly()
    planned = look_at_schedules([("shop", schedule)], {}, at("2026-01-01T10:30")).store
    ended = msgspec.structs.replace(planned[0], last_tick=at("2026-01-01T12:00:01"), next_due=at("2026-01-01T13:00"))
    outlook = look_at_schedules([("shop", schedule)], remembered((ended,)), at("2026-01-01T10:40"))
    assert (outlook.due, outlook.later) == ((), {ended.id: at("2026-01-01T11:00")})


@pytest.mark.parametrize("ticked", [False, True])
def test_a_sensor_does_not_wait_for_the_time_of_a_clock_that_was_set_back(ticked: bool) -> None:
    sensor = SensorDescription(name="files", interval=30.0, default_status=ON)
    false = at("2026-01-01T11:00")
    (planned,) = look_at_sensors([("shop", sensor)], {}, false).store
    stored = msgspec.structs.replace(planned, next_due=false + 30, last_tick=false if ticked else None)
    now = at("2026-01-01T10:00")
    (due,) = look_at_sensors([("shop", sensor)], remembered((stored,)), now).due
    assert due.at == now
    nearly = look_at_sensors([("shop", sensor)], remembered((stored,)), false - 1)
    assert nearly.due == ()  # clocks of two hosts differ by so much


def test_one_whose_zone_is_not_known_here_holds_up_no_other() -> None:
    strange = msgspec.structs.replace(hourly("strange"), timezone="Mars/Base_1")
    now = at("2026-01-01T10:20")
    outlook = look_at_schedules([("here", strange), ("here", hourly())], {}, now)
    key = instigator_id("here", InstigatorKind.SCHEDULE, "strange")
    assert [state.name for state in outlook.store] == ["hourly"]
    assert "Mars/Base_1" in outlook.unclear[key]
    assert outlook.later[key] == now + 60
