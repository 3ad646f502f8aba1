"""Fixtures that start real deployments."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.storage.sqlite.storage import SqliteStorage
from support.deployment import Deployment
from support.run_worker import Worker


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A fresh instance folder."""
    return tmp_path / "home"


@pytest.fixture
def start(home: Path, tmp_path: Path) -> Iterator[Callable[..., Deployment]]:
    """Starts deployments, and ends them after the test."""
    started: list[Deployment] = []

    def begin(*arguments: str, cwd: Path | None = None, extra_env: dict[str, str] | None = None) -> Deployment:
        deployment = Deployment(home, list(arguments), cwd=cwd or tmp_path, extra_env=extra_env)
        started.append(deployment)
        return deployment

    yield begin
    for deployment in started:
        deployment.close()


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """A run worker to start, and its storage."""
    for point in ("held", "helped", "leaving"):
        os.mkfifo(tmp_path / f"{point}.here")
        os.mkfifo(tmp_path / f"{point}.go")
    database = tmp_path / "penstock.db"
    storage = SqliteStorage(database)
    storage.migrate()
    made = Worker(tmp_path, storage, database)
    yield made
    if made.process is not None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(made.process.pid, signal.SIGKILL)
        made.process.communicate()
    if made.channel is not None:
        made.channel.close()
    storage.close()
