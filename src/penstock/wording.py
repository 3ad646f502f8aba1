"""The words that messages share: articles before type names, lists of names, the name that was probably meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

__all__ = [
    "did_you_mean",
    "joined",
    "kind_of",
    "length_of_time",
    "listed",
    "nearest_name",
    "shown",
    "size_of",
    "utc",
    "with_article",
]

# Bounds for what a message shows and for the work that a hostile value can cause.
_LISTED = 20
_SHORT = 60
_LONGEST_NAME = 100


def with_article(noun: str) -> str:
    """A noun after its article: "an int", "a str"."""
    return f"{'an' if noun[:1].lower() in {*'aeio'} else 'a'} {noun}"


def kind_of(value: object) -> str:
    """The type of a value, as a sentence says it: "an int", "a DataFrame", "None"."""
    return "None" if value is None else with_article(type(value).__qualname__)


def shown(value: object) -> str:
    """A value after its type, where it is short: "an int (3)"."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a class of the user's own, about whose value something else is being told
        text = ""
    return kind_of(value) + (f" ({text})" if value is not None and 0 < len(text) <= _SHORT else "")


def joined(words: Sequence[str], joint: str) -> str:
    """Words as a sentence lists them, the first ones if there are very many."""
    if len(words) > _LISTED:
        return ", ".join(words[:_LISTED]) + f" {joint} {len(words) - _LISTED} more"
    return f" {joint} ".join(part for part in (", ".join(words[:-1]), *words[-1:]) if part) or "nothing"


def listed(names: Iterable[object], joint: str) -> str:
    """Names in quotes, joined as a sentence does it."""
    return joined([f'"{name}"' for name in names], joint)


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was probably meant to be, if one is near enough."""
    if len(name) > _LONGEST_NAME:
        return None
    import difflib  # for errors alone

    plain = {each.lower(): each for each in known}
    matches = difflib.get_close_matches(name.lower(), list(plain), n=1)
    return plain[matches[0]] if matches else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The end of a sentence that tells of an unknown name: what was probably meant, or else what there is."""
    names = sorted(known)
    near = nearest_name(name, names)
    if near is not None:
        return f'; did you mean "{near}"?'
    return f"; there {'is' if len(names) == 1 else 'are'} {listed(names, 'and') if names else 'none'}."


def length_of_time(seconds: float) -> str:
    """A length of time as a sentence says it: "40 s", "3 min", "5 h", "12 days"."""
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{seconds:.0f} s"


def size_of(count: int) -> str:
    """A number of bytes as a sentence says it: "512 bytes", "3.4 MiB", "12.0 GiB"."""
    for shift, name in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if count >= 1 << shift:
            return f"{count / (1 << shift):.1f} {name}"
    return f"{count} bytes"


def utc(instant: float) -> str:
    """The minute of an instant: "2026-11-29 17:30 UTC"."""
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M} UTC"
