"""Partition sets as users declare them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from penstock.codec import decode_json, encode_json
from penstock.errors import DefinitionError, NotFoundError, PenstockError
from penstock.partitions.cadence import Cadence
from penstock.partitions.definition import (
    DynamicPartitionsDefinition,
    Partition,
    PartitionKeyRange,
    StaticPartitionsDefinition,
    keys_of,
    subset_of,
)
from penstock.partitions.loading import partition_loading_context
from penstock.partitions.spec import PartitionsSpec
from penstock.partitions.subset import Subset
from penstock.partitions.time_window import (
    DailyPartitionsDefinition,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    TimeWindow,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
)

NOON = datetime(2024, 1, 5, 12, tzinfo=UTC)


class _Store:
    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        return {"customers": ["b", "a"]}.get(partitions_def_name, [])


def test_static_keys_keep_their_order() -> None:
    letters = StaticPartitionsDefinition(["c", "a", "b"])
    assert letters.get_partition_keys() == ["c", "a", "b"]
    assert (letters.get_first_partition_key(), letters.get_last_partition_key()) == ("c", "b")
    assert letters.get_num_partitions() == 3
    assert letters.has_partition_key("a")
    assert not letters.has_partition_key("d")
    assert letters.get_partition_keys_in_range(PartitionKeyRange("c", "a")) == ["c", "a"]


def test_an_empty_set_has_no_first_key() -> None:
    nothing = StaticPartitionsDefinition([])
    assert nothing.get_first_partition_key() is None
    assert nothing.get_last_partition_key() is None
    with pytest.raises(NotFoundError, match="no keys yet"):
        nothing.validate_partition_key("a")


def test_dynamic_keys_come_from_the_store() -> None:
    customers = DynamicPartitionsDefinition(name="customers")
    assert customers.name == "customers"
    assert customers.get_partition_keys(dynamic_partitions_store=_Store()) == ["b", "a"]
    assert customers.has_partition_key("a", dynamic_partitions_store=_Store())
    with pytest.raises(DefinitionError, match="pass the instance as dynamic_partitions_store"):
        customers.get_partition_keys()


def test_daily_keys() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01")
    assert days.get_partition_keys(NOON) == ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"]
    assert days.get_partition_keys(NOON.replace(tzinfo=None)) == days.get_partition_keys(NOON)
    assert days.get_num_partitions(NOON) == 4
    assert days.has_partition_key("2024-01-04", NOON)
    assert not days.has_partition_key("2024-01-05", NOON)
    assert days.get_next_partition_key("2024-01-03", NOON) == "2024-01-04"
    assert days.get_next_partition_key("2024-01-04", NOON) is None
    assert days.get_partition_key_for_timestamp(NOON.timestamp()) == "2024-01-05"
    assert days.get_last_partition_window(NOON) == days.time_window_for_partition_key("2024-01-04")
    assert days.get_last_partition_window(datetime(2023, 1, 1, tzinfo=UTC)) is None


def test_without_a_time_the_keys_are_those_of_now() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-01-03")
    assert days.get_partition_keys() == ["2024-01-01", "2024-01-02"]
    assert HourlyPartitionsDefinition(start_date="2999-01-01-00:00").get_partition_keys() == []


def test_the_window_of_a_key_has_its_zone() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01", timezone="Europe/Berlin", hour_offset=2)
    berlin = ZoneInfo("Europe/Berlin")
    window = days.time_window_for_partition_key("2024-01-02")
    assert window == TimeWindow(datetime(2024, 1, 2, 2, tzinfo=berlin), datetime(2024, 1, 3, 2, tzinfo=berlin))
    assert window.start.tzinfo is berlin
    with pytest.raises(DefinitionError, match="'2024-1-2' is no partition key of this set; its keys look like"):
        days.time_window_for_partition_key("2024-1-2")


def test_keys_in_a_stretch_of_time() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01")
    stretch = TimeWindow(datetime(2024, 1, 2, 1, tzinfo=UTC), datetime(2024, 1, 4, 1, tzinfo=UTC))
    assert days.get_partition_keys_in_time_window(stretch, NOON) == ["2024-01-03", "2024-01-04"]
    whole = TimeWindow(datetime(2023, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC))
    assert days.get_partition_keys_in_time_window(whole, NOON) == days.get_partition_keys(NOON)


def test_other_cadences() -> None:
    later = datetime(2024, 4, 1, tzinfo=UTC)
    hours = HourlyPartitionsDefinition(start_date="2024-01-01-00:00", minute_offset=15)
    assert hours.get_partition_keys(datetime(2024, 1, 1, 3, tzinfo=UTC)) == ["2024-01-01-00:15", "2024-01-01-01:15"]
    weeks = WeeklyPartitionsDefinition(start_date="2024-03-01", day_offset=1)
    assert weeks.get_partition_keys(later) == ["2024-03-04", "2024-03-11", "2024-03-18", "2024-03-25"]
    months = MonthlyPartitionsDefinition(start_date="2024-01-02")
    assert months.get_partition_keys(later) == ["2024-02-01", "2024-03-01"]
    long = MonthlyPartitionsDefinition(start_date="2024-01-01", end_date="2024-06-01", day_offset=31)
    assert long.get_partition_keys() == ["2024-01-31", "2024-03-31"]
    named = MonthlyPartitionsDefinition(start_date="2024-01", fmt="%Y-%m", day_offset=15)
    assert named.get_partition_keys(datetime(2024, 3, 20, tzinfo=UTC)) == ["2024-01", "2024-02"]


def test_a_start_with_a_zone_brings_it_along() -> None:
    start = datetime(2024, 1, 1, tzinfo=ZoneInfo("Asia/Kolkata"))
    assert DailyPartitionsDefinition(start_date=start).timezone == "Asia/Kolkata"
    moved = DailyPartitionsDefinition(start_date=start, timezone="UTC")
    assert moved.get_first_partition_key(NOON) == "2024-01-01"
    assert moved.start == datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC"))
    day = datetime(2024, 1, 1, tzinfo=ZoneInfo("UTC"))
    there = DailyPartitionsDefinition(start_date=day, end_date=day.replace(day=3), timezone="Asia/Kolkata")
    assert there.get_partition_keys() == ["2024-01-01", "2024-01-02"]


@pytest.mark.parametrize(
    ("cron", "cadence", "offsets"),
    [
        ("15 * * * *", Cadence.HOURLY, (15, 0, 0)),
        ("30 4 * * *", Cadence.DAILY, (30, 4, 0)),
        ("0 0 * * 7", Cadence.WEEKLY, (0, 0, 0)),
        ("0  9 * * 1", Cadence.WEEKLY, (0, 9, 1)),
        ("5 6 7 * *", Cadence.MONTHLY, (5, 6, 7)),
    ],
)
def test_a_simple_cron_text_names_the_cadence(cron: str, cadence: Cadence, offsets: tuple[int, int, int]) -> None:
    made = TimeWindowPartitionsDefinition(start="2024-01-01-00:00", fmt="%Y-%m-%d-%H:%M", cron_schedule=cron)
    assert made.schedule_type is cadence
    assert (made.minute_offset, made.hour_offset, made.day_offset) == offsets
    assert made.cron_schedule == " ".join(cron.split()).replace("7", "0" if cadence is Cadence.WEEKLY else "7")


def test_a_cron_text_for_another_time_of_the_window() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01")
    assert days.get_cron_schedule(minute_of_hour=30, hour_of_day=6) == "30 6 * * *"
    assert WeeklyPartitionsDefinition(start_date="2024-01-01").get_cron_schedule(day_of_week=3) == "0 0 * * 3"
    assert MonthlyPartitionsDefinition(start_date="2024-01-01").get_cron_schedule(day_of_month=9) == "0 0 9 * *"
    with pytest.raises(DefinitionError, match="day_of_week means nothing for daily partitions"):
        days.get_cron_schedule(day_of_week=1)
    with pytest.raises(DefinitionError, match="hour_of_day means nothing for hourly"):
        HourlyPartitionsDefinition(start_date="2024-01-01-00:00").get_cron_schedule(hour_of_day=0)


def test_a_day_of_another_kind_of_window_is_passed_over() -> None:
    with pytest.warns(UserWarning, match="day_of_week means nothing for monthly partitions and is passed over"):
        monthly = MonthlyPartitionsDefinition(start_date="2024-01-01", day_offset=2).get_cron_schedule(
            hour_of_day=6, day_of_week=1
        )
    assert monthly == "0 6 2 * *"
    with pytest.warns(UserWarning, match="day_of_month means nothing for weekly"):
        assert WeeklyPartitionsDefinition(start_date="2024-01-01").get_cron_schedule(day_of_month=3) == "0 0 * * 0"


def test_sets_are_equal_by_content_and_travel_as_records() -> None:
    days = DailyPartitionsDefinition(start_date="2024-01-01", end_date="2024-02-01", timezone="Europe/Berlin")
    for made in (days, StaticPartitionsDefinition(["a"]), DynamicPartitionsDefinition(name="x")):
        assert decode_json(encode_json(made.spec), PartitionsSpec) == made.spec  # type: ignore[arg-type]  # a union
    same = DailyPartitionsDefinition(
        start_date=datetime.fromisoformat("2024-01-01"), end_date="2024-02-01", timezone="Europe/Berlin"
    )
    assert days == same
    assert hash(days) == hash(same)
    assert days != DailyPartitionsDefinition(start_date="2024-01-01")
    assert (days.end, days.fmt, days.end_offset) == (
        datetime(2024, 2, 1, tzinfo=ZoneInfo("Europe/Berlin")),
        "%Y-%m-%d",
        0,
    )


def test_keys_and_positions_of_part_of_a_set() -> None:
    space = StaticPartitionsDefinition(["a", "b", "c", "d"]).space()
    assert subset_of(space, ["d", "a", "b", "x"]) == (Subset.of([0, 1, 3]), ["x"])
    assert keys_of(space, Subset.of([0, 1, 3])) == ["a", "b", "d"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StaticPartitionsDefinition("abc"), "a list of texts, not the text 'abc'"),
        (lambda: StaticPartitionsDefinition(["a", "a"]), "'a' occurs more than once"),
        (lambda: StaticPartitionsDefinition(["a", ""]), "'' cannot be a partition key"),
        (lambda: StaticPartitionsDefinition(["a...b"]), "cannot be a partition key"),
        (lambda: StaticPartitionsDefinition(["a\nb"]), "cannot be a partition key"),
        (lambda: DynamicPartitionsDefinition(name=""), "needs either a name that is not empty"),
        (
            lambda: DailyPartitionsDefinition(start_date="01/02/2024"),
            "does not have the form '%Y-%m-%d'; write it like",
        ),
        (lambda: DailyPartitionsDefinition("2024-01-01", timezone="Europe/Berln"), 'did you mean "Europe/Berlin"'),
        (lambda: DailyPartitionsDefinition("2024-01-01", timezone="../etc"), "There is no time zone '../etc'"),
        (lambda: DailyPartitionsDefinition("2024-01-01", timezone="America"), "There is no time zone 'America'"),
        (lambda: DailyPartitionsDefinition("2024-01-02", end_date="2024-01-02"), "is not after their start"),
        (lambda: DailyPartitionsDefinition("2024-01-01", hour_offset=24), "a whole number from 0 to 23, not 24"),
        (lambda: HourlyPartitionsDefinition("2024-01-01-00:00", minute_offset=-1), "from 0 to 59, not -1"),
        (lambda: MonthlyPartitionsDefinition("2024-01-01", day_offset=32), "from 1 to 31, not 32"),
        (
            lambda: DailyPartitionsDefinition("2024-01", fmt="%Y-%m"),
            'does not tell the partitions of "0 0 * * *" apart',
        ),
        (lambda: TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d"), "needs a schedule_type"),
        (
            lambda: TimeWindowPartitionsDefinition("2024-01-01", "%Y-%m-%d", cron_schedule="*/5 * * * *"),
            "does not tell the partitions of",
        ),
        (
            lambda: TimeWindowPartitionsDefinition(
                "2024-01-01", "%Y-%m-%d", cron_schedule="0 0 * * *", schedule_type=Cadence.DAILY
            ),
            "not both",
        ),
        (
            lambda: DailyPartitionsDefinition("2024-01-01").get_partition_keys_in_range(
                PartitionKeyRange("2024-01-01", "2023-01-01"), NOON
            ),
            "There is no partition '2023-01-01'; the keys go from '2024-01-01' to '2024-01-04'",
        ),
    ],
)
def test_what_is_not_valid_is_refused_with_the_remedy(make: Callable[[], object], message: str) -> None:
    with pytest.raises(PenstockError) as caught:
        make()
    assert message in str(caught.value)


def test_part_of_a_set_by_its_keys() -> None:
    days = DailyPartitionsDefinition("2024-01-01")
    some = days.subset_with_partition_keys(["2024-01-02", "2024-01-03", "junk"])
    assert list(some) == ["2024-01-02", "2024-01-03", "junk"]
    assert some.get_partition_key_ranges() == [
        PartitionKeyRange("2024-01-02", "2024-01-03"),
        PartitionKeyRange("junk", "junk"),
    ]
    assert some.get_partition_keys_not_in_subset(NOON) == ["2024-01-01", "2024-01-04"]
    assert "2024-01-02" in some
    assert "2024-01-04" not in some
    more = days.empty_subset().with_partition_key_range(PartitionKeyRange("2024-01-03", "2024-01-04"), NOON)
    assert list(some & more) == ["2024-01-03"]
    assert list(some - more) == ["2024-01-02", "junk"]
    assert len(some | more) == 4
    assert days.empty_subset().is_empty
    assert not days.empty_subset()
    assert list(days.subset_with_all_partitions(NOON)) == days.get_partition_keys(NOON)
    assert days.subset_with_all_partitions(NOON).positions.ranges == ((0, days.get_num_partitions(NOON)),)


def test_a_function_gives_the_keys() -> None:
    asked: list[datetime | None] = []

    def keys(now: datetime | None) -> list[str | Partition]:
        asked.append(now)
        return ["a", Partition(2, "b"), Partition(3)]

    made = DynamicPartitionsDefinition(keys)
    assert made.get_partition_keys(NOON) == ["a", "b", "3"]
    assert asked == [NOON]
    assert made == DynamicPartitionsDefinition(keys)
    assert made != DynamicPartitionsDefinition(name="x")
    assert made.spec.keys == ("a", "b", "3")  # type: ignore[union-attr]  # a function's set is a list of keys
    with pytest.raises(DefinitionError, match="none can be added"):
        made.build_add_request(["c"])


def test_a_block_says_what_time_it_is_and_who_knows_dynamic_keys() -> None:
    days = DailyPartitionsDefinition("2024-01-01")
    customers = DynamicPartitionsDefinition(name="customers")
    with partition_loading_context(effective_dt=NOON, dynamic_partitions_store=_Store()) as outer:
        assert days.get_last_partition_key() == "2024-01-04"
        assert customers.get_partition_keys() == ["b", "a"]
        with partition_loading_context(effective_dt=NOON + timedelta(days=1)):
            assert days.get_last_partition_key() == "2024-01-05"
            assert customers.get_partition_keys() == ["b", "a"]
            with partition_loading_context(new_ctx=outer):
                assert days.get_last_partition_key() == "2024-01-04"
    with pytest.raises(DefinitionError):
        customers.get_partition_keys()


def test_windows_next_to_a_moment() -> None:
    workdays = DailyPartitionsDefinition("2024-01-01", exclusions=["0 0 * * 6,0", datetime(2024, 1, 3, tzinfo=UTC)])
    later = datetime(2024, 1, 20, tzinfo=UTC)
    assert workdays.get_partition_keys(NOON) == ["2024-01-01", "2024-01-02", "2024-01-04"]
    assert workdays.exclusions is not None
    assert len(workdays.exclusions) == 2
    saturday = datetime(2024, 1, 6, 12, tzinfo=UTC)
    after, before = workdays.get_next_partition_window(saturday, later), workdays.get_prev_partition_window(saturday)
    assert after == workdays.time_window_for_partition_key("2024-01-08")
    assert before == workdays.time_window_for_partition_key("2024-01-05")
    assert workdays.get_next_partition_window(later, later) is None
    assert workdays.get_first_partition_window(later) == workdays.time_window_for_partition_key("2024-01-01")
    stretch = TimeWindow(datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 5, tzinfo=UTC))
    left = DailyPartitionsDefinition("2024-01-01", exclusions=[stretch])
    assert left.get_partition_keys(datetime(2024, 1, 7, tzinfo=UTC)) == ["2024-01-01", "2024-01-05", "2024-01-06"]
    with pytest.raises(DefinitionError, match="3 says nothing about what to exclude"):
        DailyPartitionsDefinition("2024-01-01", exclusions=[3])  # type: ignore[list-item]  # refused
    with pytest.raises(DefinitionError, match="leave nothing of the cron text"):
        DailyPartitionsDefinition("2024-01-01", exclusions=["* * * * *"])


def test_windows_by_another_cron_text_have_no_offsets() -> None:
    shifts = TimeWindowPartitionsDefinition("2024-01-01-00:00", "%Y-%m-%d-%H:%M", cron_schedule="0 9,17 * * 1-5")
    assert shifts.get_partition_keys(datetime(2024, 1, 8, 12, tzinfo=UTC))[-2:] == [
        "2024-01-05-09:00",
        "2024-01-05-17:00",
    ]
    assert shifts.schedule_type is None
    assert shifts.get_cron_schedule() == shifts.cron_schedule == "0 9,17 * * 1-5"
    with pytest.raises(DefinitionError, match="have no minute_offset"):
        _ = shifts.minute_offset
    with pytest.raises(DefinitionError, match="have no other time in the window"):
        shifts.get_cron_schedule(minute_of_hour=3)
    assert TimeWindowPartitionsDefinition(
        "2024-01-01", "%Y-%m-%d", cron_schedule="@daily"
    ) == DailyPartitionsDefinition("2024-01-01")
