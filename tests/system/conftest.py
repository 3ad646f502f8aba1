"""Fixtures that start real deployments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.deployment import Deployment


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
