"""Figures as tables for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

__all__ = ["tables"]

Found = Mapping[str, Mapping[str, float]]
"""Figures by subject and name."""


def tables(found: Found, databases: Sequence[str]) -> str:
    """The figures beside each other; those of storage, whose names begin with a database, in a table of their own."""
    mine = found["penstock"]
    plain = [name for name in mine if not name.startswith(tuple(databases))]
    stored = dict.fromkeys(name.partition(": ")[2] for name in mine if name not in plain)
    parts = []
    if plain:
        parts.append(_table(["figure", "penstock", "peer", "ratio"], [[name, *_beside(found, name)] for name in plain]))
    if stored:
        columns = [title for database in databases for title in (database, "peer", "ratio")]
        rows = [[name, *(each for base in databases for each in _beside(found, f"{base}: {name}"))] for name in stored]
        parts.append(_table(["figure", *columns], rows))
    return "\n\n".join(parts)


def _beside(found: Found, name: str) -> tuple[str, str, str]:
    mine, theirs = found["penstock"].get(name), found["peer"].get(name)
    return _show(mine), _show(theirs), _ratio(name, mine, theirs)


def _ratio(name: str, mine: float | None, theirs: float | None) -> str:
    """How many times better ours is: more a second, or less of anything else."""
    if not mine or not theirs:
        return ""
    times = mine / theirs if name.endswith("/s") else theirs / mine
    return f"{times:,.0f}x" if times >= 10 else f"{times:.1f}x"


def _show(value: float | None) -> str:
    """Three digits."""
    return "" if value is None else f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = [
        " | ".join(
            (row[0].ljust(widths[0]), *(each.rjust(width) for each, width in zip(row[1:], widths[1:], strict=True)))
        )
        for row in (titles, *rows)
    ]
    rule = "|".join(("-" * (widths[0] + 2), *("-" * (width + 1) + ":" for width in widths[1:])))
    return "\n".join([f"| {lines[0]} |", f"|{rule}|", *(f"| {line} |" for line in lines[1:])])
