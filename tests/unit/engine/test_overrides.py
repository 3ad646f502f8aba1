"""What operators say in place of the code."""

from __future__ import annotations

import math

import msgspec
import pytest

from penstock.engine.instigators import look_at_schedules, look_at_sensors
from penstock.engine.overrides import as_overridden, check_override, overridden, paused
from penstock.errors import ConfigurationError
from penstock.records.automation import By, InstigatorKind, InstigatorStatus, Override, RunRequestRecord
from penstock.records.location import ScheduleDescription, SensorDescription

NOW = 1_000_000.0
SCHEDULE, SENSOR = InstigatorKind.SCHEDULE, InstigatorKind.SENSOR
NIGHTLY = ScheduleDescription(name="nightly", cron=("0 3 * * *",), timezone="Europe/Berlin", job="job")


@pytest.mark.parametrize(
    ("kind", "override"),
    [
        (SCHEDULE, Override(by=By(actor="ann"), since=3.0)),
        (SCHEDULE, Override(paused_until=NOW)),
        (SCHEDULE, Override(paused_until=math.inf)),
        (SCHEDULE, Override(paused_until=math.nan)),
        (SCHEDULE, Override(cron=("0 3 * *",))),
        (SCHEDULE, Override(timezone="Mars/Olympus")),
        (SCHEDULE, Override(interval=60.0)),
        (SENSOR, Override(interval=0.5)),
        (SENSOR, Override(interval=math.nan)),
        (SENSOR, Override(cron=("@daily",))),
        (SENSOR, Override(timezone="UTC")),
        (SENSOR, Override(dst_gap="skip")),
        (SENSOR, Override(dst_fold="both")),
        (SCHEDULE, Override(dst_gap="never")),  # type: ignore[arg-type]  # as it may come in
        (SCHEDULE, Override(dst_fold="third")),  # type: ignore[arg-type]  # as it may come in
    ],
)
def test_what_cannot_hold_is_refused(kind: InstigatorKind, override: Override) -> None:
    with pytest.raises(ConfigurationError):
        check_override(kind, override, now=NOW)


@pytest.mark.parametrize(
    ("kind", "override"),
    [
        (SCHEDULE, Override(paused_until=NOW + 1)),
        (SCHEDULE, Override(cron=("@daily",), timezone="UTC")),
        (SCHEDULE, Override(run_config={})),
        (SCHEDULE, Override(dst_gap="skip", dst_fold="both")),
        (SENSOR, Override(interval=1.0, tags={"a": "b"})),
    ],
)
def test_what_can_hold_is_not(kind: InstigatorKind, override: Override) -> None:
    check_override(kind, override, now=NOW)


def test_what_is_not_said_is_as_in_the_code() -> None:
    assert overridden(NIGHTLY, None) is NIGHTLY
    other_zone = overridden(NIGHTLY, Override(timezone="UTC"))
    assert (other_zone.cron, other_zone.timezone) == (NIGHTLY.cron, "UTC")
    other_text = overridden(NIGHTLY, Override(cron=("@weekly",)))
    assert (other_text.cron, other_text.timezone) == (("@weekly",), NIGHTLY.timezone)
    other_clocks = overridden(NIGHTLY, Override(dst_fold="both"))
    assert (other_clocks.dst_gap, other_clocks.dst_fold) == ("after", "both")
    assert overridden(NIGHTLY, Override(dst_gap="skip")).dst_gap == "skip"
    assert (paused(None, 5.0), paused(Override(paused_until=4.0), 5.0), paused(Override(paused_until=6.0), 5.0)) == (
        5.0,
        5.0,
        6.0,
    )


def test_what_a_change_of_clocks_means_is_said_in_place_of_the_code() -> None:
    # Clocks of Berlin show 02:30 twice on 2024-10-27; the second time is an hour after the first.
    first, second = 1_729_989_000.0, 1_729_992_600.0
    schedule = ScheduleDescription(
        name="nightly",
        cron=("30 2 * * *",),
        timezone="Europe/Berlin",
        job="job",
        default_status=InstigatorStatus.RUNNING,
    )
    (state,) = look_at_schedules([("here", schedule)], {}, first - 60).store
    assert state.next_due == first
    (again,) = look_at_schedules(
        [("here", schedule)],
        {state.id: msgspec.structs.replace(state, override=Override(dst_fold="second"))},
        first - 60,
    ).store
    assert again.next_due == second


def test_runs_have_the_config_and_the_tags_that_are_said() -> None:
    request = RunRequestRecord(run_key="k", run_config={"a": 1}, tags={"t": "code", "u": "code"})
    assert as_overridden(request, None) == request
    said = as_overridden(request, Override(run_config={}, tags={"t": "said"}))
    assert said == RunRequestRecord(run_key="k", tags={"t": "said", "u": "code"})
    assert as_overridden(request, Override(interval=5.0)) == request


def test_another_interval_holds_back_what_is_new_too() -> None:
    sensor = SensorDescription(name="s", jobs=("job",), interval=1.0, default_status=InstigatorStatus.RUNNING)
    (state,) = look_at_sensors([("here", sensor)], {}, NOW).store
    said = msgspec.structs.replace(state, override=Override(interval=300.0), next_due=None, last_tick=NOW)
    (planned,) = look_at_sensors([("here", sensor)], {state.id: said}, NOW + 1).store
    later = msgspec.structs.replace(planned, next_due=NOW + 900)
    for now, due in ((NOW + 299, 0), (NOW + 300, 1)):
        looked = look_at_sensors([("here", sensor)], {state.id: later}, now, {state.id: NOW + 2})
        assert len(looked.due) == due
