"""Where the partitions of assets stand, in the order of their sets.

A storage tells a letter for each place of an asset, and a place never changes its partition. So the process remembers
where the places lie in the asset's set, and reads the keys of new places alone.
"""

from __future__ import annotations

import re
from array import array
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from threading import Lock
from typing import NamedTuple

from ...partitions.multi_space import positions_stay
from ...partitions.space import KeySpace, open_space
from ...partitions.spec import PartitionsSpec
from ...records.asset import LETTERS, PartitionLetter, PartitionStatus
from ...storage.protocols import AssetStorage

__all__ = ["LettersByPlace", "PartitionPlaces", "SetStatuses", "no_letters"]

_MOST_PLACES = 4_000_000  # a place takes 8 bytes, or a key's text
_MISSING = ord(PartitionLetter.MISSING)
_NOWHERE = -1
_STATUS_OF = {letter: status for status, letters in LETTERS.items() for letter in letters.encode()}
_STRETCHES = re.compile("|".join(f"[{letters}]+" for letters in LETTERS.values()).encode())


class SetStatuses:
    """Where each partition of a set stands.

    Args:
        letters: By place.
        positions: Likewise; what is below 0 or not below `size` is not of the set.
        size: How many partitions the set has.
        are_all_inside: Whether no place with a letter is known to lie outside.
    """

    def __init__(self, letters: str, positions: Sequence[int], size: int, *, are_all_inside: bool) -> None:
        self._letters = letters.encode()
        self._positions = positions
        self._size = size
        self._are_all_inside = are_all_inside

    @cached_property
    def in_order(self) -> bytes:
        """The letter of each partition of the set."""
        found = bytearray(self._size * PartitionLetter.MISSING.encode())
        for position, letter in zip(self._positions, self._letters, strict=True):
            if letter != _MISSING and 0 <= position < self._size:
                found[position] = letter
        return bytes(found)

    def count(self, status: PartitionStatus) -> int:
        """How many stand there."""
        letters = self._letters if self._are_all_inside else self.in_order
        return sum(letters.count(letter) for letter in LETTERS[status].encode())

    def stretches(self) -> Iterator[tuple[int, int, PartitionStatus]]:
        """Neighbours of the same status, in order: the first, the one after the last, the status. Missing ones are left
        out."""
        for found in _STRETCHES.finditer(self.in_order):
            yield found.start(), found.end(), _STATUS_OF[found[0][0]]


class _Places(NamedTuple):
    """What is remembered of an asset: of each place its position, or where positions of its set change, its key.

    `highest` is the highest position; `are_known` says that no place had a key that the set does not have.
    """

    spec: PartitionsSpec
    positions: array[int] | None
    keys: tuple[str, ...] = ()
    highest: int = _NOWHERE
    are_known: bool = True

    @property
    def size(self) -> int:
        return len(self.keys) if self.positions is None else len(self.positions)

    def grown(self, letters: str, keys: Sequence[str]) -> _Places:
        """With the places that these letters have beyond those of it."""
        new = letters[self.size :]
        if PartitionLetter.MISSING in new:
            present = iter(keys)
            keys = ["" if letter == PartitionLetter.MISSING else next(present) for letter in new]
        if not new:
            return self
        if self.positions is None:
            return self._replace(keys=(*self.keys, *keys))
        found = _positions(open_space(self.spec), keys)
        are_known = all(position >= 0 or key == "" for position, key in zip(found, keys, strict=True))
        return self._replace(
            positions=self.positions + found,
            highest=max(self.highest, *found),
            are_known=self.are_known and are_known,
        )


class LettersByPlace:
    """What is known of an asset's partitions, read for one request."""

    def __init__(self, letters: str, places: _Places) -> None:
        self._letters = letters
        self._places = places
        self._found: tuple[KeySpace, int, SetStatuses] | None = None

    def of(self, space: KeySpace, size: int) -> SetStatuses:
        """By the set, as it is now."""
        if self._found is None or self._found[0] is not space or self._found[1] != size:
            self._found = (space, size, self._placed(space, size))
        return self._found[2]

    def _placed(self, space: KeySpace, size: int) -> SetStatuses:
        places = self._places
        if places.positions is None:
            return SetStatuses(self._letters, _positions(space, places.keys), size, are_all_inside=False)
        is_inside = places.are_known and places.highest < size
        return SetStatuses(self._letters, places.positions, size, are_all_inside=is_inside)


class PartitionPlaces:
    """What one process remembers of the places of assets, of those asked for last.

    Args:
        most: Of how many places in all.
    """

    def __init__(self, most: int = _MOST_PLACES) -> None:
        self._most = most
        self._held = 0
        self._lock = Lock()
        self._places: OrderedDict[str, _Places] = OrderedDict()

    def read(self, storage: AssetStorage, specs: Mapping[str, PartitionsSpec]) -> dict[str, LettersByPlace]:
        """What a storage knows of the partitions of assets, each with its set; those without any are left out."""
        places = {asset: self._known(asset, spec) for asset, spec in specs.items()}
        statuses = storage.partition_statuses({asset: each.size for asset, each in places.items()})
        # Fewer places than are remembered: another database has come into the place of the first.
        anew = {asset: 0 for asset, each in statuses.items() if len(each.letters) < places[asset].size}
        if anew:
            places |= {asset: _none_of(specs[asset]) for asset in anew}
            statuses |= storage.partition_statuses(anew)
        found = {}
        for asset, each in statuses.items():
            grown = places[asset].grown(each.letters, each.keys)
            self._remember(asset, grown)
            found[asset] = LettersByPlace(each.letters, grown)
        return found

    def _known(self, asset: str, spec: PartitionsSpec) -> _Places:
        places = self._places.get(asset)
        return places if places is not None and places.spec == spec else _none_of(spec)

    def _remember(self, asset: str, places: _Places) -> None:
        with self._lock:
            before = self._places.pop(asset, None)
            self._places[asset] = places
            self._held += places.size - (0 if before is None else before.size)
            while self._held > self._most and len(self._places) > 1:
                self._held -= self._places.popitem(last=False)[1].size


def no_letters(spec: PartitionsSpec) -> LettersByPlace:
    """What is known of an asset of which nothing is."""
    return LettersByPlace("", _none_of(spec))


def _none_of(spec: PartitionsSpec) -> _Places:
    return _Places(spec, array("q") if positions_stay(spec) else None)


def _positions(space: KeySpace, keys: Iterable[str]) -> array[int]:
    return array("q", [_NOWHERE if position is None else position for position in space.positions(keys)])
