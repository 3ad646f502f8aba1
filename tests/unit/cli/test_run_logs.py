"""`penstock run logs`: one stream, chosen by step and source, followed to the run's end."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from penstock.cli.run import run
from penstock.instance.instance import Instance
from penstock.logs.keeper import topic_of
from penstock.logs.store import log_key
from penstock.records.event import LogLine, RunSuccess
from penstock.testing.storage_contract.builders import NOW, events_from, started_run

_TIME = re.compile(r"^[ 0-9:.]{12}  ", re.MULTILINE)


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    with Instance.open(tmp_path) as opened:
        yield opened


def printed(instance: Instance, run_id: str, step: str, text: str) -> None:
    """Let a step print to stdout, just after the run began."""
    path = instance.logs.files.path(log_key(run_id, step), "stdout") if instance.logs.files else None
    assert path is not None
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(text)
    path.with_suffix(".marks").write_text(f"end {NOW + 5!r} {path.stat().st_size} 0\n")


def asked(instance: Instance, *arguments: str) -> Result:
    return CliRunner().invoke(run, ["logs", "--home", str(instance.home), *arguments])


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return _TIME.sub("", result.output).splitlines()


def test_events_and_output_are_one_stream(instance: Instance) -> None:
    run_id = started_run(instance.storage).run_id
    printed(instance, run_id, "a", "\x1b[32mfrom a\x1b[0m\n")
    printed(instance, run_id, "b", "from b\n")
    told = events_from(2, [LogLine(level="INFO", message="told by a")], at=NOW + 9, step_key="a")
    instance.storage.events.append(run_id, 1, told, now=NOW)
    assert lines(asked(instance, run_id))[-3:] == ["stdout  [a] from a", "stdout  [b] from b", "events  [a] told by a"]
    assert lines(asked(instance, run_id, "--step", "a")) == ["stdout  [a] from a", "events  [a] told by a"]
    assert lines(asked(instance, run_id, "--source", "stdout")) == ["stdout  [a] from a", "stdout  [b] from b"]


def test_a_run_that_is_not_there(instance: Instance) -> None:
    assert "There is no run 'x'" in str(asked(instance, "x").exception)


def test_following_ends_with_the_run(instance: Instance) -> None:
    run_id = started_run(instance.storage).run_id
    printed(instance, run_id, "a", "first\n")
    results: list[Result] = []
    arguments = (run_id, "--follow", "--source", "stdout")
    follower = threading.Thread(target=lambda: results.append(asked(instance, *arguments)))
    follower.start()
    printed(instance, run_id, "a", "second\n")
    instance.storage.notifier.publish([topic_of(run_id)])
    instance.storage.events.append(run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 10)
    follower.join(30)
    assert not follower.is_alive()
    assert lines(results[0]) == ["stdout  [a] first", "stdout  [a] second"]
