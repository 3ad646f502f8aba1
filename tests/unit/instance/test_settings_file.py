"""`penstock.yaml`: what it may say, and what is said about mistakes."""

from __future__ import annotations

import traceback
from pathlib import Path

import msgspec
import pytest

from penstock.engine.pools import PoolRules
from penstock.engine.queue import QueueLimits, TagLimit
from penstock.errors import SettingsError
from penstock.instance.instance import Instance
from penstock.instance.postgres import open_postgres
from penstock.instance.reference import InstanceRef
from penstock.instance.settings import (
    FILE_NAME,
    Component,
    PostgresParts,
    PostgresSettings,
    RunWorkerSettings,
    Settings,
    render_settings,
)
from penstock.instance.settings_file import read_settings
from penstock.storage.composite import CompositeStorage
from penstock.storage.following import Followed
from penstock.storage.postgres import PostgresStorage
from penstock.storage.upkeep import Tended


def read(home: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (home / FILE_NAME).write_text(text, encoding="utf-8")
    return read_settings(home, environ or {})


def test_without_a_file_all_is_default(tmp_path: Path) -> None:
    settings = read_settings(tmp_path)
    assert settings == Settings()
    assert settings.run_queue.max_concurrent_runs == 10


def test_every_key_is_read(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        """
storage: {sqlite: {base_dir: {env: DATA}}}
local_artifact_storage: {base_dir: values}
compute_logs: {local: {base_dir: /var/logs}}
run_coordinator: {module: acme.runs, class: Coordinator, config: {url: {env: URL}, retries: 3}}
run_launcher: local
run_monitoring: {start_timeout_seconds: 5, cancel_timeout_seconds: 6.5, max_runtime_seconds: 7}
schedules: {num_workers: 2}
sensors: {num_workers: 3}
code_servers: {local_startup_timeout: 10, reload_timeout: 20}
""",
        {"DATA": "data", "URL": "http://queue"},
    )
    assert settings.storage.sqlite is not None
    assert settings.storage.sqlite.base_dir == "data"
    assert settings.run_coordinator is not None
    assert settings.run_coordinator.cls == "Coordinator"
    assert settings.run_coordinator.config == {"url": "http://queue", "retries": 3}
    assert settings.run_launcher is not None
    assert settings.run_launcher.cls == "LocalRunLauncher"
    assert settings.run_monitoring.cancel_timeout_seconds == 6.5
    assert (settings.schedules.num_workers, settings.sensors.num_workers) == (2, 3)
    assert settings.code_servers.reload_timeout == 20


def test_a_postgres_database_is_named_by_its_parts_or_its_url(tmp_path: Path) -> None:
    parts = read(
        tmp_path,
        """
storage:
  postgres:
    postgres_db:
      username: {env: DB_USER}
      password: {env: DB_PASSWORD}
      hostname: db.internal
      db_name: runs
      port: {env: DB_PORT}
      params: {sslmode: require, sslpassword: hush}
""",
        {"DB_USER": "me", "DB_PASSWORD": "hush", "DB_PORT": "6432"},
    )
    assert parts.storage.postgres == PostgresSettings(
        postgres_db=PostgresParts(
            username="me",
            password="hush",
            hostname="db.internal",
            db_name="runs",
            port=6432,
            params={"sslmode": "require", "sslpassword": "hush"},
        )
    )
    url = read(tmp_path, "storage: {postgres: {postgres_url: {env: DB}}}", {"DB": "postgresql://me:hush@db/runs"})
    assert url.storage.postgres == PostgresSettings(postgres_url="postgresql://me:hush@db/runs")
    for settings in (parts, url):
        assert "hush" not in render_settings(settings)
    assert "db.internal" in render_settings(parts)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{postgres_url: a, postgres_db: {username: a, hostname: b, db_name: c}}", "postgres_url"),
        ("{postgres_db: {username: a, hostname: b}}", "db_name"),
        ("{postgres_db: {username: a, hostname: b, db_name: c, port: 70000}}", "from 1 to 65535"),
        ("{postgres_db: {username: a, hostname: b, db_name: c, password: 9753}}", "hidden"),
        ("{postgres_url: a, pool_size: 0}", "from 1 to 1000"),
        ("{}", "postgres_url"),
    ],
)
def test_a_mistake_about_postgres_is_told_without_its_secrets(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as caught:
        read(tmp_path, f"storage: {{postgres: {text}}}")
    assert "9753" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:hush@[db/runs", "hush=x", "mysql://me:hush@db/runs"])
def test_a_url_that_cannot_be_read_is_told_without_its_password(url: str) -> None:
    with pytest.raises(SettingsError, match="postgresql://user:password@host") as caught:
        open_postgres(PostgresSettings(postgres_url=url))
    assert "hush" not in "".join(traceback.format_exception(caught.value))


def test_the_pool_s_bounds_reach_the_storage(tmp_path: Path) -> None:
    pool = "pool_size: 5, pool_wait_seconds: 2"
    settings = read(tmp_path, f"storage: {{postgres: {{postgres_url: 'postgresql://x', {pool}}}}}")
    assert settings.storage.postgres is not None
    storage = open_postgres(settings.storage.postgres)
    assert isinstance(storage, PostgresStorage)
    assert (storage._database.pool.size, storage._database.pool.patience) == (5, 2)


def test_a_url_may_name_a_driver() -> None:
    storage = open_postgres(PostgresSettings(postgres_url="postgresql+psycopg2://me:hush@db:5433/runs"))
    assert isinstance(storage, PostgresStorage)
    assert storage._database.name == "the Postgres database 'runs' on db:5433"


def test_an_empty_block_is_the_default(tmp_path: Path) -> None:
    assert read(tmp_path, "run_queue:\nsensors: {}\n") == Settings()


@pytest.mark.parametrize("place", ["run_queue:", "concurrency:\n  runs:"])
def test_limits_have_an_older_and_a_newer_place(tmp_path: Path, place: str) -> None:
    indent = "    " if "runs" in place else "  "
    limits = [
        "max_concurrent_runs: 3",
        "tag_concurrency_limits:",
        "  - {key: team, limit: 2}",
        "  - {key: db, value: main, limit: 1}",
        "  - {key: customer, value: {applyLimitPerUniqueValue: true}, limit: 4}",
    ]
    settings = read(tmp_path, place + "".join(f"\n{indent}{line}" for line in limits))
    assert settings.run_queue.max_concurrent_runs == 3
    assert settings.run_queue.limits.tag_limits == (
        TagLimit(key="team", limit=2),
        TagLimit(key="db", limit=1, value="main"),
        TagLimit(key="customer", limit=4, per_value=True),
    )


def test_runs_are_limited_by_job_and_by_location_and_their_turns_are_chosen(tmp_path: Path) -> None:
    text = "run_queue: {job_limits: {nightly: 2, '*': {env: EACH}}, location_limits: {shop: 0}, fair_share: false}"
    assert read(tmp_path, text, {"EACH": "5"}).run_queue.limits == QueueLimits(
        job_limits={"nightly": 2, "*": 5}, location_limits={"shop": 0}, fair_share=False
    )


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ("{nightly: -2}", '"run_queue.job_limits.nightly" must be at least 0, not -2'),
        ("{nightly: x}", '"run_queue.job_limits.nightly" must be a whole number'),
        ("3", '"run_queue.job_limits" must be a mapping'),
    ],
)
def test_a_mistaken_limit_of_a_job_is_told_with_its_name(tmp_path: Path, limits: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, f"run_queue: {{job_limits: {limits}}}")
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", PoolRules()),
        (
            "concurrency: {pools: {default_limit: 4, granularity: run, op_granularity_run_buffer: 2}}",
            PoolRules(default_limit=4, granularity="run", run_buffer=2),
        ),
        ("concurrency: {default_op_concurrency_limit: 3}", PoolRules(default_limit=3)),
        (
            "run_queue: {block_op_concurrency_limited_runs: {enabled: false, op_concurrency_slot_buffer: 5}}",
            PoolRules(holds_runs=False, run_buffer=5),
        ),
    ],
)
def test_the_rules_of_pools_have_older_and_newer_places(tmp_path: Path, text: str, rules: PoolRules) -> None:
    assert read(tmp_path, text).pool_rules == rules


