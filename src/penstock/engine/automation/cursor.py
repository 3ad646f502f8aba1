"""What an evaluation hands to the next one: when it was, up to which event, and what conditions remember.

Partitions are kept by their keys and not by their positions, so that a cursor stays true when a set of partitions
begins later, gets a key in its middle or loses one. Only what is not empty is kept, and the text is compressed.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from functools import cache
from typing import TypeAlias

import msgspec

from ...codec import decode_json, encode_json
from ...errors import DefinitionError
from ...partitions.multi_space import positions_stay
from ...partitions.space import KeySpace
from ...partitions.spec import StaticSpec
from ...partitions.subset import Subset

__all__ = ["Cursor", "Keys", "KnownKeys", "RootMemory", "keys_to_subset", "subset_to_keys"]

Keys: TypeAlias = tuple[str, ...]
"""Part of a set: keys, and where their order stays as it is, ranges with both ends. ('',) is what has no partitions."""

_RANGE = "..."  # no key contains it


class RootMemory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one asset's, check's or job's condition remembers.

    Args:
        digest: The content hash of the condition; another one means that it was changed, and all is forgotten.
        requested: What it requested.
        parts: What its parts remember: by the entity and the content hash of the part.
        values: Texts that its parts remember, for example code versions.
        unsettled: Whether it must be evaluated again although nothing happens, because something was new.
        turns: From when on it must be evaluated again although nothing happens, in seconds since the epoch.
    """

    digest: str
    requested: Keys = ()
    parts: dict[str, Keys] = {}
    values: dict[str, str] = {}
    unsettled: bool = False
    turns: float | None = None


class Cursor(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an evaluation hands to the next one.

    Args:
        time: When it was, in seconds since the epoch.
        event: The newest event that it looked at.
        evaluation: How many evaluations there were.
        graph: The fingerprint of the graph.
        sets: For each set of partitions that is looked at, its state.
        updated: For partitioned entities, which partitions were ever updated; entities may be left out.
        roots: What the conditions remember, by entity.
    """

    time: float
    event: int
    evaluation: int = 1
    graph: str = ""
    sets: dict[str, str] = {}
    updated: dict[str, Keys] = {}
    roots: dict[str, RootMemory] = {}

    def to_text(self) -> str:
        """The cursor as a text."""
        return base64.b85encode(zlib.compress(encode_json(self), 6)).decode()

    @classmethod
    def from_text(cls, text: str | None) -> Cursor | None:
        """The cursor that `to_text` wrote; None if there is none yet.

        Raises:
            DefinitionError: The text is none of its.
        """
        if not text:
            return None
        try:
            return decode_json(zlib.decompress(base64.b85decode(text)), cls)
        except (ValueError, zlib.error, binascii.Error, msgspec.DecodeError) as error:
            raise DefinitionError(
                f"The cursor {text[:40]!r} is none that an evaluation of automation conditions wrote; reset it."
            ) from error


class KnownKeys:
    """The keys of a set as of one instant: each one's text and position is worked out once.

    Args:
        space: The set.
    """

    def __init__(self, space: KeySpace) -> None:
        self.spec = space.spec
        self.keys = space.keys
        self.key = cache(space.key)
        self.position = cache(space.position)


def subset_to_keys(subset: Subset, space: KeySpace | KnownKeys | None) -> Keys:
    """Part of a set by its keys."""
    if not subset:
        return ()
    if space is None:
        return ("",)
    # A static list is short enough, and the next version of the code may have a new key in its middle.
    if positions_stay(space.spec) and not isinstance(space.spec, StaticSpec):
        return tuple(
            space.key(start) if stop == start + 1 else f"{space.key(start)}{_RANGE}{space.key(stop - 1)}"
            for start, stop in subset.ranges
        )
    return tuple(key for start, stop in subset.ranges for key in space.keys(start, stop))


def keys_to_subset(keys: Keys, space: KeySpace | KnownKeys | None) -> Subset:
    """The part of a set that has these keys, without those that the set no longer has."""
    if space is None:
        return Subset.span(0, 1) if keys else Subset()
    ranges = []
    for text in keys:
        first, _, last = text.partition(_RANGE)
        start = space.position(first)
        stop = space.position(last) if last else start
        if start is not None and stop is not None:
            ranges.append((start, stop + 1))
    return Subset.of_ranges(ranges)
