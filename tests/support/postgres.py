"""A Postgres server for tests: a cluster in a temporary folder, which ends with the process that started it."""

from __future__ import annotations

import ctypes
import getpass
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from penstock.storage.postgres import PostgresStorage
from support.deployment import free_port

__all__ = ["PostgresServer", "binary", "given_server", "migrated", "scratch_database"]

_START_SECONDS = 60.0
_LOOK = 0.05
_SHOWN = 5000
_PR_SET_PDEATHSIG = 1
_SETTINGS = {
    "fsync": "off",  # the tests end servers and clients, not the machine
    "max_connections": "150",
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "log_min_messages": "warning",
}
_serial = itertools.count(1)


def given_server() -> str | None:
    """The URL of a server that PENSTOCK_TEST_PG names, whose user may make databases."""
    return os.environ.get("PENSTOCK_TEST_PG")


class PostgresServer:
    """A server that can be stopped and started again.

    Its databases are reached over TCP on this machine, without a password unless `password` is given.
    """

    def __init__(self, *, password: str | None = None) -> None:
        self.port = free_port()
        self.password = password
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-pg-", dir="/tmp"))
        self._data = self._folder / "data"
        self._user = _server_user()
        self._process: subprocess.Popen[bytes] | None = None
        shutil.chown(self._folder, self._user)
        secret = self._folder / "secret"
        secret.write_text(password or "unused")
        # Texts of other collations than ours would show that a comparison forgot to name its own.
        self._call(
            "initdb",
            *("--pgdata", str(self._data), "--username", "penstock", "--pwfile", str(secret), "--no-sync"),
            *("--auth", "trust" if password is None else "scram-sha-256", "--encoding", "UTF8"),
            *("--locale", "C.UTF-8", "--locale-provider", "icu", "--icu-locale", "en-US"),
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = {**_SETTINGS, "port": str(self.port), "unix_socket_directories": str(self._folder)}
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                [binary("postgres"), "-D", str(self._data), *(f"-c{key}={value}" for key, value in settings.items())],
                stdout=log,
                stderr=log,
                preexec_fn=_die_with_parent,
                cwd="/",
                **self._as_user(),
            )
        self._call("pg_isready", "-h", "127.0.0.1", "-p", str(self.port), "-t", "5", seconds=_START_SECONDS)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all connections ("fast"), SIGQUIT ends without a word ("immediate")."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(_START_SECONDS)
            self._process = None

    def stay_away(self, seconds: float) -> None:
        """Let an outage last: here time is what is tested, and nothing else ends it."""
        threading.Event().wait(seconds)

    def close(self) -> None:
        """Stop it and remove its files."""
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database of it."""
        secret = f":{quote(self.password, safe='')}" if self.password else ""
        return f"postgresql://penstock{secret}@127.0.0.1:{self.port}/{database}"

    def log(self) -> str:
        """What it has said."""
        return (self._folder / "log").read_text(errors="replace")

    def _as_user(self) -> dict[str, Any]:
        """A server refuses to run as root."""
        return {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []} if _is_root() else {}

    def _call(self, program: str, *arguments: str, seconds: float = 0.0) -> None:
        """Run a program until it succeeds, for as long as that; one that recovers from a crash says no at once."""
        deadline = time.monotonic() + seconds
        while True:
            done = subprocess.run(
                [binary(program), *arguments], check=False, capture_output=True, text=True, cwd="/", **self._as_user()
            )
            if done.returncode == 0:
                return
            if time.monotonic() >= deadline or (self._process is not None and self._process.poll() is not None):
                said = self.log()[-_SHOWN:] if (self._folder / "log").exists() else ""
                pytest.fail(f"{program} failed: {done.stdout}{done.stderr}{said}")
            threading.Event().wait(_LOOK)


@contextmanager
def scratch_database(server_url: str) -> Iterator[str]:
    """The URL of an empty database, which is gone afterwards."""
    name = f"penstock_{os.getpid()}_{next(_serial)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")
    parts = psycopg.conninfo.conninfo_to_dict(server_url) | {"dbname": name}
    try:
        yield psycopg.conninfo.make_conninfo("", **parts)
    finally:
        with psycopg.connect(server_url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def migrated(url: str) -> str:
    """The schema version of a database after it was brought up to date."""
    storage = PostgresStorage(url)
    storage.migrate()
    version = storage.describe()["schema"]
    storage.close()
    return version


@cache
def binary(name: str) -> str:
    """The path of a program of the server's; without one the test is skipped, in CI it fails."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(versions)), os.environ.get("PATH", "")]))
    if found is None:
        text = f"There is no {name} here; run scripts/setup-system, or name a server by PENSTOCK_TEST_PG."
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)
    return found


def _is_root() -> bool:
    return os.getuid() == 0


def _server_user() -> str:
    if not _is_root():
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


_libc = ctypes.CDLL(None)


def _die_with_parent() -> None:
    """In the server's process before it begins: it ends when the tests do, however they end."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)
