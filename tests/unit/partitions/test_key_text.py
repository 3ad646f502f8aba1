"""Keys that are written or looked up many at once are those that are written or looked up one by one."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import DefinitionError
from penstock.partitions.key_text import open_key_text
from penstock.partitions.space import open_space
from penstock.partitions.spec import Dimension, DynamicSpec, MultiSpec, PartitionsSpec, StaticSpec, TimeWindowSpec
from penstock.partitions.time_space import TimeSpace

ZONES = ["UTC", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo"]
FORMATS = [
    "%Y-%m-%d-%H:%M",
    "%d.%m.%Y %H{h}%M",
    "%b %d %Y, %H.%M.%S",
    "%j of %Y at %H:%M",
    "%Y%m%dT%H%M%z",
    "%%%Y%m%d%H%M",
]
CRONS = ["0 * * * *", "*/15 * * * *", "20 3 * * *", "0 0 * * 1", "30 2 1 * *", "0 6,18 * * *"]

_walls = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2040-12-31")).map(
    lambda wall: wall.replace(second=0, microsecond=0)
)


@st.composite
def _specs(draw: st.DrawFn) -> TimeWindowSpec:
    start = draw(_walls)
    begin = int(start.timestamp())
    hour = 3600
    return TimeWindowSpec(
        cron=draw(st.sampled_from(CRONS)),
        start=start.isoformat(),
        fmt=draw(st.sampled_from(FORMATS)),
        timezone=draw(st.sampled_from(ZONES)),
        excluded_crons=tuple(draw(st.lists(st.sampled_from(["0 5 * * *", "0 0 1 * *", "15 * * * *"]), max_size=2))),
        excluded_times=tuple(
            (begin + at * hour, begin + (at + length) * hour)
            for at, length in draw(st.lists(st.tuples(st.integers(0, 200), st.integers(1, 30)), max_size=2))
        ),
    )


@settings(deadline=None, max_examples=60)
@given(spec=_specs(), start=st.integers(0, 9_000), size=st.integers(0, 400))
def test_keys_of_times_are_those_of_each_position(spec: TimeWindowSpec, start: int, size: int) -> None:
    try:
        space = TimeSpace(spec)
    except DefinitionError:
        return  # nothing is left of it
    keys = space.keys(start, start + size)
    assert keys == [space.key(position) for position in range(start, start + size)]
    assert space.positions([*keys, "junk"]) == [*map(space.position, keys), None]


def test_the_hour_that_comes_twice_is_written_as_ever() -> None:
    spec = TimeWindowSpec(
        cron="*/30 * * * *",
        start="2024-10-27",
        fmt="%Y-%m-%d-%H:%M",
        timezone="Europe/Berlin",
        excluded_crons=("0 1 * * *",),
    )
    space = TimeSpace(spec)
    keys = space.keys(2, 9)
    assert keys[:5] == [
        "2024-10-27-01:30",
        "2024-10-27-02:00",
        "2024-10-27-02:30",
        "2024-10-27-02:00+0100",
        "2024-10-27-02:30+0100",
    ]
    assert space.positions(keys[::-1]) == list(range(8, 1, -1))


def test_the_end_of_the_calendar_is_no_end_of_the_look_up() -> None:
    space = TimeSpace(TimeWindowSpec(cron="0 0 * * *", start="9999-12-01", fmt="%Y-%m-%d"))
    assert space.positions(["9999-12-31", "9999-12-01"]) == [30, 0]
    with pytest.raises(OverflowError):
        space.keys(0, 40)


@pytest.mark.parametrize("fmt", ["%j", "%d%z", "%-d", "%Y-%m-%d %p", "%"])
def test_a_form_that_names_other_things_is_written_one_by_one(fmt: str) -> None:
    assert open_key_text(fmt) is None


DAYS = TimeWindowSpec(cron="0 0 * * *", start="2024-01-01", end="2024-01-31", fmt="%Y-%m-%d")
LETTERS = StaticSpec(keys=("a", "b", "c"))


@pytest.mark.parametrize(
    "spec",
    [
        LETTERS,
        DynamicSpec(name="shops"),
        MultiSpec(dimensions=(Dimension(name="a", partitions=LETTERS), Dimension(name="day", partitions=DAYS))),
        MultiSpec(
            dimensions=(
                Dimension(name="a", partitions=DAYS),
                Dimension(name="b", partitions=DynamicSpec(name="shops")),
                Dimension(name="c", partitions=LETTERS),
            )
        ),
    ],
)
def test_keys_of_any_set_are_those_of_each_position(spec: PartitionsSpec) -> None:
    space = open_space(spec, lambda _: ["x", "y"], now=1_800_000_000.0)
    count = space.count(1_800_000_000.0)
    keys = [space.key(position) for position in range(count)]
    assert space.keys(0, count) == keys
    assert space.keys(1, count - 1) == keys[1:-1]
    assert space.keys(1, 1) == []
    asked = [*keys[::-1], "junk", "2024-01-01", "2024-01-01|z", "a|b|c", "2024-01-01|x|a|b", ""]
    assert space.positions(asked) == [space.position(key) for key in asked]


def test_keys_of_several_dimensions_know_their_parts() -> None:
    spec = MultiSpec(dimensions=(Dimension(name="a", partitions=LETTERS), Dimension(name="day", partitions=DAYS)))
    space = open_space(spec, now=1_800_000_000.0)
    assert [
        key.keys_by_dimension  # type: ignore[attr-defined]
        for key in space.keys(2, 4)
    ] == [
        {"a": "c", "day": "2024-01-01"},
        {"a": "a", "day": "2024-01-02"},
    ]
