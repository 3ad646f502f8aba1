"""Captured output as a download, and the ids in its address."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.ids import new_run_id


@pytest.fixture
def captured(deployment: Any) -> tuple[str, Path]:
    """A run id, and the file of its step's stdout."""
    run_id = new_run_id()
    path: Path = deployment.instance.logs.path((run_id, "compute_logs", "step[a]"), "stdout")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"line\n" * 200_000)
    path.with_suffix(".err").write_text("<script>alert(1)</script>")
    return run_id, path


def test_a_download(client: TestClient, captured: tuple[str, Path]) -> None:
    run_id, path = captured
    answer = client.get(f"/logs/{run_id}/step[a]/stdout")
    assert answer.status_code == 200
    assert answer.content == path.read_bytes()
    assert answer.headers["content-disposition"] == f'attachment; filename="{run_id}-step[a].stdout.txt"'


def test_nothing_of_it_is_shown_as_a_page(client: TestClient, captured: tuple[str, Path]) -> None:
    answer = client.get(f"/logs/{captured[0]}/step[a]/stderr")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


@pytest.mark.parametrize(
    "path",
    [
        "/logs/{run}/other/stdout",
        "/logs/{run}/step[a]/stdin",
        "/logs/{run}/..%2f..%2fpenstock/stdout",
        "/logs/{run}/../stdout",
        "/logs/%2e%2e/step[a]/stdout",
        "/logs/not-a-run/step[a]/stdout",
        "/logs/{other}/step[a]/stdout",
    ],
)
def test_no_address_leads_elsewhere(client: TestClient, captured: tuple[str, Path], path: str) -> None:
    answer = client.get(path.format(run=captured[0], other=new_run_id()))
    assert answer.status_code == 404 or answer.headers["content-type"].startswith("text/html")
    assert b"line" not in answer.content.replace(b"inline", b"")[:100]
