"""Limits by tag, shared by the queue of runs and the scheduler of steps, and by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

__all__ = ["OTHERS", "Slot", "TagLimit", "limit_for", "slots_of", "tag_limit"]

OTHERS = "*"
"""Among limits by name: the limit of each that is not named."""


class TagLimit(msgspec.Struct, frozen=True, kw_only=True):
    """At most `limit` at once that carry the tag `key`.

    With `value`, only those with that value count. With `per_value`, each distinct value has the limit for itself.
    """

    key: str
    limit: int
    value: str | None = None
    per_value: bool = False


def tag_limit(entry: Mapping[str, Any]) -> TagLimit:
    """A limit as config writes it; a mapping as value, `{applyLimitPerUniqueValue: true}`, counts each value apart."""
    value = entry.get("value")
    per_value = isinstance(value, Mapping)
    return TagLimit(
        key=entry["key"],
        limit=entry["limit"],
        value=None if per_value or value is None else str(value),
        per_value=per_value,
    )


Slot: TypeAlias = tuple[TagLimit, str | None]
"""What a limit counts: the limit, and the one tag value that it counts, if it does not count all together."""


def slots_of(tags: Mapping[str, str], limits: Iterable[TagLimit]) -> list[Slot]:
    """The slots, each once, in which something with these tags takes a place."""
    slots: dict[Slot, None] = {}
    for limit in limits:
        value = tags.get(limit.key)
        if value is not None and limit.value in (None, value):
            slots[limit, value if limit.per_value or limit.value is not None else None] = None
    return list(slots)


def limit_for(name: str, limits: Mapping[str, int]) -> int | None:
    """The limit that holds for what has this name; None for no limit."""
    return limits.get(name, limits.get(OTHERS)) if limits else None
