"""Writes the keys of many windows at once: what is the same for a whole month is written once a month."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

__all__ = ["KeyText", "open_key_text"]

_WITHIN_A_MONTH = {"d": "{0}", "H": "{1}", "M": "{2}"}
_BY_MONTH = frozenset("YymbBSf%")  # windows begin at full minutes, so that %S and %f are always the same
_TWO_DIGITS = [f"{number:02}" for number in range(60)]


class KeyText:
    """A key's form that only names what is the same all month, the day, the hour and the minute."""

    def __init__(self, template: str) -> None:
        self._template = template

    def write(self, days: Iterable[tuple[date, Sequence[int]]]) -> list[str]:
        """The keys of wall times.

        Args:
            days: Days, and for each the times that are meant, in minutes since midnight.
        """
        month, form = (0, 0), ""
        found = []
        for day, times in days:
            if month != (day.year, day.month):
                month, form = (day.year, day.month), day.replace(day=1).strftime(self._template)
            number = _TWO_DIGITS[day.day]
            found += [form.format(number, _TWO_DIGITS[at // 60], _TWO_DIGITS[at % 60]) for at in times]
        return found


def open_key_text(fmt: str) -> KeyText | None:
    """The form of keys that `datetime.strftime` is given as `fmt`; None where it names anything else."""
    if not _BY_MONTH.issuperset(set(re.findall("%(.?)", fmt)) - _WITHIN_A_MONTH.keys()):
        return None
    doubled = fmt.replace("{", "{{").replace("}", "}}")
    return KeyText(re.sub("%(.)", lambda found: _WITHIN_A_MONTH.get(found[1], found[0]), doubled))
