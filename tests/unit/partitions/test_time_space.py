"""The arithmetic of time windows, compared with plain counting in several zones, days of clock changes included."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.partitions.cadence import Cadence, cron_of
from penstock.partitions.spec import TimeWindowSpec
from penstock.partitions.time_space import TimeSpace
from penstock.partitions.wall_time import instant_of, short_text, wall_of, zone_named

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia"]
FMT = "%Y-%m-%d-%H:%M"

# Wall times have no zone, on purpose.
_walls = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-12-31")).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


def _begins_at(wall: datetime, spec: TimeWindowSpec) -> bool:
    """Whether a window of this daily, weekly or monthly spec begins at a wall time."""
    minute, hour, day, _, weekday = spec.cron.split()
    return (
        (wall.hour, wall.minute) == (int(hour), int(minute))
        and day in ("*", str(wall.day))
        and weekday in ("*", str(wall.isoweekday() % 7))
    )


def _count_by_hand(spec: TimeWindowSpec, until: datetime) -> list[tuple[int, str]]:
    """Instant and key of each window's beginning up to a wall time, found by walking over the wall clock."""
    zone = zone_named(spec.timezone)
    start = datetime.fromisoformat(spec.start)
    minute, hour, *_ = spec.cron.split()
    wall = start.replace(hour=int(hour), minute=int(minute)) - timedelta(days=1)
    found = []
    while wall <= until:
        instant = instant_of(wall, zone)
        if _begins_at(wall, spec) and instant >= instant_of(start, zone):
            found.append((instant, wall.strftime(spec.fmt)))
        wall += timedelta(days=1)
    return found


@st.composite
def _specs(draw: st.DrawFn) -> TimeWindowSpec:
    cadence = draw(st.sampled_from([Cadence.DAILY, Cadence.WEEKLY, Cadence.MONTHLY]))
    return TimeWindowSpec(
        cron=cron_of(
            cadence,
            draw(st.integers(0, 59)),
            draw(st.integers(0, 23)),
            {
                Cadence.DAILY: 0,
                Cadence.WEEKLY: draw(st.integers(0, 6)),
                Cadence.MONTHLY: draw(st.integers(1, 28)),
            }[cadence],
        ),
        start=draw(_walls).isoformat(),
        fmt=draw(st.sampled_from([FMT, "%Y-%m-%d"])),
        timezone=draw(st.sampled_from(ZONES)),
    )


@settings(deadline=None)
@given(spec=_specs(), days=st.integers(0, 400))
def test_calendar_windows_are_those_counted_by_hand(spec: TimeWindowSpec, days: int) -> None:
    space = TimeSpace(spec)
    by_hand = _count_by_hand(spec, datetime.fromisoformat(spec.start) + timedelta(days=days))
    assert [(space.begins(each), space.key(each)) for each in range(len(by_hand))] == by_hand
    for position, (instant, key) in enumerate(by_hand):
        assert space.position(key) == position
        if position:
            assert space.count(instant) == position + (
                len(by_hand) > position + 1 and by_hand[position + 1][0] == instant
            )
            assert space.count(instant - 1) <= position - 1 + (by_hand[position - 1][0] == instant)


@settings(deadline=None)
@given(spec=_specs(), instant=st.integers(631152000, 2240524800))
def test_an_instant_lies_in_the_window_that_contains_it(spec: TimeWindowSpec, instant: int) -> None:
    space = TimeSpace(spec)
    position = space.containing(instant)
    assert space.begins(position) <= instant < space.begins(position + 1)


def _hours(zone: str, start: str, hours: int) -> list[str]:
    return TimeSpace(TimeWindowSpec(cron="0 * * * *", start=start, fmt=FMT, timezone=zone)).keys(0, hours)


def test_hours_over_a_change_of_clocks() -> None:
    assert _hours("Europe/Berlin", "2024-10-27T01:00:00", 4) == [
        "2024-10-27-01:00",
        "2024-10-27-02:00",
        "2024-10-27-02:00+0100",
        "2024-10-27-03:00",
    ]
    assert _hours("Europe/Berlin", "2024-03-31T01:00:00", 2) == ["2024-03-31-01:00", "2024-03-31-03:00"]
    # There the clocks go back by half an hour, from 2:00 to 1:30: the hour before is an hour and a half long.
    assert _hours("Australia/Lord_Howe", "2024-04-07T01:00:00", 3) == [
        "2024-04-07-01:00",
        "2024-04-07-02:00",
        "2024-04-07-03:00",
    ]


