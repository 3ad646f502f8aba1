"""A cron text in plain words, for the patterns that people write; others are shown as they are."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import DefinitionError
from ...partitions.cron import Cron, parse

__all__ = ["cron_in_words"]

_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_MOST_TIMES = 4


def cron_in_words(texts: Sequence[str]) -> str:
    """What cron texts mean, for example `At 02:30, from Monday to Friday`; several are joined by semicolons."""
    return "; ".join(_words(text) for text in texts)


def _words(text: str) -> str:
    try:
        cron = parse(text)
    except DefinitionError:
        return text
    time = _time(cron)
    return text if time is None else ", ".join([time, *_days(cron), *_months(cron)])


def _time(cron: Cron) -> str | None:
    minutes, hours = cron.minutes, cron.hours
    every_hour = len(hours) == 24
    if len(minutes) == 60:
        return (
            "Every minute" if every_hour else f"Every minute of the hours {_listed([f'{each:02}' for each in hours])}"
        )
    if every_hour:
        step = _step(minutes, 60)
        if step:
            return f"Every {step} minutes"
        if minutes == (0,):
            return "Every hour"
        counted = "minute" if minutes == (1,) else "minutes"
        return f"At {_listed([str(each) for each in minutes])} {counted} past every hour"
    step = _step(hours, 24)
    if step and len(minutes) == 1:
        past = f" at minute {minutes[0]}" if minutes[0] else ""
        return f"Every {step} hours{past}"
    times = [f"{hour:02}:{minute:02}" for hour in hours for minute in minutes]
    return f"At {_listed(times)}" if len(times) <= _MOST_TIMES else None


def _days(cron: Cron) -> list[str]:
    any_weekday, any_day = len(cron.weekdays) == 7, len(cron.days) == 31
    if any_weekday and any_day:
        return []
    weekdays = _weekdays(cron.weekdays)
    days = f"on day {_listed([str(day) for day in cron.days])} of the month"
    if any_day:
        return [weekdays]
    if any_weekday:
        return [days]
    return [f"{days} or {weekdays}" if cron.either_day else f"{days} when that is {weekdays}"]


def _weekdays(days: Sequence[int]) -> str:
    if list(days) == list(range(days[0], days[-1] + 1)) and len(days) > 2:
        return f"from {_DAYS[days[0]]} to {_DAYS[days[-1]]}"
    return f"on {_listed([_DAYS[day] for day in days])}"


def _months(cron: Cron) -> list[str]:
    return [] if len(cron.months) == 12 else [f"in {_listed([_MONTHS[month - 1] for month in cron.months])}"]


def _step(values: Sequence[int], span: int) -> int | None:
    """The distance of values that begin at 0 and go on evenly over the whole span; None if they do not."""
    if len(values) < 2 or values[0] != 0:
        return None
    step = values[1]
    return step if list(values) == list(range(0, span, step)) and span % step == 0 else None


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
