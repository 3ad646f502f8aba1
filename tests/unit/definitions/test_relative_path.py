"""Paths of files beside a module."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock import file_relative_path


@pytest.mark.parametrize(
    ("relative", "path"), [("a.csv", "shop/a.csv"), ("../data/a.csv", "data/a.csv"), ("./x/../y", "shop/y")]
)
def test_a_path_from_the_folder_of_a_module(relative: str, path: str, tmp_path: Path) -> None:
    assert file_relative_path(f"{tmp_path}/shop/load.py", relative) == f"{tmp_path}/{path}"


def test_a_module_that_was_started_by_a_relative_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert file_relative_path("load.py", "a.csv") == f"{tmp_path}/a.csv"
