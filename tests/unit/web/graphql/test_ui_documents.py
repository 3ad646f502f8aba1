"""What the pages ask is valid, and within the limits of what is answered."""

from __future__ import annotations

import pytest

from penstock.web.graphql.execute import _prepare
from support.ui_documents import MUTATIONS, QUERIES, document

OPERATIONS = sorted({*QUERIES.values(), *MUTATIONS.values()})


def test_there_are_documents() -> None:
    assert len(OPERATIONS) > 10


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_page_asks_what_is_answered(name: str) -> None:
    prepared = _prepare(document(name))
    assert [error.message for error in prepared.errors] == []
