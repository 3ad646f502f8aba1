"""`dagster.yaml` becomes a `penstock.yaml` that Penstock reads, whatever it held."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.instance.settings import Settings
from penstock.instance.settings_file import file_schema, read_settings
from penstock.migrate.instance_file import rewrite_instance_file
from penstock.migrate.model import Rewritten


def rewrite(text: str) -> Rewritten:
    return rewrite_instance_file(textwrap.dedent(text).lstrip(), file_schema())


def test_comments_and_known_settings_stay_where_they_are() -> None:
    told = rewrite("""
        # Ours.
        run_queue:  # the queue
          max_concurrent_runs: 5
          # Not twice.
          tag_concurrency_limits:
            - key: db
              limit: 1
          dequeue_interval_seconds: 3

        # No news.
        telemetry:
          enabled: false

        schedules:
          num_workers: 4
    """)
    assert (
        told.text
        == textwrap.dedent("""
        # Ours.
        run_queue:  # the queue
          max_concurrent_runs: 5
          # Not twice.
          tag_concurrency_limits:
            - key: db
              limit: 1
        #   dequeue_interval_seconds: 3

        # No news.
        # telemetry:
        #   enabled: false

        schedules:
          num_workers: 4
    """).lstrip()
    )
    assert [(note.line, note.text.partition(":")[0]) for note in told.notes] == [
        (8, "run_queue.dequeue_interval_seconds")
    ]


QUEUE = {"run_queue": {"max_concurrent_runs": 3}}
LOGS = {"compute_logs": {"local": {"base_dir": "/l"}}}
ARTIFACTS = {"local_artifact_storage": {"base_dir": "/a"}}
PARTS = {"username": "me", "password": {"env": "HOME_OF_DATA"}, "hostname": "db", "db_name": "runs", "port": 5433}
POSTGRES = {"storage": {"postgres": {"postgres_db": PARTS}}}
POSTGRES_URL = {"storage": {"postgres": {"postgres_url": {"env": "HOME_OF_DATA"}}}}
BY_ENV = {"storage": {"sqlite": {"base_dir": {"env": "HOME_OF_DATA"}}}}


def component(key: str, name: str, **config: Any) -> str:
    return yaml.safe_dump({key: {"module": "dagster.x", "class": name, **({"config": config} if config else {})}})


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        (component("run_coordinator", "QueuedRunCoordinator", max_concurrent_runs=3), QUEUE, 0),
        (component("run_coordinator", "QueuedRunCoordinator", dequeue_use_threads=True), {"run_queue": {}}, 1),
        (component("run_coordinator", "QueuedRunCoordinator"), None, 0),
        (component("run_coordinator", "DefaultRunCoordinator"), {"run_coordinator": "immediate"}, 0),
        (component("run_coordinator", "OurOwn"), None, 1),
        (component("run_launcher", "DefaultRunLauncher"), None, 0),
        (component("run_launcher", "K8sRunLauncher", job_image="x"), None, 1),
        (component("compute_logs", "LocalComputeLogManager", base_dir="/l"), LOGS, 0),
        (component("compute_logs", "S3ComputeLogManager", bucket="b"), None, 1),
        (component("local_artifact_storage", "LocalArtifactStorage", base_dir="/a"), ARTIFACTS, 0),
        (component("run_storage", "SqliteRunStorage", base_dir="/s"), {"storage": {"sqlite": {"base_dir": "/s"}}}, 0),
        (component("event_log_storage", "SqliteEventLogStorage", base_dir="/s"), None, 0),
        (component("run_storage", "PostgresRunStorage"), None, 1),
        (component("run_storage", "PostgresRunStorage", postgres_db=PARTS | {"scheme": "postgresql"}), POSTGRES, 0),
        (component("run_storage", "PostgresRunStorage", postgres_url={"env": "HOME_OF_DATA"}), POSTGRES_URL, 0),
        (component("event_log_storage", "PostgresEventLogStorage", postgres_db=PARTS), None, 0),
        (component("schedule_storage", "PostgresScheduleStorage", postgres_db=PARTS), None, 0),
        (yaml.safe_dump(POSTGRES), POSTGRES, 0),
        (
            yaml.safe_dump(POSTGRES_URL) + "    auth_provider: {gcp_wif: {}}\n",
            POSTGRES_URL,
            1,
        ),
        ("storage:\n  mysql:\n    mysql_url: x\n", None, 1),
        (component("scheduler", "DagsterDaemonScheduler"), None, 0),
        (component("scheduler", "DagsterDaemonScheduler", max_catchup_runs=3), None, 1),
        ("storage:\n  sqlite:\n    base_dir: {env: HOME_OF_DATA}\n", BY_ENV, 0),
        (
            "concurrency:\n  pools:\n    default_limit: 3\n    granularity: run\n",
            {"concurrency": {"pools": {"default_limit": 3, "granularity": "run"}}},
            0,
        ),
        (
            "concurrency:\n  default_op_concurrency_limit: 3\n",
            {"concurrency": {"default_op_concurrency_limit": 3}},
            0,
        ),
        (
            "run_queue:\n  block_op_concurrency_limited_runs:\n    enabled: false\n",
            {"run_queue": {"block_op_concurrency_limited_runs": {"enabled": False}}},
            0,
        ),
        (
            "concurrency:\n  runs:\n    max_concurrent_runs: 2\n",
            {"concurrency": {"runs": {"max_concurrent_runs": 2}}},
            0,
        ),
        ("run_monitoring: {enabled: true, max_runtime_seconds: 5}\n", None, 1),
        ("run_monitoring:\n  enabled: true\n", None, 1),
        ("made_up:\n  a: 1\n", None, 1),
        ("nux: {enabled: false}\n", None, 0),
        ("", None, 0),
    ],
)
def test_each_setting_has_its_place_or_a_note(before: str, after: Any, notes: int, tmp_path: Path) -> None:
    told = rewrite_instance_file(before, file_schema())
    assert yaml.safe_load(told.text) == after
    assert len(told.notes) == notes
    (tmp_path / "penstock.yaml").write_text(told.text)
    assert isinstance(read_settings(tmp_path, {"HOME_OF_DATA": "/d"}), Settings)


def test_no_yaml_is_told() -> None:
    told = rewrite_instance_file("a: [", file_schema())
    assert told.text == "a: ["
    assert "no YAML" in told.notes[0].text


def test_how_long_ticks_are_kept_comes_over(tmp_path: Path) -> None:
    told = rewrite("""
        retention:
          schedule:
            purge_after_days: 90
          sensor:
            purge_after_days:
              skipped: 7
              started: 3
          auto_materialize:
            purge_after_days: 2
    """)
    assert [note.text.partition(":")[0] for note in told.notes] == [
        "retention.sensor.purge_after_days.started",
        "retention.auto_materialize",
    ]
    (tmp_path / "penstock.yaml").write_text(told.text)
    kept = read_settings(tmp_path).retention
    assert (kept.schedule.purge_after_days.success, kept.sensor.purge_after_days.skipped) == (90, 7)
    assert kept.sensor.purge_after_days.failure == 30
