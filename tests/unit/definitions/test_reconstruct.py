"""Jobs by the way in which other processes can load them again."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import JobDefinition, build_reconstructable_job, graph, job, op, reconstructable
from penstock.errors import DefinitionError, NotFoundError, UsageError


@op
def nothing() -> None: ...


@job
def declared() -> None:
    nothing()


def made() -> JobDefinition:
    return declared


def test_a_job_and_a_function_that_gives_one() -> None:
    for target in (declared, made):
        given = reconstructable(target)
        assert (given.module, given.name) == (__name__, target.name if isinstance(target, JobDefinition) else "made")
        assert given.get_definition() is declared
        # Another process imports it.
        again = pickle.loads(pickle.dumps(given))
        assert again.get_definition() is declared


def test_a_function_with_arguments(tmp_path: Path) -> None:
    (tmp_path / "of_a_factory.py").write_text(
        "from penstock import graph, op\n"
        "@op\n"
        "def nothing(): ...\n"
        "def make(name, *, description):\n"
        "    @graph(name=name, description=description)\n"
        "    def inside():\n"
        "        nothing()\n"
        "    return inside\n"
        "number = 3\n"
    )
    before = list(sys.path)
    given = build_reconstructable_job("of_a_factory", "make", ["mine"], {"description": "Mine."}, str(tmp_path))
    definition = given.get_definition()
    assert (definition.name, definition.description) == ("mine", "Mine.")
    assert sys.path == before
    with pytest.raises(NotFoundError, match="'mak'"):
        build_reconstructable_job("of_a_factory", "mak", reconstructor_working_directory=str(tmp_path)).get_definition()
    with pytest.raises(DefinitionError, match=r"of_a_factory\.number gives 3"):
        build_reconstructable_job("of_a_factory", "number").get_definition()


def test_what_no_process_could_load_again_is_refused() -> None:
    @job
    def local() -> None:
        nothing()

    @graph
    def inner() -> None:
        nothing()

    targets: list[Any] = [local, lambda: declared]
    for target in targets:
        with pytest.raises(UsageError, match="not at the level of its module"):
            reconstructable(target)
    with pytest.raises(UsageError, match="by no function"):
        reconstructable(inner.to_job())
