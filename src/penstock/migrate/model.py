"""What a migration found: files that change, and what is left to a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["Change", "Note", "Rewritten", "Spellings"]


class Note(NamedTuple):
    """Something that could not be carried over: where, and what to do."""

    line: int
    text: str


class Rewritten(NamedTuple):
    """A file's new text, and what is left to do in it; lines are those of the old text."""

    text: str
    notes: tuple[Note, ...] = ()


class Change(NamedTuple):
    """A file before and after. `after` is what stands at `to`, which is another path if the file gets a new name."""

    path: Path
    to: Path
    before: str
    after: str
    notes: tuple[Note, ...] = ()


class Spellings(NamedTuple):
    """What is called otherwise.

    Args:
        names: Public names, old to new.
        parameters: By the new name of what is called: keyword arguments, old to new.
        attributes: By the new name of a class: attributes, old to new.
        label_prefixes: How tags and labels of metadata with a meaning begin, old to new.
        known: All public names that there are.
        left_out: Old names that are not here, and why.
    """

    names: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, str]]
    attributes: Mapping[str, Mapping[str, str]]
    label_prefixes: Mapping[str, str]
    known: frozenset[str]
    left_out: Mapping[str, str]
