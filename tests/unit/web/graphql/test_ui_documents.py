"""What the pages ask is valid, and within the limits of what is answered."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from penstock.web.graphql.execute import _prepare

SERVICES = Path(__file__).parents[4] / "ui" / "src"
DOCUMENT = re.compile(r"const (\w+) = gql(?:<[^`]*>)?`(.*?)`", re.DOTALL)
TEXTS = {name: text for path in sorted(SERVICES.rglob("*.ts*")) for name, text in DOCUMENT.findall(path.read_text())}
OPERATIONS = sorted(name for name, text in TEXTS.items() if re.search(r"\b(query|mutation)\b", text))


def whole(text: str) -> str:
    """A document with the fragments that it names."""
    return re.sub(r"\$\{(\w+)\}", lambda found: whole(TEXTS[found.group(1)]), text)


def test_there_are_documents() -> None:
    assert len(OPERATIONS) > 10


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_page_asks_what_is_answered(name: str) -> None:
    prepared = _prepare(whole(TEXTS[name]))
    assert [error.message for error in prepared.errors] == []