def test_days_over_a_change_of_clocks_begin_after_the_gap_and_at_the_first_of_two() -> None:
    spec = TimeWindowSpec(
        cron="30 2 * * *",
        start="2024-03-30",
        fmt="%Y-%m-%d",
        timezone="Europe/Berlin",
    )
    space = TimeSpace(spec)
    moments = [datetime.fromtimestamp(space.begins(each), UTC).isoformat()[:16] for each in range(3)]
    assert moments == ["2024-03-30T01:30", "2024-03-31T01:00", "2024-04-01T00:30"]
    autumn = space.position("2024-10-27")
    assert autumn is not None
    assert datetime.fromtimestamp(space.begins(autumn), UTC).isoformat()[:16] == "2024-10-27T00:30"


def test_a_day_that_a_zone_left_out_is_an_empty_window() -> None:
    spec = TimeWindowSpec(cron="0 0 * * *", start="2011-12-29", fmt="%Y-%m-%d", timezone="Pacific/Apia")
    space = TimeSpace(spec)
    assert space.key(1) == "2011-12-30"
    assert space.begins(1) == space.begins(2)


@pytest.mark.parametrize(("end_offset", "expected"), [(0, 3), (1, 4), (-1, 2), (-9, 0)])
def test_a_key_exists_when_its_window_has_ended(end_offset: int, expected: int) -> None:
    spec = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", fmt="%Y-%m-%d", end_offset=end_offset)
    midnight = datetime(2024, 1, 4, tzinfo=UTC).timestamp()
    assert TimeSpace(spec).count(midnight) == expected
    assert TimeSpace(spec).count(midnight - 1) == max(expected - 1, 0)


@settings(deadline=None)
@given(spec=_specs(), instant=st.integers(946684800, 2240524800), share=st.floats(0, 1))
def test_a_set_grows_at_the_instant_that_is_told_and_not_before(
    spec: TimeWindowSpec, instant: int, share: float
) -> None:
    space = TimeSpace(spec)
    grows_at = space.grows_at(instant)
    assert grows_at is not None
    assert grows_at > instant
    assert space.count(instant + share * (grows_at - instant) - 0.001) <= space.count(instant)
    before, after = space.count(grows_at - 1), space.count(grows_at)
    assert after > before or after == 0


def test_no_key_lies_after_the_end_or_before_the_start() -> None:
    spec = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", end="2024-01-04", fmt="%Y-%m-%d", end_offset=5)
    space = TimeSpace(spec)
    assert space.keys(0, space.count(datetime(2030, 1, 1, tzinfo=UTC).timestamp())) == [
        "2024-01-01",
        "2024-01-02",
        "2024-01-03",
    ]
    assert space.count(datetime(2000, 1, 1, tzinfo=UTC).timestamp()) == 0
    assert space.position("2023-12-31") is None


def test_a_set_that_has_ended_grows_no_more() -> None:
    space = TimeSpace(TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", end="2024-01-03", fmt="%Y-%m-%d"))
    assert space.grows_at(1_704_240_000 - 1) == 1_704_240_000
    assert space.grows_at(1_704_240_000) is None


@pytest.mark.parametrize("text", ["", "junk", "2024-1-5", "2024-02-30", "2024-01-05 ", "9999-12-31x", "0001-01-01"])
def test_only_a_key_as_it_is_written_is_a_key(text: str) -> None:
    assert TimeSpace(TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", fmt="%Y-%m-%d")).position(text) is None


@settings(deadline=None)
@given(wall=_walls, zone=st.sampled_from(ZONES))
def test_a_wall_time_becomes_its_first_instant_or_the_end_of_its_gap(wall: datetime, zone: str) -> None:
    info = zone_named(zone)
    instant = instant_of(wall, info)
    if wall_of(instant, info) == wall:
        earlier = instant - 7200
        assert all(wall_of(each, info) != wall for each in range(earlier, instant, 60))
    else:
        assert wall_of(instant, info) > wall
        assert wall_of(instant - 1, info) < wall


@settings(deadline=None)
@given(spec=_specs(), a=st.integers(-50, 50), b=st.integers(-50, 50))
def test_later_positions_never_begin_earlier(spec: TimeWindowSpec, a: int, b: int) -> None:
    assume(a < b)
    space = TimeSpace(spec)
    assert space.begins(a) <= space.begins(b)


@pytest.mark.parametrize(
    ("wall", "text"),
    [
        ("2013-01-01T00:00:00", "2013-01-01"),
        ("2013-01-01", "2013-01-01"),
        ("2013-01-01T06:30:00", "2013-01-01 06:30"),
        ("2013-01-01T00:15:00", "2013-01-01 00:15"),
    ],
)
def test_a_wall_time_is_written_as_short_as_it_can_be(wall: str, text: str) -> None:
    assert short_text(wall) == text
