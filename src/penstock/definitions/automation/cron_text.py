"""What a cron text looks like, so that a mistyped one is refused where it is written.

When a text is due is decided where schedules are evaluated; here its fields only have to read as such.
"""

from __future__ import annotations

import re

from ...errors import DefinitionError

__all__ = ["check_cron_text"]

_ALIASES = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})


def _field(value: str) -> re.Pattern[str]:
    item = rf"(?:\*|(?:{value})(?:-(?:{value}))?)(?:/0*[1-9]\d*)?"
    return re.compile(rf"{item}(?:,{item})*", re.IGNORECASE | re.ASCII)


_FIELDS = (
    ("minute", "0 to 59", _field(r"0*[1-5]?\d")),
    ("hour", "0 to 23", _field(r"0*(?:1?\d|2[0-3])")),
    ("day of month", "1 to 31", _field(r"0*(?:[1-9]|[12]\d|3[01])")),
    ("month", "1 to 12 or jan to dec", _field(r"0*(?:[1-9]|1[0-2])|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec")),
    ("day of week", "0 to 7 or sun to sat", _field(r"0*[0-7]|sun|mon|tue|wed|thu|fri|sat")),
)


def check_cron_text(text: object, what: str) -> str:
    """The text, if its fields read as a cron text's.

    Args:
        text: The text.
        what: Whose it is, as messages begin.

    Raises:
        DefinitionError: It has other than five fields and is no alias, or a field cannot be read.
    """
    if not isinstance(text, str):
        raise DefinitionError(f"{what} has the cron_schedule {text!r}; give a text or a list of texts.")
    plain = text.strip()
    if plain.lower() in _ALIASES:
        return text
    parts = plain.split()
    if len(parts) != len(_FIELDS):
        raise DefinitionError(
            f"{what} has the cron_schedule {text!r}; give five fields (minute, hour, day of month, month, day of "
            "week), "
            'for example "0 6 * * *".'
        )
    for part, (name, values, pattern) in zip(parts, _FIELDS, strict=True):
        if pattern.fullmatch(part) is None:
            raise DefinitionError(
                f"{what} has the cron_schedule {text!r}, whose {name} {part!r} cannot be read; use {values}, "
                "with *, lists (1,5), ranges (1-5) or steps (*/10)."
            )
    return text
