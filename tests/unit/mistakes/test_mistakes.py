"""The commonest mistakes, and what those who make them are told: reviewed by reading `messages.md`.

`PENSTOCK_WRITE=1 pytest tests/unit/mistakes` writes the page anew; read what changed before it is stored.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.errors import InternalError, PenstockError

from . import assets, direct, files, ops, partitions, resources, sensors
from .table import MISTAKES

CHAPTERS = (ops, assets, resources, partitions, sensors, direct, files)
PAGE = Path(__file__).parent / "messages.md"
_HEAD = """# The commonest mistakes, and what people are told

Each is run by `test_mistakes.py`, which compares the messages with this page.
"""


def told(said: str, folder: Path) -> tuple[str, str]:
    """The error's name, and its message without this machine's paths and the lines of the files here."""
    function = MISTAKES[said]
    with pytest.raises(PenstockError) as caught:
        function(*([folder] if inspect.signature(function).parameters else []))
    assert not isinstance(caught.value, InternalError)
    message = str(caught.value).replace(f"{folder}/", "").replace(str(folder), "FOLDER")
    message = re.sub(rf"{re.escape(str(PAGE.parent))}/(\w+\.py):\d+", r"\1:LINE", message)
    return type(caught.value).__name__, message.replace(str(Path.cwd()), "HERE")


def code_of(said: str) -> str:
    """The code of the mistake, without the function around it."""
    lines = inspect.getsource(MISTAKES[said]).splitlines()
    (function,) = ast.parse(textwrap.dedent("\n".join(lines))).body
    assert isinstance(function, ast.FunctionDef)
    body = function.body[0]
    first = min([body.lineno, *(each.lineno for each in getattr(body, "decorator_list", ()))])
    return textwrap.dedent("\n".join(lines[first - 1 :]))


def section(said: str, folder: Path) -> str:
    """The part of the page about one mistake."""
    name, message = told(said, folder)
    return f"\n### {said}\n\n```python\n{code_of(said)}\n```\n\n```text\n{name}: {message}\n```\n"


def page(folder: Path) -> Iterator[str]:
    """The page in parts."""
    yield _HEAD
    for chapter in CHAPTERS:
        yield f"\n## {chapter.__doc__}\n"
        for said, function in MISTAKES.items():
            if function.__module__ == chapter.__name__:
                yield section(said, folder)


@pytest.fixture(scope="module", autouse=True)
def written(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The page, written anew where that is asked for."""
    if "PENSTOCK_WRITE" in os.environ:
        PAGE.write_text("".join(page(tmp_path_factory.mktemp("mistakes"))), encoding="utf-8")


@pytest.mark.parametrize("said", MISTAKES)
def test_each_mistake_gets_the_message_that_was_reviewed(said: str, tmp_path: Path) -> None:
    assert section(said, tmp_path) in PAGE.read_text(encoding="utf-8")


def test_the_page_has_nothing_else() -> None:
    headings = re.findall(r"^### (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(headings) == sorted(MISTAKES)
