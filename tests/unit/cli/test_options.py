"""What options stand for: the files of a run config, and the places in them that messages name."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.cli.options import naming_places, read_run_config
from penstock.config.check import check
from penstock.config.schema import Field, Scalar, Shape
from penstock.errors import InvalidRunConfigError

LOAD = Shape(fields={"limit": Field(type=Scalar(kind="int")), "name": Field(type=Scalar(kind="str"))})
SCHEMA = Shape(fields={"ops": Field(type=Shape(fields={"load": Field(type=LOAD)}))})


def test_each_mistake_names_the_file_and_line_that_it_is_at(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("ops:\n  load:\n    limit: x\n")
    second.write_text("ops:\n  load:\n    limit: 3\n    nam: y\nextra: 1\n")
    files = (first, second)
    with pytest.raises(InvalidRunConfigError) as caught, naming_places(files):
        check(SCHEMA, read_run_config(files, None), root="the run config").unwrap("The run config")
    told = str(caught.value).splitlines()
    assert told[0] == "The run config has 4 mistakes:"
    places = {line.split(": ")[0].removeprefix(f"  - {tmp_path}/") for line in told[1:]}
    assert places == {"first.yaml:3:5", "first.yaml:2:3", "second.yaml:4:5", "second.yaml:5:1"}
    assert len(caught.value.problems) == 4


def test_without_files_the_message_stays() -> None:
    with pytest.raises(InvalidRunConfigError) as caught, naming_places(()):
        check(SCHEMA, {}).unwrap("It")
    assert str(caught.value).startswith("It has a mistake:\n  - The config lacks")
