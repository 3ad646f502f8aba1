"""The GraphQL documents of the pages, as they stand in the sources of the UI."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["MUTATIONS", "QUERIES", "document"]

_SOURCES = Path(__file__).parents[2] / "ui" / "src"
_DOCUMENT = re.compile(r"const (\w+) = gql(?:<[^`]*>)?`(.*?)`", re.DOTALL)
_TEXTS = {name: text for path in sorted(_SOURCES.rglob("*.ts*")) for name, text in _DOCUMENT.findall(path.read_text())}


def _named(kind: str) -> dict[str, str]:
    found = ((re.search(rf"\b{kind} (\w+)", text), name) for name, text in _TEXTS.items())
    return {match[1]: name for match, name in found if match is not None}


QUERIES = _named("query")
"""The constant that holds the document, by the operation's name."""

MUTATIONS = _named("mutation")
"""The same, of what changes something."""


def document(constant: str) -> str:
    """A document with the fragments that it names."""
    return re.sub(r"\$\{(\w+)\}", lambda found: document(found.group(1)), _TEXTS[constant])
