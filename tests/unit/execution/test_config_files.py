"""Run configs in files, texts and packages, merged into one."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock import config_from_files, config_from_pkg_resources, config_from_yaml_strings
from penstock.errors import SettingsError


def test_texts_are_merged_and_the_last_counts() -> None:
    merged = config_from_yaml_strings(["a: {b: 1, c: 2}", "a: {c: 3}\nd: [1]", ""])
    assert merged == {"a": {"b": 1, "c": 3}, "d": [1]}


def test_files_may_be_named_by_a_pattern(tmp_path: Path) -> None:
    for name, text in (("1.yaml", "a: {b: [1]}"), ("2.yaml", "a: {b: [2]}"), ("other.yaml", "c: 1")):
        (tmp_path / name).write_text(text)
    assert config_from_files([str(tmp_path / "other.yaml"), str(tmp_path / "?.yaml")]) == {"a": {"b": [2]}, "c": 1}


def test_files_may_be_inside_of_a_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "kept_configs"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "run.yaml").write_text("a: 1")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert config_from_pkg_resources([("kept_configs", "run.yaml")]) == {"a": 1}
    for place in (("kept_configs", "none.yaml"), ("no_such_package", "run.yaml")):
        with pytest.raises(SettingsError, match=f"Cannot read {place[1]} of the package {place[0]}"):
            config_from_pkg_resources([place])


def test_mistakes_name_the_file_and_the_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'none\*\.yaml' names no file"):
        config_from_files(["none*.yaml"])
    (tmp_path / "bad.yaml").write_text("a: [\n")
    with pytest.raises(SettingsError, match=r"bad\.yaml:2:1: not valid YAML"):
        config_from_files([tmp_path / "bad.yaml"])
    with pytest.raises(SettingsError, match="YAML text 2 holds an int; a run config is a mapping"):
        config_from_yaml_strings(["a: 1", "3"])
