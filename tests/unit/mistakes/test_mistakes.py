"""The commonest mistakes, and what those who make them are told: reviewed by reading `messages.md`.

`PENSTOCK_WRITE=1 pytest tests/unit/mistakes` writes the page anew; read what changed before it is stored.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import textwrap
from pathlib import Path

import pytest

from penstock.errors import InternalError, PenstockError

from .cases import MISTAKES

PAGE = Path(__file__).parent / "messages.md"
_HEAD = """# The commonest mistakes, and what people are told

Each is run by `test_mistakes.py`, which compares the messages with this page.
"""


def told(said: str) -> tuple[str, str]:
    """The error's name, and its message without this machine's paths."""
    with pytest.raises(PenstockError) as caught:
        MISTAKES[said]()
    assert not isinstance(caught.value, InternalError)
    message = re.sub(r"[\w./\-]*tests/unit/mistakes/cases\.py:\d+", "cases.py:LINE", str(caught.value))
    return type(caught.value).__name__, message


def code_of(said: str) -> str:
    """The code of the mistake, without the function around it."""
    lines = inspect.getsource(MISTAKES[said]).splitlines()
    body = ast.parse(textwrap.dedent("\n".join(lines))).body[0].body[0]  # type: ignore[attr-defined]
    first = min([body.lineno, *(each.lineno for each in getattr(body, "decorator_list", ()))])
    text = textwrap.dedent("\n".join(lines[first - 1 :]))
    return re.sub(r"  # type: ignore.*", "", text)


def section(said: str) -> str:
    """The part of the page about one mistake."""
    name, message = told(said)
    return f"\n## {said}\n\n```python\n{code_of(said)}\n```\n\n```text\n{name}: {message}\n```\n"


@pytest.mark.skipif("PENSTOCK_WRITE" not in os.environ, reason="writes the page only when asked to")
def test_write() -> None:
    PAGE.write_text(_HEAD + "".join(section(said) for said in MISTAKES), encoding="utf-8")


@pytest.mark.parametrize("said", MISTAKES)
def test_each_mistake_gets_the_message_that_was_reviewed(said: str) -> None:
    assert section(said) in PAGE.read_text(encoding="utf-8")


def test_the_page_has_nothing_else() -> None:
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == list(MISTAKES)
