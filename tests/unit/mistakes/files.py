"""Mistakes in the files that Penstock reads: code, penstock.yaml, workspace.yaml."""

# mypy: ignore-errors
# Mistakes are what a type checker would tell of, too.

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock.definitions.load import load_definitions
from penstock.execution.config_files import config_from_files
from penstock.instance.settings_file import read_settings
from penstock.locations.workspace import read_workspace
from penstock.records.code_target import CodeTarget

from .table import mistake


def load(folder: Path, text: str) -> Any:
    path = folder / "shop.py"
    path.write_text(text)
    return load_definitions(CodeTarget(python_file=str(path)))


def workspace(folder: Path, text: str) -> Any:
    path = folder / "workspace.yaml"
    path.write_text(text)
    return read_workspace(path)


def settings(folder: Path, text: str) -> Any:
    (folder / "penstock.yaml").write_text(text)
    return read_settings(folder, {})


@mistake("A file without definitions")
def _(folder: Path) -> Any:
    return load(folder, "def orders(): ...\n")


@mistake("A file with two Definitions")
def _(folder: Path) -> Any:
    return load(folder, "import penstock as ps\n\nfirst = ps.Definitions()\nsecond = ps.Definitions()\n")


@mistake("A file that does not exist")
def _(folder: Path) -> Any:
    return load_definitions(CodeTarget(python_file=str(folder / "shpo.py")))


@mistake("A module that does not exist")
def _(folder: Path) -> Any:
    return load_definitions(CodeTarget(module_name="shpo.definitions", working_directory=str(folder)))


@mistake("A workspace.yaml with a mistyped key and a file that does not exist")
def _(folder: Path) -> Any:
    return workspace(folder, "load_from:\n  - python_flie: shop.py\n  - python_file: absent.py\n")


@mistake("A workspace.yaml that is no YAML")
def _(folder: Path) -> Any:
    return workspace(folder, "load_from:\n  - python_file: shop.py\n - python_file: other.py\n")


@mistake("A workspace.yaml without load_from")
def _(folder: Path) -> Any:
    return workspace(folder, "python_file: shop.py\n")


@mistake("A penstock.yaml with a mistyped key and a word for a number")
def _(folder: Path) -> Any:
    return settings(folder, "run_que:\n  max_concurrent_runs: 3\nsensors:\n  num_workers: many\n")


@mistake("A penstock.yaml with a run coordinator that is not there")
def _(folder: Path) -> Any:
    return settings(folder, "run_coordinator: imediate\n")


@mistake("A penstock.yaml that reads a variable that is not set")
def _(folder: Path) -> Any:
    return settings(folder, "storage:\n  sqlite: {base_dir: {env: SHOP_FOLDER}}\n")


@mistake("A penstock.yaml that is a list")
def _(folder: Path) -> Any:
    return settings(folder, "- run_queue\n")


@mistake("A run config in a file that holds a list")
def _(folder: Path) -> Any:
    path = folder / "run.yaml"
    path.write_text("- ops\n")
    return config_from_files([str(path)])
