"""A Postgres server with its own defaults, whose files stay between measurements: nothing of it is tuned."""

from __future__ import annotations

import getpass
import os
import pwd
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import psycopg

__all__ = ["PostgresServer"]

_TICKS = os.sysconf("SC_CLK_TCK")


class PostgresServer:
    """A server on the cluster in a folder, which is made if need be; it runs until `close`.

    Args:
        folder: Where the cluster is. Somebody else than root must be able to reach it: the server refuses root.
    """

    def __init__(self, folder: Path) -> None:
        self._user = "postgres" if os.getuid() == 0 else getpass.getuser()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        if not (folder / "PG_VERSION").exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.chown(folder, self._user)
            options = ("--username", "bench", "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8")
            subprocess.run([_binary("initdb"), "-D", str(folder), *options], check=True, **self._quietly())
        listen = ("-p", str(self.port), "-c", "unix_socket_directories=", "-c", "listen_addresses=127.0.0.1")
        self._process = subprocess.Popen([_binary("postgres"), "-D", str(folder), *listen], **self._quietly())
        ready = [_binary("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "1"]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._process.poll() is None, f"the Postgres server in {folder} did not start"

    def url(self, database: str) -> str:
        """The URL of a database, which is made if need be."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (database,)).fetchone()
            if known is None:
                connection.execute(f"CREATE DATABASE {database}")
        return self._address(database)

    def drop(self, database: str) -> None:
        """Remove a database if it is there."""
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)")

    def cpu_seconds(self) -> float:
        """The CPU time that the server has used until now, in all of its processes."""
        own = _stat(self._process.pid)
        total = sum(own[11:15])  # its own, and that of its children that have ended
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                stat = _stat(int(folder.name))
            except OSError:
                continue
            if stat[1] == self._process.pid:
                total += stat[11] + stat[12]
        return total / _TICKS

    def close(self) -> None:
        """Stop it; open connections are ended."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(300)

    def _address(self, database: str) -> str:
        return f"postgresql://bench@127.0.0.1:{self.port}/{database}"

    def _quietly(self) -> dict[str, Any]:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": "/"}
        if os.getuid() == 0:
            quiet |= {"user": self._user, "group": pwd.getpwnam(self._user).pw_gid, "extra_groups": []}
        return quiet


def _stat(pid: int) -> list[int]:
    """The numbers of /proc/PID/stat that follow the name and the state; the state stands as 0."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [0, *map(int, fields[1:])]


def _binary(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = shutil.which(name, path=os.pathsep.join([*map(str, reversed(versions)), os.environ.get("PATH", "")]))
    assert found is not None, f"There is no {name} here; run scripts/setup-system."
    return found
