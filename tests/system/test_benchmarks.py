"""The benchmarks of storage run, on a history of a few hundred runs: what they measure is no matter here."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import binary

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder that the user of a Postgres server can reach, too."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder)
        path.chmod(0o755)
        yield path


@pytest.mark.parametrize("database", ["SQLite", "Postgres"])
def test_storage_is_measured(database: str, data: Path, tmp_path: Path) -> None:
    if database == "Postgres":
        binary("initdb")
    out = tmp_path / "figures.json"
    command = [sys.executable, "-m", "benchmarks", "--only", "storage", "--no-peer", "--scale", "0.0005"]
    run = subprocess.run(
        [*command, "--database", database, "--data", str(data), "--json", str(out)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    figures = json.loads(out.read_text())["penstock"]
    assert len(figures) == len(set(figures)) >= 25
    without_a_server = {"SQLite: CPU of an event, database server, µs"}
    assert {name for name, value in figures.items() if value <= 0} <= without_a_server