def test_a_component_may_stand_directly_under_its_key(tmp_path: Path) -> None:
    settings = read(tmp_path, "storage: {module: acme.storage, class: Storage}\n")
    assert settings.storage.custom is not None
    assert settings.storage.custom.module == "acme.storage"


def test_all_mistakes_come_at_once_with_line_column_and_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read(
            tmp_path,
            "run_que:\n"
            "  max_concurrent_runs: 3\n"
            "sensors:\n"
            "  num_workers: many\n"
            "run_coordinator: imediate\n"
            "storage:\n"
            "  sqlite: {base_dir: a}\n"
            "  custom: {module: a, class: B}\n",
        )
    text = str(caught.value)
    assert "penstock.yaml has 4 mistakes" in text
    for part in (
        "penstock.yaml:1:1",
        '"run_queue"',
        ":4:3",
        "whole number",
        ":5:1",
        '"immediate"',
        ":6:1",
        "exactly one",
    ):
        assert part in text, (part, text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("run_queue: {max_concurrent_runs: -2}", "at least -1, not -2"),
        ("sensors: {num_workers: 0}", "from 1 to 1000, not 0"),
        ("run_queue: {tag_concurrency_limits: [{key: a, limit: -1}]}", "tag_concurrency_limits.0.limit.*at least 0"),
        ("run_coordinator: immediate\nrun_queue: {max_concurrent_runs: 1}", "no effect with the run coordinator"),
        (
            "run_queue: {max_concurrent_runs: 1}\nconcurrency: {runs: {max_concurrent_runs: 1}}",
            "in run_queue and in concurrency.runs; keep one",
        ),
        ("concurrency: {runs: 3}", '"concurrency.runs" holds a mapping'),
        ("concurrency: {pool: {}}", '"pools"'),
        ("concurrency: {pools: {default_limit: 1001}}", "from 0 to 1000, not 1001"),
        ("concurrency: {pools: {granularity: step}}", "granularity"),
        (
            "concurrency: {pools: {granularity: run}, default_op_concurrency_limit: 3}",
            "older form of pools.default_limit",
        ),
        (
            """
            concurrency: {pools: {op_granularity_run_buffer: 1}}
            run_queue: {block_op_concurrency_limited_runs: {op_concurrency_slot_buffer: 1}}
            """,
            "in run_queue as op_concurrency_slot_buffer; keep one",
        ),
        ("storage: {}", "exactly one of"),
        ("run_launcher: {module: acme}", 'lacks the required field "class"'),
        ("sensors: {num_workers: {env: N}}", "N, which is not set"),
        ("run_launcher: {module: a, class: B, config: {token: {env: N}}}", "N, which is not set"),
        ("- a\n", "mapping"),
    ],
)
def test_mistakes(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read(tmp_path, text)


def test_the_settings_in_force_are_shown_without_what_may_be_secret(tmp_path: Path) -> None:
    settings = read(
        tmp_path, "run_coordinator: {module: acme, class: C, config: {password: hunter2, port: 4, more: {a: [pw]}}}\n"
    )
    shown = render_settings(settings)
    assert "hunter2" not in shown
    assert "pw" not in shown
    assert "port: 4" in shown
    assert "max_concurrent_runs: 10" in shown


def test_runs_may_be_found_elsewhere(tmp_path: Path) -> None:
    text = """
run_storage:
  module: support.memory_catalog
  class: MemoryCatalog
  config: {}
"""
    settings = read(tmp_path, text)
    assert settings.run_storage == Component(module="support.memory_catalog", cls="MemoryCatalog")
    storage = Instance.compose(tmp_path, settings).storage
    assert isinstance(storage, CompositeStorage)
    assert isinstance(storage, Tended)
    assert storage.upkeep.facts().place == str(tmp_path / "penstock.db")
    storage.close()
    url = read(
        tmp_path, "run_storage: {module: a, class: B, config: {url: {env: REDIS}}}", {"REDIS": "redis://:hush@r"}
    )
    assert url.run_storage is not None
    assert url.run_storage.config == {"url": "redis://:hush@r"}
    assert "hush" not in render_settings(url)
    sent = InstanceRef.of(tmp_path, msgspec.structs.replace(url, run_workers=RunWorkerSettings(storage="gateway")))
    assert b"hush" not in sent.encode()


def test_how_long_things_are_kept_is_set_by_kind(tmp_path: Path) -> None:
    text = """
        retention:
          events: {purge_after_days: 400}
          schedule: {purge_after_days: 90}
          sensor: {purge_after_days: {skipped: 7, success: -1, started: -1}}
    """
    kept = read(tmp_path, text).retention
    assert (kept.events.purge_after_days, kept.runs.purge_after_days, kept.compute_logs.purge_after_days) == (
        400,
        -1,
        30,
    )
    schedules, *sensors = (rule for rule in kept.rules if rule.kind == "ticks")
    assert (schedules.days, schedules.of, schedules.statuses) == (90, "SCHEDULE", ("SKIPPED", "SUCCESS", "FAILURE"))
    assert [(rule.days, rule.statuses) for rule in sensors] == [
        (7, ("SKIPPED",)),
        (-1, ("SUCCESS",)),
        (30, ("FAILURE",)),
    ]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("events: {purge_after_days: -2}", '"retention.events.purge_after_days" must be at least -1, not -2'),
        ("sensor: {purge_after_days: {started: 3}}", '"started" can only be -1 here: a tick that has not ended'),
        ("sensor: {purge_after_days: -5}", '"retention.sensor.purge_after_days.skipped" must be at least -1, not -5'),
        ("sensor: {purge_after_days: soon}", "purge_after_days"),
        (
            "auto_materialize: {purge_after_days: 3}",
            'automation conditions are evaluated by sensors. Write "retention.s',
        ),
    ],
)
def test_mistakes_about_what_is_kept(tmp_path: Path, said: str, told: str) -> None:
    with pytest.raises(SettingsError) as error:
        read(tmp_path, f"retention:\n  {said}\n")
    assert told in str(error.value)
    assert "penstock.yaml" in str(error.value)


def test_each_store_that_follows_can_be_named_alone(tmp_path: Path) -> None:
    named = {
        "run_storage": ("support.memory_catalog", "MemoryCatalog"),
        "event_log_storage": ("support.memory_events", "MemoryEvents"),
        "schedule_storage": ("support.memory_events", "MemoryTicks"),
    }
    for chosen in ([key] for key in named):
        text = "\n".join(f"{key}: {{module: {named[key][0]}, class: {named[key][1]}}}" for key in chosen)
        settings = read(tmp_path, text)
        assert list(settings.followers) == chosen
        storage = Instance.compose(tmp_path, settings).storage
        assert isinstance(storage, Followed)
        assert [follower.setting for follower in storage.followers] == chosen
        storage.close()
        InstanceRef.of(tmp_path, settings).import_components()
        kept = InstanceRef.of(
            tmp_path, msgspec.structs.replace(settings, run_workers=RunWorkerSettings(storage="gateway"))
        )
        assert kept.settings.followers == {}
