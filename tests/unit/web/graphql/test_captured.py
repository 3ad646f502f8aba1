"""Captured output in increments."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from penstock.ids import new_run_id
from penstock.testing.storage_contract.builders import started_run

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


MERGED = """query Q($run: ID!, $cursor: String, $text: String) {
    mergedLogs(runId: $run, cursor: $cursor, text: $text) {
        ... on MergedLogs { entries { event { message } fileKey stream text timestamp } cursor hasMore }
        ... on Error { message } } }"""


def test_carriage_returns_are_folded_and_what_is_left_out_is_said(ask: Any, capture: tuple[list[str], Path]) -> None:
    key, path = capture
    path.write_bytes(b" 1%\r 2%\r 3%\r\nlonely\0" + "é".encode()[:1])
    path.with_suffix(".gaps").write_text(f"stdout {path.stat().st_size} {path.stat().st_size + 5000}\n")
    with path.open("ab") as file:
        file.write(b"x" * 5000 + b"tail")
    read, cursor = "", None
    for _ in range(10):
        part = ask(QUERY, key=key, cursor=cursor)["capturedLogs"]
        cursor = part["cursor"]
        read += part["stdout"] or ""
    assert read == "\r 3%\nlonely\u2400\ufffd\n... 5,000 bytes left out ...\ntail"


def test_output_and_events_as_one_stream(deployment: Any, ask: Any) -> None:
    run = started_run(deployment.instance.storage)
    path: Path = deployment.instance.logs.path((run.run_id, "compute_logs", "extract"), "stderr")
    path.parent.mkdir(parents=True)
    path.with_suffix(".out").touch()
    path.write_text("\x1b[31mbad\x1b[0m\nfine\n")
    path.with_suffix(".marks").write_text("end 1.5 0 18\n")
    found = ask(MERGED, run=run.run_id)["mergedLogs"]
    assert [each["text"] for each in found["entries"] if each["event"] is None] == ["\x1b[31mbad\x1b[0m", "fine"]
    assert found["entries"][0] == {
        "event": None,
        "fileKey": "extract",
        "stream": "stderr",
        "text": "\x1b[31mbad\x1b[0m",
        "timestamp": "1500",
    }
    assert found["entries"][-1]["event"]["message"] == found["entries"][-1]["text"]
    again = ask(MERGED, run=run.run_id, cursor=found["cursor"])["mergedLogs"]
    assert (again["entries"], again["hasMore"]) == ([], False)
    assert [each["text"] for each in ask(MERGED, run=run.run_id, text="FINE")["mergedLogs"]["entries"]] == ["fine"]
    assert "no run" in ask(MERGED, run=new_run_id())["mergedLogs"]["message"]
