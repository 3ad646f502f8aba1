"""When schedules and sensors are due."""

from __future__ import annotations

import datetime

import msgspec
import pytest

from penstock.engine.instigators import is_on, look_at_schedules, look_at_sensors
from penstock.records.automation import InstigatorKind, InstigatorState, InstigatorStatus, instigator_id
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
