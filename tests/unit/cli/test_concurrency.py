"""`penstock instance concurrency`: limits are set, shown and deleted in the home that is named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.instance import instance
from penstock.errors import ConfigurationError
from penstock.instance.instance import Instance
from penstock.records.pool import SlotRequest
from penstock.testing.storage_contract.builders import queued_run


def run(home: Path, *arguments: str) -> str:
    result = CliRunner().invoke(instance, ["concurrency", *arguments, "--home", str(home)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_limit_is_set_shown_and_deleted(tmp_path: Path) -> None:
    (tmp_path / "penstock.yaml").write_text("concurrency: {pools: {default_limit: 7}}")
    assert run(tmp_path, "get", "--all") == "No pool has a limit, and none is in use.\n"
    assert run(tmp_path, "set", "db", "1") == "db has 1 slot now.\n"
    assert run(tmp_path, "get", "db").split() == ["POOL", "LIMIT", "TAKEN", "WAITING", "db", "1", "0", "0"]
    assert run(tmp_path, "get", "api").split()[4:] == ["api", "7", "(default)", "0", "0"]
    assert run(tmp_path, "delete", "db") == "db has the default limit (7) now.\n"
    assert run(tmp_path, "delete", "db") == "db had no limit of its own; it has the default limit (7).\n"


def test_who_holds_and_who_waits_is_shown(tmp_path: Path) -> None:
    run(tmp_path, "set", "db", "1")
    now = time.time()
    with Instance.open(tmp_path) as opened:
        started = queued_run(opened.storage)
        opened.storage.runs.claim([started.run_id], owner="server", until=now + 60, now=now)
        requests = [SlotRequest(step_key=step, pools=("db",), since=now) for step in ("a", "b")]
        opened.storage.slots.claim(started.run_id, 1, requests, now=now)
    lines = run(tmp_path, "get").splitlines()
    assert lines[1].split() == ["db", "1", "1", "1"]
    assert [(line.split()[2], line.split()[-1]) for line in lines[4:]] == [("a", "holds"), ("b", "waits")]


def test_mistakes(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot have 1001 slots; set a limit from 0 to 1000"):
        run(tmp_path, "set", "db", "1001")
    both = CliRunner().invoke(instance, ["concurrency", "get", "db", "--all", "--home", str(tmp_path)])
    assert both.exit_code == 2
    assert "not both" in both.output
