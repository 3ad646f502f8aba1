"""Captured output in increments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.ids import new_run_id

QUERY = """query Q($key: [String!]!, $cursor: String, $limit: Int) {
    capturedLogs(logKey: $key, cursor: $cursor, limit: $limit) { logKey stdout stderr cursor } }"""


@pytest.fixture
def capture(deployment: Any) -> tuple[list[str], Path]:
    """A log key, and the file that its stdout goes to."""
    run_id = new_run_id()
    key = (run_id, "compute_logs", "extract")
    path: Path = deployment.instance.logs.path(key, "stdout")
    path.parent.mkdir(parents=True)
    path.write_text("")
    return list(key), path


def test_only_what_is_new_is_given(ask: Any, capture: tuple[list[str], Path]) -> None:
    key, path = capture
    first = ask(QUERY, key=key)["capturedLogs"]
    assert first == {"logKey": key, "stdout": None, "stderr": None, "cursor": "0:0"}
    path.write_text("one\n")
    path.with_suffix(".err").write_text("bad\n")
    second = ask(QUERY, key=key, cursor=first["cursor"])["capturedLogs"]
    assert (second["stdout"], second["stderr"]) == ("one\n", "bad\n")
    path.write_text("one\ntwo\n")
    third = ask(QUERY, key=key, cursor=second["cursor"])["capturedLogs"]
    assert (third["stdout"], third["stderr"]) == ("two\n", None)


def test_a_character_that_is_being_written_waits(ask: Any, capture: tuple[list[str], Path]) -> None:
    key, path = capture
    euro = "€".encode()
    path.write_bytes(b"5 " + euro[:2])
    first = ask(QUERY, key=key)["capturedLogs"]
    assert first["stdout"] == "5 "
    path.write_bytes(b"5 " + euro + b"\n")
    assert ask(QUERY, key=key, cursor=first["cursor"])["capturedLogs"]["stdout"] == "€\n"


def test_a_limit_cuts_between_characters(ask: Any, capture: tuple[list[str], Path]) -> None:
    key, path = capture
    path.write_text("ä€" * 50)
    read, cursor = "", None
    for _ in range(200):
        part = ask(QUERY, key=key, cursor=cursor, limit=7)["capturedLogs"]
        cursor = part["cursor"]
        if part["stdout"] is None:
            break
        read += part["stdout"]
    assert read == "ä€" * 50


def test_bytes_that_are_no_text(ask: Any, capture: tuple[list[str], Path]) -> None:
    key, path = capture
    path.write_bytes(b"\xff\xfeok\n")
    assert ask(QUERY, key=key)["capturedLogs"]["stdout"] == "\ufffd\ufffdok\n"


@pytest.mark.parametrize(
    "key",
    [
        ["..", "compute_logs", "x"],
        [new_run_id(), "compute_logs", "../../etc/passwd"],
        [new_run_id(), "compute_logs", ".."],
        [new_run_id(), "elsewhere", "x"],
        ["x"],
        [],
    ],
)
def test_a_key_leads_nowhere_else(deployment: Any, key: list[str]) -> None:
    outcome = deployment.execute(QUERY, key=key)
    assert "There are no captured logs under the key" in outcome.body["errors"][0]["message"]
