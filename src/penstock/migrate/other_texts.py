"""Rewrites what other files say of the tool: its home in the environment, its settings file, its commands."""

from __future__ import annotations

import re
from functools import partial

from .model import Note, Rewritten
from .old_names import CLASS, COMMAND_LEFT, COMMANDS, HOME, VARIABLE
from .requirements import rewrite_requirement

__all__ = ["rewrite_other_text"]

_SETTINGS = re.compile(r"\bdagster\.ya?ml\b")
_LISTENING = ("penstock webserver", "penstock code-server")
_HOST = re.compile(r"(?<![\w-])-h(?![\w-])")
"""The short form of `--host` there, and of `--help` here."""
_INSTALL = re.compile(r"\b(?:pip|uv) (?:install|add)\b")
_PACKAGE = re.compile(r"(?<![\w/.-])(dagster|dagit)[\w-]*(?![\w/.-])")


def rewrite_other_text(text: str) -> Rewritten:
    """A script, container file, environment file or the like. Comments are left alone."""
    lines: list[str] = []
    notes: list[Note] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if line.lstrip().startswith("#"):
            lines.append(line)
            continue
        new = _SETTINGS.sub("penstock.yaml", line)
        for old, ours in HOME.items():
            new = re.sub(rf"\b{old}\b", ours, new)
        for pattern, ours in COMMANDS:
            found = pattern.search(new)
            if found is not None:
                new = pattern.sub(partial(_as_written, ours), new)
                if ours in _LISTENING:
                    new = _HOST.sub("--host", new)
        if _INSTALL.search(new):
            new = _PACKAGE.sub(lambda found: rewrite_requirement(found[0], lambda _: None) or "penstock", new)
        left = COMMAND_LEFT.search(new) or CLASS.search(new) or (_PACKAGE.search(new) if _INSTALL.search(new) else None)
        variable = VARIABLE.search(new)
        if variable is not None:
            notes.append(
                Note(number, f"{variable[0]}: Penstock reads no such variable; see docs/reference/settings.md.")
            )
        elif left is not None:
            notes.append(Note(number, f"{left[0]}: Penstock has nothing of this name; say what it shall be."))
        lines.append(new)
    return Rewritten("".join(lines), tuple(notes))


def _as_written(words: str, old: re.Match[str]) -> str:
    """A command as items of a list where it stands in one."""
    before = old.string[old.start() - 1 : old.start()]
    return words.replace(" ", f"{before}, {before}") if before in ("'", '"') else words
