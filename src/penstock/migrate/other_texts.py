"""Rewrites what other files say of the tool: its home in the environment, and its commands."""

from __future__ import annotations

import re

from .model import Note, Rewritten
from .old_names import COMMANDS, HOME, ROOT, VARIABLE

__all__ = ["rewrite_other_text"]

_WORD = re.compile(rf"\b({ROOT}|dg (dev|launch|check|scaffold|list)\b)", re.IGNORECASE)


def rewrite_other_text(text: str) -> Rewritten:
    """A script, container file, environment file or the like."""
    lines: list[str] = []
    notes: list[Note] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        new = line
        for old, ours in HOME.items():
            new = re.sub(rf"\b{old}\b", ours, new)
        for pattern, ours in COMMANDS:
            new = pattern.sub(ours, new)
        variable = VARIABLE.search(new)
        if variable is not None:
            notes.append(
                Note(number, f"{variable[0]}: Penstock reads no such variable; see docs/reference/settings.md.")
            )
        elif _WORD.search(new):
            notes.append(Note(number, f"{new.strip()[:80]!r} names the old tool; say what it shall be."))
        lines.append(new)
    return Rewritten("".join(lines), tuple(notes))
