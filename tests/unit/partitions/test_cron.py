"""Cron texts: what they mean, and when they are due, compared with plain search and with another implementation."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import get_args
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from penstock.errors import DefinitionError
from penstock.partitions.cron import Cron, Fold, Gap, last_ticks, next_after, parse, ticks_between
from penstock.partitions.wall_time import instant_of

ZONES = ["UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana"]
# Instants shortly before clocks change: Berlin, Los Angeles, Lord Howe and Havana, forward and back.
CHANGES = [
    datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    for text in (
        "2024-03-30T22:17:03",
        "2024-10-26T20:59:59",
        "2024-03-10T08:00:00",
        "2024-11-03T07:30:30",
        "2024-10-05T14:00:00",
        "2024-04-06T13:59:00",
        "2024-03-10T03:00:00",
        "2024-11-03T03:00:00",
        "2024-02-28T23:59:59",
        "1999-12-31T23:00:00",
    )
]


def _field(low: int, high: int, *, star: bool = True) -> st.SearchStrategy[str]:
    number = st.integers(low, high)
    pairs = st.lists(number, min_size=2, max_size=2, unique=True).map(sorted)
    span = pairs.map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.tuples(span, st.integers(1, high - low)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    items = st.lists(st.one_of(number.map(str), span, step), min_size=1, max_size=3).map(",".join)
    return st.one_of(items, st.just("*")) if star else items


_days = st.tuples(_field(1, 28), st.just("*") | _field(1, 12), _field(0, 6)).map(" ".join)
_any_text = st.tuples(_field(0, 59), _field(0, 23), _days).map(" ".join)
_any_instant = st.one_of(st.sampled_from(CHANGES), st.integers(631152000, 2240524800).map(float))


def _matches(cron: Cron, wall: datetime) -> bool:
    in_month, in_week = wall.day in cron.days, wall.isoweekday() % 7 in cron.weekdays
    day = (in_month or in_week) if cron.either_day else (in_month and in_week)
    return day and wall.month in cron.months and wall.hour in cron.hours and wall.minute in cron.minutes


def _instants(wall: datetime, cron: Cron, zone: ZoneInfo) -> set[float]:
    """When a wall time is due by what the text says of changes of clocks."""
    early, late = wall.replace(tzinfo=zone), wall.replace(tzinfo=zone, fold=1)
    if early.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != wall:  # skipped
        return {float(instant_of(wall, zone))} if cron.gap == "after" else set()
    chosen = {"first": {early}, "second": {late}, "both": {early, late}}[cron.fold]
    return {each.timestamp() for each in chosen}


def _search(cron: Cron, after: float, zone: ZoneInfo, days: int) -> float | None:
    """The first due instant within some days, found by looking at every minute."""
    if cron.hourly:
        first = int(after // 60) * 60 + 60
        for instant in range(first, first + days * 86400, 60):
            if _matches(cron, datetime.fromtimestamp(instant, zone)):
                return float(instant)
        return None
    start = datetime.fromtimestamp(after, zone).replace(tzinfo=None, second=0, microsecond=0) - timedelta(hours=3)
    walls = (start + timedelta(minutes=minute) for minute in range(days * 1440))
    due = {at for wall in walls if _matches(cron, wall) for at in _instants(wall, cron, zone) if at > after}
    return min(due, default=None)


@settings(deadline=None)
@given(
    text=_any_text,
    after=_any_instant,
    zone=st.sampled_from(ZONES),
    gap=st.sampled_from(get_args(Gap)),
    fold=st.sampled_from(get_args(Fold)),
)
def test_the_next_tick_is_the_one_that_a_search_of_every_minute_finds(
    text: str, after: float, zone: str, gap: Gap, fold: Fold
) -> None:
    cron = parse(text, gap=gap, fold=fold)
    tick = next_after(cron, after, zone)
    expected = _search(cron, after, ZoneInfo(zone), days=3)
    if expected is None:
        assert tick > after + 2.8 * 86400
    else:
        assert tick == expected


@given(
    text=st.tuples(_field(0, 59, star=False), _field(0, 23, star=False) | st.just("*"), _days).map(" ".join),
    after=_any_instant,
    zone=st.sampled_from(ZONES),
)
def test_another_implementation_agrees(text: str, after: float, zone: str) -> None:
    cron = parse(text)
    assume(cron.hourly == (text.split()[1] == "*"))
    start = datetime.fromtimestamp(after, ZoneInfo(zone))
    # It reads a start in the second pass through a repeated hour as the first, and goes by whole hours over a change of
    # half an hour.
    assume(not start.fold and not (cron.hourly and zone == "Australia/Lord_Howe"))
    theirs = [tick.timestamp() for tick in islice(CronSim(text, start), 5)]
    ours = list(islice(ticks_between(cron, after, float("inf"), zone), 5))
    assert ours == theirs


def _changes(zone: ZoneInfo) -> list[float]:
    """The instants between 2018 and 2030 at which a zone changes its clocks, to the minute."""
    day = timedelta(days=1)
    at, found = datetime(2018, 1, 1, tzinfo=UTC), []
    while at.year < 2030:
        if at.astimezone(zone).utcoffset() != (at + day).astimezone(zone).utcoffset():
            low, high = at, at + day
            while high - low > timedelta(minutes=1):
                middle = low + (high - low) / 2
                same = middle.astimezone(zone).utcoffset() == low.astimezone(zone).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high.timestamp() // 60 * 60)
        at += day
    return found


def test_another_implementation_agrees_about_every_zone_that_there_is() -> None:
    texts = ["30 1 * * *", "0 2 * * *", "15 3 * * *", "5,50 0-4 * * *", "0 0 * * *", "45 23 * * 6,0"]
    seen = set()
    for name in sorted(available_timezones()):
        zone = ZoneInfo(name)
        changes = _changes(zone)
        alike = tuple((at, datetime.fromtimestamp(at, zone).utcoffset()) for at in changes)
        if not changes or alike in seen:
            continue
        seen.add(alike)
        for change, text in itertools.product(changes[-2:], texts):
            after = change - 5 * 3600  # never in the second pass through a repeated hour
            start = datetime.fromtimestamp(after, zone)
            if start.fold:
                continue
            theirs = [tick.timestamp() for tick in islice(CronSim(text, start), 12)]
            ours = list(islice(ticks_between(parse(text), after, float("inf"), name), 12))
            assert ours == theirs, (name, text, start)
    assert len(seen) > 50


def _walls(text: str, start: str, zone: str, count: int, *, gap: Gap = "after", fold: Fold = "first") -> list[str]:
    after = datetime.fromisoformat(start).replace(tzinfo=ZoneInfo(zone)).timestamp()
    ticks = islice(ticks_between(parse(text, gap=gap, fold=fold), after, float("inf"), zone), count)
    return [datetime.fromtimestamp(tick, ZoneInfo(zone)).strftime("%d %H:%M %z") for tick in ticks]


def test_a_skipped_time_is_due_once_after_the_gap() -> None:
    assert _walls("30 2 * * *", "2024-03-30T12:00", "Europe/Berlin", 2) == ["31 03:00 +0200", "01 02:30 +0200"]
    assert _walls("*/30 2,3 * * *", "2024-03-31T01:00", "Europe/Berlin", 2) == ["31 03:00 +0200", "31 03:30 +0200"]
    assert _walls("15 2 * * *", "2024-10-05T12:00", "Australia/Lord_Howe", 1) == ["06 02:30 +1100"]


def test_a_repeated_time_is_due_once_at_the_first() -> None:
    assert _walls("30 2 * * *", "2024-10-26T12:00", "Europe/Berlin", 2) == ["27 02:30 +0200", "28 02:30 +0100"]
    assert _walls("0 */2 * * *", "2024-10-27T00:30", "Europe/Berlin", 2) == ["27 02:00 +0200", "27 04:00 +0100"]


def test_a_text_for_every_hour_runs_in_each_real_hour() -> None:
    assert _walls("0 * * * *", "2024-10-27T01:30", "Europe/Berlin", 3) == [
        "27 02:00 +0200",
        "27 02:00 +0100",
        "27 03:00 +0100",
    ]
    assert _walls("0 * * * *", "2024-03-31T00:30", "Europe/Berlin", 3) == [
        "31 01:00 +0100",
        "31 03:00 +0200",
        "31 04:00 +0200",
    ]
    assert _walls("*/20 * * * *", "2024-04-07T01:35", "Australia/Lord_Howe", 4) == [
        "07 01:40 +1100",
        "07 01:40 +1030",
        "07 02:00 +1030",
        "07 02:20 +1030",
    ]


def test_clocks_set_back_over_midnight() -> None:
    # St. John's changed its clocks at one minute past midnight until 2011.
    assert _walls("30 * * * *", "2010-11-06T22:45", "America/St_Johns", 3) == [
        "06 23:30 -0230",
        "06 23:30 -0330",
        "07 00:30 -0330",
    ]
    assert _walls("*/30 * 7 * *", "2010-11-06T22:45", "America/St_Johns", 3) == [
        "07 00:00 -0230",
        "07 00:00 -0330",
        "07 00:30 -0330",
    ]


def test_either_day_field_may_match_if_both_are_restricted() -> None:
    assert _walls("0 0 13 * fri", "2024-09-01T00:00", "UTC", 3) == [
        "06 00:00 +0000",
        "13 00:00 +0000",
        "20 00:00 +0000",
    ]
    assert _walls("0 0 */13 * fri", "2024-09-01T00:00", "UTC", 1) == ["27 00:00 +0000"]


def test_rare_dates_are_found() -> None:
    assert _walls("0 0 29 2 *", "2024-03-01T00:00", "UTC", 1) == ["29 00:00 +0000"]
    after = datetime(2072, 3, 1, tzinfo=UTC).timestamp()
    found = datetime.fromtimestamp(next_after(parse("0 0 29 2 */7"), after, "UTC"), UTC)
    assert (found.year, found.month, found.day, found.isoweekday()) == (2088, 2, 29, 7)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("@hourly", "0 * * * *"),
        ("@Daily", "0 0 * * *"),
        ("@midnight", "0 0 * * *"),
        ("@weekly", "0 0 * * 7"),
        ("@monthly", "0 0 1 * *"),
        ("@yearly", "0 0 1 jan *"),
        ("@annually", "0 0 1 1 *"),
        ("0 0 * JAN,dec Mon-Fri", "0 0 * 1,12 1-5"),
        ("0 0 * * fri-sun", "0 0 * * 0,5,6"),
        ("5/20 * * * *", "5,25,45 * * * *"),
        (" 0   0 * * 0 ", "0 0 * * sun"),
    ],
)
def test_two_ways_to_say_the_same(text: str, same: str) -> None:
    one, two = parse(text), parse(same)
    assert (one.minutes, one.hours, one.days, one.months, one.weekdays, one.either_day) == (
        two.minutes,
        two.hours,
        two.days,
        two.months,
        two.weekdays,
        two.either_day,
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("60 * * * *", 'In the cron text "60 * * * *", field minute: "60" is not valid; use 0 to 59.'),
        ("* 24 * * *", 'field hour: "24" is not valid; use 0 to 23.'),
        ("* * 0 * *", 'field day of month: "0" is not valid; use 1 to 31.'),
        ("* * * foo *", 'field month: "foo" is not valid; use 1 to 12 or jan feb'),
        ("* * * * 8", 'field day of week: "8" is not valid; use 0 to 7 or sun mon'),
        ("*/0 * * * *", 'the step "0" is not valid; use a whole number from 1 to 60.'),
        ("*/90 * * * *", 'the step "90" is not valid'),
        ("*/x * * * *", 'the step "x" is not valid'),
        ("10-5 * * * *", 'the range "10-5" runs backwards'),
        ("1,,2 * * * *", '"" is not valid'),
        ("-1 * * * *", '"" is not valid'),
        ("٣ * * * *", '"٣" is not valid'),
        ("* * * *", "has 4 fields instead of 5"),
        ("", "has 0 fields instead of 5"),
        ("* * * * * *", "has 6 fields instead of 5"),
        ("@reboot", "is no known alias; use one of @yearly"),
        ("0 0 30 2 *", "names a date that never comes"),
        ("0 0 31 4,6,9,11 *", "names a date that never comes"),
        ("1," * 600 + "2 * * * *", "is too long"),
    ],
)
def test_what_is_no_cron_text_is_refused_with_field_value_and_range(text: str, message: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse(text)
    assert message in str(caught.value)


@given(text=st.text(max_size=20) | st.lists(_field(0, 60), min_size=5, max_size=5).map(" ".join))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        cron = parse(text)
    except DefinitionError:
        return
    assert next_after(cron, 0.0, "UTC") > 0


def test_several_texts_are_due_whenever_one_is() -> None:
    crons = [parse("0 6 * * *"), parse("0 18 * * *"), parse("0 6,18 1 * *")]
    start = datetime(2024, 1, 1, tzinfo=UTC).timestamp()
    ticks = list(ticks_between(crons, start, start + 2 * 86400, "UTC"))
    assert [(tick - start) / 3600 for tick in ticks] == [6, 18, 30, 42]
    with pytest.raises(DefinitionError, match="no cron text"):
        next_after([], start, "UTC")


def test_a_tick_is_later_than_its_start_and_the_end_counts() -> None:
    cron = parse("0 * * * *")
    assert next_after(cron, 3600.0, "UTC") == 7200.0
    assert next_after(cron, 3599.999, "UTC") == 3600.0
    assert list(ticks_between(cron, 0.0, 7200.0, "UTC")) == [3600.0, 7200.0]
    assert list(ticks_between(cron, 0.0, 3599.0, "UTC")) == []


def test_an_unknown_zone_is_named() -> None:
    with pytest.raises(DefinitionError, match='did you mean "Europe/Berlin"'):
        next_after(parse("@daily"), 0.0, "Europe/Berln")


def test_a_skipped_time_may_be_left_out() -> None:
    assert _walls("30 2 * * *", "2024-03-30T12:00", "Europe/Berlin", 1, gap="skip") == ["01 02:30 +0200"]
    assert _walls("*/30 2,3 * * *", "2024-03-31T01:00", "Europe/Berlin", 1, gap="skip") == ["31 03:00 +0200"]


def test_a_repeated_time_is_due_as_it_is_said() -> None:
    twice = ("30 2 * * *", "2024-10-26T12:00", "Europe/Berlin", 3)
    first, second = "27 02:30 +0200", "27 02:30 +0100"
    assert _walls(*twice) == [first, "28 02:30 +0100", "29 02:30 +0100"]
    assert _walls(*twice, fold="second") == [second, "28 02:30 +0100", "29 02:30 +0100"]
    assert _walls(*twice, fold="both") == [first, second, "28 02:30 +0100"]


def test_from_within_the_first_pass_all_of_the_second_is_to_come() -> None:
    after = datetime(2024, 10, 27, 0, 45, tzinfo=UTC).timestamp()  # 02:45, for the first time
    expected: dict[Fold, list[str]] = {"second": ["02:10", "02:50"], "both": ["02:50", "02:10", "02:50"]}
    for fold, texts in expected.items():
        ticks = islice(
            ticks_between(parse("10,50 2 27 10 *", fold=fold), after, float("inf"), "Europe/Berlin"), len(texts)
        )
        assert [f"{datetime.fromtimestamp(tick, ZoneInfo('Europe/Berlin')):%H:%M}" for tick in ticks] == texts


@pytest.mark.parametrize("fold", get_args(Fold))
@pytest.mark.parametrize("gap", get_args(Gap))
def test_a_text_for_every_hour_follows_real_time_whatever_is_said(gap: Gap, fold: Fold) -> None:
    for start in ("2024-03-30T20:00:00+00:00", "2024-10-26T20:00:00+00:00"):
        after = datetime.fromisoformat(start).timestamp()
        ticks = list(
            islice(ticks_between(parse("5 * * * *", gap=gap, fold=fold), after, float("inf"), "Europe/Berlin"), 9)
        )
        assert [later - tick for tick, later in itertools.pairwise(ticks)] == [3600.0] * 8


def test_the_last_ticks_are_found_however_far_apart() -> None:
    until = datetime(2024, 5, 10, 0, 30, tzinfo=UTC).timestamp()
    for text, days in (("0 0 * * *", ["08", "09", "10"]), ("0 0 1 * *", ["01", "01", "01"]), ("0 0 5 5 *", ["05"])):
        found = last_ticks(parse(text), until, "UTC", count=3)
        assert [f"{datetime.fromtimestamp(tick, UTC):%d}" for tick in found] == days
    assert last_ticks(parse("0 0 * * *"), until, "UTC", after=until - 86_400, count=3) == [until - 1800]
