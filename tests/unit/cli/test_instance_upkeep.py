"""`penstock instance migrate` and `doctor`: what they say, and how they exit."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import yaml
from click.testing import CliRunner, Result

from penstock.cli.instance import instance
from penstock.instance.instance import Instance
from penstock.records.event import RunCanceled
from penstock.storage.postgres import PostgresStorage
from penstock.testing.storage_contract.builders import queued_run


def asked(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(instance, [*arguments, "--home", str(home)])


@contextmanager
def database(home: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(home / "penstock.db", isolation_level=None)
    yield connection
    connection.close()


def test_a_new_home_is_brought_up_to_date(tmp_path: Path) -> None:
    checked = asked(tmp_path, "migrate", "--check")
    assert checked.exit_code == 1
    assert "has no schema yet, and this version needs" in checked.output
    assert not (tmp_path / "penstock.db").exists()
    done = asked(tmp_path, "migrate")
    assert done.exit_code == 0
    assert "was brought from no schema yet to" in done.output
    for arguments in (["migrate", "--check"], ["migrate"]):
        current = asked(tmp_path, *arguments)
        assert current.exit_code == 0
        assert "is current" in current.output


def test_a_newer_database_is_refused_with_one_sentence(tmp_path: Path) -> None:
    asked(tmp_path, "migrate")
    with database(tmp_path) as connection:
        connection.execute("INSERT INTO schema_version VALUES (99, 0)")
    for arguments in (["migrate", "--check"], ["migrate"]):
        refused = asked(tmp_path, *arguments)
        assert refused.exit_code == 2
        assert "was made by a newer version of Penstock (schema 99" in refused.stderr
        assert refused.stderr.count("\n") == 1


def test_stores_that_follow_are_told_of(tmp_path: Path) -> None:
    module = "support.memory_events"
    (tmp_path / "penstock.yaml").write_text(
        yaml.safe_dump({"event_log_storage": {"module": module, "class": "MemoryEvents"}})
    )
    told = asked(tmp_path, "info")
    assert (told.exit_code, "events kind" in told.output) == (0, True)
    assert "event_log_storage  has everything" in told.output
    with Instance.open(tmp_path) as opened:
        queued_run(opened.storage, created=time.time() - 500)
    behind = asked(tmp_path, "info").output
    assert "event_log_storage  lacks what has happened since" in behind
    found = json.loads(asked(tmp_path, "doctor", "--json").output)
    assert [each["where"] for each in found if each["check"] == "follower"] == ["event_log_storage"]


def test_a_healthy_home(tmp_path: Path) -> None:
    asked(tmp_path, "migrate")
    found = asked(tmp_path, "doctor")
    assert (found.exit_code, found.output) == (0, "Nothing is wrong.\n")


def test_findings_are_told_for_people_and_as_json(tmp_path: Path) -> None:
    now = time.time()
    with Instance.open(tmp_path) as opened:
        run = queued_run(opened.storage)
        opened.storage.runs.claim([run.run_id], owner="gone", until=now - 300, now=now - 320)
    with database(tmp_path) as connection:
        connection.execute("DROP INDEX runs_by_job")
    found = asked(tmp_path, "doctor")
    assert found.exit_code == 1
    assert f"ERROR run: {run.run_id}\n  The run of nightly is STARTING and nobody works on it" in found.output
    assert "WARNING schema: runs.runs_by_job\n" in found.output
    assert found.output.endswith("1 error, 1 warning.\n")
    as_json = asked(tmp_path, "doctor", "--json")
    assert as_json.exit_code == 1
    assert [each["check"] for each in json.loads(as_json.output)] == ["run", "schema"]
    assert set(json.loads(as_json.output)[0]) == {"check", "severity", "where", "what", "remedy"}


def test_an_old_database_is_not_touched_by_the_doctor(tmp_path: Path) -> None:
    found = asked(tmp_path, "doctor")
    assert found.exit_code == 1
    assert "penstock instance migrate" in found.output
    assert not (tmp_path / "penstock.db").exists()


def test_settings_that_anybody_may_change_or_that_do_nothing_are_found(tmp_path: Path) -> None:
    settings = tmp_path / "penstock.yaml"
    settings.write_text("run_retries: {max_retries: 3}\n")
    settings.chmod(0o666)
    asked(tmp_path, "migrate")
    found = asked(tmp_path, "doctor")
    assert "ERROR permissions" in found.output
    assert "NOTE settings: penstock.yaml: run_retries.max_retries" in found.output


def test_derived_rows_are_compared_with_the_log(tmp_path: Path) -> None:
    now = time.time()
    with Instance.open(tmp_path) as opened:
        run = queued_run(opened.storage, created=now)
        whole = queued_run(opened.storage, created=now)
        for each in (run, whole):
            opened.storage.runs.record(each.run_id, [RunCanceled()], now=now)
    assert asked(tmp_path, "doctor", "--verify").output == "Nothing is wrong.\n"
    with database(tmp_path) as connection:
        connection.execute("UPDATE runs SET queued = 5 WHERE run_id = ?", (run.run_id,))
    assert asked(tmp_path, "doctor").exit_code == 0
    found = asked(tmp_path, "doctor", "--verify")
    assert found.exit_code == 1
    assert f"ERROR verify: run {run.run_id}\n  Queued is 5.0, and the log comes to {now}.\n" in found.output
    assert asked(tmp_path, "doctor", "--verify", "--run", whole.run_id).exit_code == 0
    assert asked(tmp_path, "doctor", "--verify", "--run", run.run_id).exit_code == 1
    assert "There is no run 'x'" in asked(tmp_path, "doctor", "--verify", "--run", "x").output
    assert "--run goes with --verify" in asked(tmp_path, "doctor", "--run", run.run_id).output


def test_a_user_of_the_database_who_may_only_use_it_is_served_too(tmp_path: Path, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        PostgresStorage(postgres_url).migrate()
        name = f"tool_user_{connection.info.backend_pid}"
        connection.execute(f"CREATE ROLE {name} LOGIN")
        try:
            connection.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}")
            url = psycopg.conninfo.make_conninfo(postgres_url, user=name)
            settings = {"storage": {"postgres": {"postgres_url": url}}}
            (tmp_path / "penstock.yaml").write_text(yaml.safe_dump(settings))
            found = asked(tmp_path, "doctor", "--json")
            assert found.exit_code == 0, found.output
            (note,) = json.loads(found.output)
            assert (note["check"], note["severity"]) == ("schema", "note")
            assert "permission denied" in note["what"]
        finally:
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")
