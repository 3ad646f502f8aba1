"""`penstock migrate`: a project is shown what changes, is changed, and then loads and runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.main import cli

from .old_project import FILES

TRY = """
from shop.definitions import defs
job = defs.get_job_def("doubling")
result = job.execute_in_process()
assert result.output_for_node("double") == 2
assets = defs.get_job_def("all_assets").execute_in_process()
made, = assets.asset_materializations_for_node("orders")
assert made.metadata["rows"].value == 3, made.metadata
assert [check.passed for check in assets.get_asset_check_evaluations()] == [True]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The project before it moves."""
    for name, text in FILES.items():
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["migrate", *map(str, arguments)], catch_exceptions=False)


def contents(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_without_write_nothing_changes(project: Path) -> None:
    told = run(project)
    assert told.exit_code == 0
    assert contents(project) == FILES
    assert "\n-import dagster as dg\n" in told.output
    assert "\n+import penstock as dg\n" in told.output
    assert "--- a/dagster.yaml\n+++ b/penstock.yaml\n" in told.output
    assert "unrelated.py" not in told.output
    assert "node_modules" not in told.output
    assert "shop/resources.py:4: dagster_duckdb:" in told.output
    assert told.output.endswith("files would change; run the command again with --write.\n")


def test_a_project_that_has_moved_loads_and_runs(project: Path) -> None:
    told = run(project, "--write")
    assert "Left to you (" in told.output
    assert "Changed " in told.output
    after = contents(project)
    assert "dagster.yaml" not in after
    assert after["shop/unrelated.py"] == FILES["shop/unrelated.py"]
    resources = project / "shop" / "resources.py"
    resources.write_text(resources.read_text().replace("from dagster_duckdb import DuckDBResource\n", ""))
    environment = {"PENSTOCK_HOME": str(project), "PYTHONPATH": f"{project}:{':'.join(sys.path)}"}
    done = subprocess.run(
        [sys.executable, "-c", TRY], cwd=project, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    again = run(project)
    assert again.output.endswith("Nothing to change.\n")


def test_one_file(project: Path) -> None:
    told = run(project / "shop" / "script.py", "--write")
    assert told.output.endswith("Changed 1 file. See that the project loads: penstock definitions validate\n")
    assert "open_penstock_pipes" in (project / "shop" / "script.py").read_text()
    assert contents(project)["pyproject.toml"] == FILES["pyproject.toml"]


def test_settings_that_are_there_are_not_overwritten(project: Path) -> None:
    (project / "penstock.yaml").write_text("{}")
    with pytest.raises(Exception, match=r"penstock\.yaml is there already"):
        run(project, "--write")
    assert (project / "penstock.yaml").read_text() == "{}"


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_bytes(b"import dagster # \xff")
    assert "x.py:1: This file is not in UTF-8" in run(tmp_path).output
