"""The tools at work on a living deployment: nothing is wrong with it, and its history moves to another database."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.instance.instance import Instance
from penstock.records.asset import PartitionStatus
from support.deployment import Deployment

pytestmark = pytest.mark.system

CODE = """
import penstock


@penstock.asset(partitions_def=penstock.StaticPartitionsDefinition(["north", "south"]))
def sales(context):
    return penstock.MaterializeResult(metadata={"rows": 3})


@penstock.asset_check(asset=sales)
def has_rows():
    return penstock.AssetCheckResult(passed=True)


@penstock.op
def broken():
    raise RuntimeError("no")


@penstock.job
def fails():
    broken()


defs = penstock.Definitions(
    assets=[sales], asset_checks=[has_rows], jobs=[fails, penstock.define_asset_job("sell", "sales")]
)
"""


def tool(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "penstock.cli.main", "instance", *arguments],
        env={**os.environ, "PENSTOCK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


def findings(home: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(tool(home, "doctor", "--json", *arguments).stdout)
    return found


@pytest.fixture
def project(tmp_path: Path) -> Path:
    path = tmp_path / "project.py"
    path.write_text(CODE)
    return path


def test_a_living_deployment_is_healthy_and_its_history_moves_to_postgres(
    start: Callable[..., Deployment], home: Path, tmp_path: Path, project: Path, postgres_url: str
) -> None:
    other, archive = tmp_path / "other", tmp_path / "history.gz"
    deployment = start("-f", str(project))
    runs = [
        deployment.launch(
            "sell", location="project.py", executionMetadata={"tags": [{"key": "penstock/partition", "value": key}]}
        )
        for key in ("north", "south")
    ]
    runs.append(deployment.launch("fails", location="project.py"))
    ended = {run_id: deployment.wait_until_finished(run_id) for run_id in runs}
    assert findings(home, "--verify") == []
    refused = tool(home, "import", str(project))
    assert refused.returncode == 1
    assert "A daemon works on this instance" in refused.stderr
    exported = tool(home, "export", str(archive))
    assert "Wrote 3 runs" in exported.stdout, exported
    other.mkdir()
    settings = {"storage": {"postgres": {"postgres_url": postgres_url}}}
    (other / "penstock.yaml").write_text(yaml.safe_dump(settings))
    assert tool(other, "migrate", "--check").returncode == 1
    imported = tool(other, "import", str(archive))
    assert "new here: 3 runs" in imported.stdout, imported
    assert findings(other, "--verify") == []
    before = deployment.instance
    with Instance.open(other) as instance:
        for run_id, run in ended.items():
            assert instance.storage.runs.get(run_id) == run
        assert instance.storage.assets.states() == before.storage.assets.states()
        for told in (instance, before):
            made = told.storage.assets.partition_states("sales")
            assert {key: state.status for key, state in made.items()} == {
                "north": PartitionStatus.MATERIALIZED,
                "south": PartitionStatus.MATERIALIZED,
            }
            assert told.storage.assets.check_states(["sales"])["sales:has_rows"].status == "SUCCEEDED"


def test_a_location_that_does_not_load_is_found(start: Callable[..., Deployment], home: Path, project: Path) -> None:
    project.write_text("import nothing_of_that_name\n")
    start("-f", str(project))
    (found,) = findings(home)
    assert (found["check"], found["severity"], found["where"]) == ("location", "error", "project.py")
    assert "ModuleNotFoundError" in found["what"]
