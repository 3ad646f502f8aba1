"""A Redis server for tests, on a socket in a folder of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

import pytest
import redis

from custom_run_storage.redis_runs import RedisRunStorage
from penstock.storage.composite import CompositeStorage
from penstock.storage.sqlite import SqliteStorage

__all__ = ["RedisServer", "composite_opener", "open_composite"]

_SECONDS = 20


class RedisServer:
    """A server that writes each change into its append-only file before it answers."""

    def __init__(self) -> None:
        program: str | None = shutil.which("redis-server")
        if program is None:
            reason = "Redis's server is not here; scripts/setup-system installs it."
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
        self._program = program
        self._folder = tempfile.TemporaryDirectory(prefix="penstock-redis-")
        self._socket = Path(self._folder.name) / "s.sock"
        self.url = f"unix://{self._socket}"
        self.start()

    def start(self) -> None:
        """Start it, also again after `kill`, and wait until it answers."""
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            [
                *(self._program, "--port", "0", "--unixsocket", str(self._socket), "--dir", self._folder.name),
                *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "eady to accept connections" in line:
                return
        raise AssertionError(f"redis-server ended with {self._process.wait()} before it was ready")

    def flush(self) -> None:
        """Forget everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self._process.kill()
        self._process.communicate(timeout=_SECONDS)

    def close(self) -> None:
        """End it and remove its folder."""
        self.kill()
        self._folder.cleanup()


def open_composite(path: Path, url: str, prefix: str) -> CompositeStorage:
    """A storage with runs in Redis and the rest in a SQLite file."""
    return CompositeStorage(SqliteStorage(path), RedisRunStorage(url, prefix=prefix))


def composite_opener(path: Path, url: str, prefix: str = "penstock:") -> partial[CompositeStorage]:
    """`open_composite` with its arguments, to be sent to other processes."""
    return partial(open_composite, path, url, prefix)
