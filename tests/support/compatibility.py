"""Compares Dagster's public surface with ours, and writes the table of it.

The surface is a list of facts beside this file: names with kind, tier (1 in almost every project, 2 common, 3 rare) and
parameters, and the members of classes. Parameters that Dagster hides or has deprecated are not in it.
"""

from __future__ import annotations

import ast
import csv
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

import penstock.compat
from penstock.compat.differences import DIFFERENT, LEFT_OUT, NOT_CONSTRUCTED
from penstock.compat.spellings import ATTRIBUTES, NAMES, PARAMETERS

__all__ = ["Entry", "compatibility_page", "gaps", "surface"]

_SURFACE = Path(__file__).parent / "surface"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A public name of Dagster's."""

    name: str
    kind: str
    group: str
    tier: int
    parameters: tuple[str, ...]
    members: tuple[str, ...]

    @property
    def ours(self) -> str:
        """Our own spelling of it."""
        return NAMES.get(self.name, self.name)

    @property
    def value(self) -> Any:
        """What it is here; None if it is not here."""
        return getattr(penstock, self.ours, None) if self.ours in penstock.__all__ else None


@cache
def surface() -> tuple[Entry, ...]:
    """All names, in order."""
    members: dict[str, list[str]] = {}
    for row in _rows("members.tsv"):
        members.setdefault(row["class"], []).append(row["member"])
    return tuple(
        Entry(
            name=row["name"],
            kind=row["kind"],
            group=row["group"],
            tier=int(row["tier"]),
            parameters=tuple(row["parameters"].split()),
            members=tuple(members.get(row["name"], ())),
        )
        for row in _rows("names.tsv")
    )


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (_SURFACE / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter="\t")


def gaps(entry: Entry) -> list[str]:
    """What of a name is not here: the name itself, or parameters and members, as `name(parameter)`, `Class.member`."""
    if entry.value is None:
        return [entry.name]
    missing = []
    accepted = _parameters(entry.value)
    if entry.name not in NOT_CONSTRUCTED and accepted is not None:
        renamed = PARAMETERS.get(entry.ours, {})
        missing += [f"{entry.name}({each})" for each in entry.parameters if renamed.get(each, each) not in accepted]
    missing += [f"{entry.name}.{each}" for each in entry.members if not _has(entry, each)]
    return missing


def _parameters(value: Any) -> set[str] | None:
    """The parameters that a call takes; None where it takes any, or is no call."""
    if not callable(value):
        return None
    try:
        found = inspect.signature(value).parameters
    except ValueError:
        return None
    if any(each.kind is each.VAR_KEYWORD for each in found.values()):
        return None
    return set(found)


def _has(entry: Entry, member: str) -> bool:
    cls = entry.value
    owners = [each.__name__ for each in getattr(cls, "__mro__", ())] or [entry.ours]
    for owner in owners:
        member = ATTRIBUTES.get(owner, {}).get(member, member)
    return hasattr(cls, member) or member in _attributes(cls if isinstance(cls, type) else type(cls))


@cache
def _attributes(cls: type) -> frozenset[str]:
    """What objects of a class have besides what the class itself has: fields, and what its methods set."""
    found: set[str] = set()
    for each in cls.__mro__:
        found.update(getattr(each, "__annotations__", ()))
        if each.__module__.startswith("penstock") and issubclass(type(each), type):
            found.update(_set_in(each))
    return frozenset(found)


def _set_in(cls: type) -> Iterator[str]:
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, TypeError, SyntaxError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


_HEAD = """# Compatibility with Dagster

<!-- Written by scripts/write-reference; edit the code's own texts instead. -->

Every public name of Dagster 1.13 that projects use, and what it is here. `import penstock.compat as dg` takes the old
spellings; `penstock migrate` rewrites a project to the new ones. See also
[moving from Dagster](../moving-from-dagster.md).

- **done**: the name is here with its known meaning, and with all its parameters and members that are not hidden or
  deprecated.
- **differs**: it is here; the note says what is otherwise, and why.
- **left out**: it is not here; the note says why.

Tier 1 names stand in almost every project, tier 2 names are common, tier 3 names are rare. Hidden parameters, those
that Dagster itself has deprecated, components and hosted services are not part of the comparison.

"""


def compatibility_page() -> str:
    """The page of all names."""
    rows, counts = [], {"done": 0, "differs": 0, "left out": 0}
    for entry in sorted(surface(), key=lambda each: (each.tier, each.group, each.name.lower())):
        state, note = _state(entry)
        counts[state] += 1
        ours = f"`{entry.ours}`" if entry.value is not None else ""
        rows.append(f"| {entry.tier} | {entry.group} | `{entry.name}` | {ours} | {state} | {note} |\n")
    summary = ", ".join(f"{count} {state}" for state, count in counts.items())
    table = "| tier | group | Dagster | Penstock | state | note |\n|---|---|---|---|---|---|\n"
    return f"{_HEAD}{len(rows)} names: {summary}.\n\n{table}{''.join(rows)}"


def _state(entry: Entry) -> tuple[str, str]:
    if entry.value is None:
        return "left out", _cell(LEFT_OUT.get(entry.name, ""))
    notes = [text for key, text in DIFFERENT.items() if re.split(r"[.(]", key)[0] == entry.name and key == entry.name]
    for key, text in DIFFERENT.items():
        if key != entry.name and re.split(r"[.(]", key)[0] == entry.name:
            notes.append(f"`{key[len(entry.name) :].strip('.()')}`: {text}")
    return ("differs" if notes else "done"), _cell(" ".join(notes))


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
