"""An error of user code begins with the user's lines, and ours about something missing is its text alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.definitions.load import load_definitions
from penstock.locations.user_first import describe_user_first
from penstock.records.code_target import CodeTarget
from penstock.records.errors import ErrorInfo


def told_about_loading(target: CodeTarget) -> ErrorInfo:
    with pytest.raises(Exception, match=r".") as raised:
        load_definitions(target)
    return describe_user_first(raised.value.with_traceback(raised.tb.tb_next))  # without the frame of this function


def test_the_import_system_s_frames_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "raises_at_import.py"
    path.write_text("def inner():\n    raise ValueError('no')\n\ninner()\n")
    told = told_about_loading(CodeTarget(module_name="raises_at_import", working_directory=str(tmp_path)))
    assert [(frame.file, frame.line) for frame in told.frames] == [(str(path), 4), (str(path), 2)]


def test_a_wrong_definition_ends_with_the_user_s_line(tmp_path: Path) -> None:
    path = tmp_path / "wrong.py"
    path.write_text("from penstock import asset\n\n@asset(group_name='two words')\ndef a(): ...\n")
    told = told_about_loading(CodeTarget(python_file=str(path)))
    assert [(frame.file, frame.line) for frame in told.frames] == [(str(path), 3)]
    assert "two words" in told.message


def test_a_module_that_is_not_there_is_told_without_frames_or_cause(tmp_path: Path) -> None:
    told = told_about_loading(CodeTarget(module_name="no_such_module_of_mine", working_directory=str(tmp_path)))
    assert told.cause is None
    assert told.frames == ()
    assert "no_such_module_of_mine" in told.message
