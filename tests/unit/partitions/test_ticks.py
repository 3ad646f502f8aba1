"""Windows by any cron text, in every zone from 1990 to 2040, compared with two independent walks from tick to tick."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.partitions.cron import parse, ticks_between
from penstock.partitions.grid import WallGrid
from penstock.partitions.spec import TimeWindowSpec
from penstock.partitions.time_space import TimeSpace
from penstock.partitions.wall_time import zone_named

FMT = "%Y-%m-%d-%H:%M"
ZONES = sorted(available_timezones() - {"localtime"})
SPARSE = ["59 23 31 * *", "0 0 29 2 *"]  # of these, few windows fill decades
CRONS = [
    "0 * * * *",
    "15 * * * *",
    "*/15 * * * *",
    "7,8 * * * 1-5",
    "0 * 1 * *",
    "30 2 * * *",
    "0 9,17 * * 1-5",
    "0 */3 * * *",
    "5 1 13 * 5",
    "*/30 0-3 * 3,10 *",
    *SPARSE,
]

_zones = st.sampled_from(ZONES)
_instants = st.integers(631152000, 2209000000)


def _space(cron: str, zone: str, start: int, **more: object) -> TimeSpace:
    wall = datetime.fromtimestamp(start, zone_named(zone)).replace(tzinfo=None, fold=0)
    return TimeSpace(TimeWindowSpec(cron=cron, start=wall.isoformat(), fmt=FMT, timezone=zone, **more))  # type: ignore[arg-type]  # given by name


def _distinct(space: TimeSpace, first: int, size: int) -> list[int]:
    """When windows begin from a position on, without those that a change of clocks leaves empty."""
    return list(dict.fromkeys(space.begins(position) for position in range(first, first + size)))


@settings(deadline=None)
@given(cron=st.sampled_from(CRONS), zone=_zones, start=_instants, far=st.integers(0, 5000))
def test_windows_begin_where_the_cron_text_is_due(cron: str, zone: str, start: int, far: int) -> None:
    space = _space(cron, zone, start)
    far %= 20 if cron in SPARSE else 5001
    assume(space.begins(far) < 2240524800)
    begins = _distinct(space, far, 12)
    walked = islice(ticks_between(parse(cron), begins[0] - 1, 2e10, zone), len(begins))
    assert begins == [int(each) for each in walked]


@settings(deadline=None)
@given(cron=st.sampled_from(CRONS), zone=_zones, start=_instants, far=st.integers(0, 5000))
def test_a_foreign_walk_agrees(cron: str, zone: str, start: int, far: int) -> None:
    space = _space(cron, zone, start)
    far %= 20 if cron in SPARSE else 5001
    assume(space.begins(far) < 2240524800)
    info = ZoneInfo(zone)
    begins = _distinct(space, far, 6)
    before = datetime.fromtimestamp(begins[0] - 60, info)
    # Where the offset changes nearby, the foreign walk has a policy of its own; those days are compared above.
    offsets = {datetime.fromtimestamp(begins[0] + day * 86400, info).utcoffset() for day in range(-3, 4)}
    assume(len(offsets) == 1)
    walked = [int(each.timestamp()) for each in islice(CronSim(cron, before), len(begins))]
    near = [each for each in begins if each < begins[0] + 2 * 86400]
    assert near == walked[: len(near)]


@settings(deadline=None)
@given(cron=st.sampled_from(CRONS), zone=_zones, start=_instants, position=st.integers(0, 100_000))
def test_positions_windows_and_keys_lead_to_each_other(cron: str, zone: str, start: int, position: int) -> None:
    space = _space(cron, zone, start)
    position %= 20 if cron in SPARSE else 100_001
    assume(space.begins(position) < 4_000_000_000)
    begins, ends = space.begins(position), space.ends(position)
    assert begins <= ends == space.begins(position + 1)
    if begins < ends:
        assert space.containing(begins) == space.containing(ends - 1) == position
        assert space.count(ends) >= position + 1
        assert space.count(ends - 1) <= position
    assert space.position(space.key(position)) == position


@settings(deadline=None)
@given(
    cron=st.sampled_from(CRONS[:9]),
    without=st.lists(st.sampled_from(["0 0 * * *", "* 2 * * *", "* * * * 0,6", "0 9 1 * *", "15 * * * *"]), max_size=2),
    zone=_zones,
    start=_instants,
    skipped=st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=3),
)
def test_exclusions_leave_out_what_they_name(
    cron: str, without: list[str], zone: str, start: int, skipped: list[tuple[int, int]]
) -> None:
    assume(cron not in without and (cron, "* 2 * * *") not in [("30 2 * * *", each) for each in without])
    full = _space(cron, zone, start)
    stretches = [(full.begins(at), full.begins(at + size)) for at, size in skipped]
    space = _space(cron, zone, start, excluded_crons=tuple(without), excluded_times=tuple(stretches))
    kept = [
        position
        for position in range(80)
        if not any(_is_due(each, full.key(position)) for each in without)
        and not any(low <= full.begins(position) < high for low, high in stretches)
    ]
    assert [space.key(each) for each in range(len(kept))] == [full.key(each) for each in kept]
    for at, position in enumerate(kept):
        assert (space.begins(at), space.ends(at)) == (full.begins(position), full.ends(position))
        assert space.position(full.key(position)) == at
        assert space.count(space.ends(at)) >= at + 1
        assert at == 0 or space.containing(full.begins(position) - 1) <= at - 1 or _is_empty(space, at)
    for position in set(range(80)) - set(kept):
        assert space.position(full.key(position)) is None


def _is_empty(space: TimeSpace, position: int) -> bool:
    return space.begins(position) == space.ends(position)


def _is_due(cron: str, key: str) -> bool:
    wall = datetime.strptime(key[:16], FMT)  # noqa: DTZ007 - a wall time has no zone
    minute, hour, day, _, weekday = parse(cron).minutes, parse(cron).hours, parse(cron).days, 0, parse(cron).weekdays
    return wall.minute in minute and wall.hour in hour and wall.day in day and wall.isoweekday() % 7 in weekday


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "America/Caracas"])
@pytest.mark.parametrize("cron", ["* * * * *", "0 * * * *", "0 0 * * *", "*/10 8-18 * * 1-5"])
def test_a_million_windows_are_counted_without_naming_them(
    zone: str, cron: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    space = TimeSpace(TimeWindowSpec(cron=cron, start="1900-01-01", fmt=FMT, timezone=zone))
    now = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
    asked = 0
    original: Callable[[WallGrid, int], datetime] = WallGrid.wall

    def counting(self: WallGrid, number: int) -> datetime:
        nonlocal asked
        asked += 1
        return original(self, number)

    monkeypatch.setattr(WallGrid, "wall", counting)
    count = space.count(now)
    assert count > 70_000
    assert space.position(space.key(count - 1)) == count - 1
    assert space.ends(count - 1) <= now < space.ends(count)
    assert asked < 100


def test_clocks_that_move_by_half_an_hour_keep_the_minute() -> None:
    space = TimeSpace(TimeWindowSpec(cron="0 * * * *", start="2007-12-09T01:00", fmt=FMT, timezone="America/Caracas"))
    # At 3:00 that day the clocks went back to 2:30.
    assert space.keys(0, 4) == ["2007-12-09-01:00", "2007-12-09-02:00", "2007-12-09-03:00", "2007-12-09-04:00"]
    assert [space.ends(each) - space.begins(each) for each in range(3)] == [3600, 5400, 3600]


def test_a_window_ends_where_an_excluded_one_begins() -> None:
    spec = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", fmt="%Y-%m-%d", excluded_crons=("0 0 * * 0,6",))
    space = TimeSpace(spec)
    friday = space.position("2024-01-05")
    assert friday == 4
    assert space.key(friday + 1) == "2024-01-08"
    assert space.ends(friday) - space.begins(friday) == 86400
    saturday = datetime(2024, 1, 6, 12, tzinfo=UTC)
    assert space.containing(saturday.timestamp()) == friday
    counts = [space.count((saturday + timedelta(days=day)).timestamp()) for day in range(-1, 4)]
    assert counts == [4, 5, 5, 5, 6]
    assert not space.overlapping(space.ends(friday), space.begins(friday + 1))
