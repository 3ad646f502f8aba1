"""The guide for newcomers, followed word by word: its code and its commands do what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.records.run import RunStatus
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "first-steps.md"


def part(heading: str) -> str:
    """What the guide says under a heading."""
    return GUIDE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]


def commands(heading: str) -> list[str]:
    """The commands of a part that end by themselves, in order."""
    blocks = re.findall(r"^```\n(.*?)^```", part(heading), re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines() if line.startswith("penstock ")]
    return [line for line in lines if not line.startswith("penstock dev")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the guide's code."""
    (code,) = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE)
    (tmp_path / "sales.py").write_text(code)
    return tmp_path


@pytest.fixture
def follow(folder: Path, home: Path) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs one of the guide's commands."""

    def run(line: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "penstock.cli.main", *shlex.split(line)[1:]],
            env={**os.environ, "PENSTOCK_HOME": str(home)},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


@pytest.mark.parametrize("start_method", ["fork", "spawn"])
def test_the_guide_does_what_it_says(
    start: Callable[..., Deployment],
    folder: Path,
    home: Path,
    follow: Callable[[str], subprocess.CompletedProcess[str]],
    start_method: str,
) -> None:
    home.mkdir()
    (home / "penstock.yaml").write_text(f"code_servers: {{start_method: {start_method}}}\n")
    for line in commands("Two assets"):
        done = follow(line)
        assert done.returncode == 0, done.stdout + done.stderr

    dev = start("-f", "sales.py", cwd=folder)
    outputs = [follow(line) for line in (*commands("With everything"), *commands("On a schedule"))]
    assert [done.returncode for done in outputs] == [0] * 4, [done.stderr for done in outputs]
    assert "SUCCESS" in outputs[1].stdout
    assert "daily_schedule: RUNNING" in outputs[3].stdout

    code = folder / "sales.py"
    loads = dev.instance.storage.locations
    loaded = dev.wait(lambda: loads.get("sales.py")).loaded_at
    code.write_text(code.read_text().replace("total = sum(orders)", "total = sum(orders) / 0"))
    dev.wait(lambda: (found := loads.get("sales.py")) and found.loaded_at != loaded)
    (launch,) = commands("When a step fails")
    failed = follow(launch)
    assert failed.returncode == 1
    assert "total = sum(orders) / 0" in failed.stderr

    found = follow("penstock run list --status FAILURE")
    run_id = found.stdout.splitlines()[1].split()[0]
    assert "ZeroDivisionError" in follow(f"penstock run show {run_id}").stdout
    assert (dev.home / "logs" / run_id / "orders.out").read_text() == "fetching 2024-02-04\n"
    runs = dev.instance.storage.runs.page(RunFilter(), limit=10)
    assert [run.status for run in runs] == [RunStatus.FAILURE, RunStatus.SUCCESS]
