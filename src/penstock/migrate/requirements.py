"""Rewrites the names of packages that a project depends on."""

from __future__ import annotations

import re
from collections.abc import Callable

from .model import Note, Rewritten
from .old_names import INTEGRATIONS, PARTS, ROOT

__all__ = ["OURS", "rewrite_requirement", "rewrite_requirements_file"]

_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)\s*(?P<extras>\[[^\]]*\])?[^;#]*(?P<marker>;[^#]*)?")
OURS = "penstock"


def rewrite_requirement(text: str, tell: Callable[[str], None]) -> str | None:
    """What stands for a requirement.

    Args:
        text: The requirement, for example `dagster==1.13.*`.
        tell: Takes what is left to a person.

    Returns:
        The new requirement; None if none is needed, since the package is a part of Penstock.
    """
    found = _REQUIREMENT.fullmatch(text.strip())
    if found is None:
        return text
    name = re.sub(r"[._]", "-", found["name"].lower())
    if name == ROOT:
        marker = (found["marker"] or "").strip()
        return OURS + marker
    if name in PARTS:
        return None
    if INTEGRATIONS.fullmatch(name):
        tell(f"{found['name']}: an integration that needs {ROOT}; replace what you use of it, then drop this line.")
    return text


def rewrite_requirements_file(text: str) -> Rewritten:
    """A `requirements.txt` with our packages."""
    notes: list[Note] = []
    lines: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        plain, hash_, comment = line.partition("#")
        requirement = plain.strip()
        if not requirement or requirement.startswith("-"):
            lines.append(line)
            continue

        def tell(what: str, number: int = number) -> None:
            notes.append(Note(number, what))

        new = rewrite_requirement(requirement, tell)
        if new is None:
            continue
        lines.append(
            line if new == requirement else new + (f"  {hash_}{comment}" if hash_ else line[len(plain.rstrip()) :])
        )
    return Rewritten("".join(lines), tuple(notes))
