"""Where a derived row is not what the event log comes to."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

__all__ = ["Difference", "differing"]


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One value that differs: of which kind of row, of which thing, and in what."""

    kind: str
    where: str
    what: str


def differing(
    kind: str, where: str, stored: msgspec.Struct, derived: msgspec.Struct, fields: tuple[str, ...]
) -> Iterator[Difference]:
    """The fields in which a stored record is not as the log says."""
    for field in fields:
        is_now, should_be = getattr(stored, field), getattr(derived, field)
        if is_now != should_be:
            yield Difference(
                kind=kind, where=where, what=f"{field} is {_said(is_now)}, and the log comes to {_said(should_be)}"
            )


def _said(value: object) -> str:
    text = str(value)
    return text if len(text) <= 200 else f"{text[:200]}..."
