"""The instances that are measured: both subjects' on both databases, with a history that is made once and kept.

What is kept lies in a data folder: a folder for each instance, and the files of one Postgres server for all databases.
An instance is made anew when what makes it has changed; a newer schema is what the program itself brings it to.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg

from ..subject import PEER_POSTGRES_VERSION, PEER_VERSION, ROOT, WORKLOADS, Subject
from .copy_to_postgres import copy_to_postgres
from .postgres_server import PostgresServer
from .seed_peer import PeerOnPostgres, PeerOnSqlite, PeerTables, read_made, seed_peer
from .seed_penstock import seed
from .world import World

__all__ = ["DATA", "DIALECTS", "Data", "Place"]

DATA = ROOT / ".make" / "bench-data"
DIALECTS = ("SQLite", "Postgres")
_HERE = Path(__file__).parent
_SAMPLE = WORKLOADS / "sample_peer.py"


@dataclass(frozen=True)
class Place:
    """Where an instance is: its home, its database where that is Postgres, and the variables that name it."""

    subject: Subject
    home: Path
    url: str | None

    @property
    def environment(self) -> dict[str, str]:
        """For the subject's processes."""
        settings = ""
        if self.url is not None:
            # The peer's driver is named: what its library takes for the default is another.
            url = self.url.replace("://", "+psycopg2://", 1) if self.subject.name == "peer" else self.url
            settings = f"storage: {{postgres: {{postgres_url: '{url}'}}}}\n"
        return {**self.subject.at_home(self.home, settings), "PYTHONPATH": str(ROOT)}

    def size(self) -> int:
        """The bytes of the database or of all database files, tables and indexes, without slack."""
        if self.url is not None:
            with psycopg.connect(self.url, autocommit=True) as post:
                post.execute("VACUUM ANALYZE")
                row = post.execute("SELECT pg_database_size(current_database())").fetchone()
                assert row is not None
                return int(row[0])
        total = 0
        for path in self.home.rglob("*.db"):
            with sqlite3.connect(path) as connection:
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            total += path.stat().st_size
        return total


class Data:
    """The data folder, and the Postgres server on it.

    Args:
        folder: Where to keep it. Root's own folders do not do: the server runs as another user.
        scale: 1 is the whole history; see `World.of_scale`.
    """

    def __init__(self, folder: Path, scale: float) -> None:
        self.scale = scale
        self._folder = folder.resolve() / f"scale-{scale:g}"
        self._postgres = folder.resolve() / "postgres"

    @cached_property
    def world(self) -> World:
        """The history; it ends when the folder was made."""
        self._folder.mkdir(parents=True, exist_ok=True)
        known = self._folder / "world.json"
        if not known.exists():
            known.write_text(json.dumps({"now": time.time()}))
        return World.of_scale(self.scale, json.loads(known.read_text())["now"])

    @cached_property
    def server(self) -> PostgresServer:
        """The server, which is started at the first use."""
        return PostgresServer(self._postgres)

    def close(self) -> None:
        """Stop the server if it runs."""
        if "server" in vars(self):
            self.server.close()

    @contextmanager
    def scratch(self, subject: Subject, dialect: str) -> Iterator[Place]:
        """An empty instance, which is gone afterwards."""
        home = subject.fresh_home()
        if dialect == "SQLite":
            yield Place(subject, home, None)
        else:
            self.server.drop("scratch")
            yield Place(subject, home, self.server.url("scratch"))
            self.server.drop("scratch")
        shutil.rmtree(home)

    def seeded(self, subject: Subject, dialect: str) -> Place:
        """The instance that has the history; it is made if need be."""
        world = self.world
        name = f"{subject.name}_{dialect}".lower()
        home = self._folder / name
        database = f"{name}_{self._folder.name}".replace("-", "_").replace(".", "_")
        done, print_ = self._folder / f"{name}.done", _fingerprint(subject)
        is_kept = done.exists() and done.read_text() == print_
        if not is_kept:
            done.unlink(missing_ok=True)
            shutil.rmtree(home, ignore_errors=True)
            home.mkdir()
            if dialect == "Postgres":
                self.server.drop(database)
        place = Place(subject, home, self.server.url(database) if dialect == "Postgres" else None)
        if not is_kept:
            print(f"making the history of {subject.name} on {dialect} ...", flush=True)
            began = time.monotonic()
            if subject.name == "peer":
                self._make_peers(place, world)
            else:
                self._make_ours(place, world)
            done.write_text(print_)
            print(f"... in {time.monotonic() - began:.0f} s", flush=True)
        return place

    def _make_ours(self, place: Place, world: World) -> None:
        from penstock.storage.postgres import PostgresStorage
        from penstock.storage.sqlite import SqliteStorage

        home = place.home if place.url is None else self.seeded(place.subject, "SQLite").home
        storage = SqliteStorage(home / "penstock.db")
        storage.migrate()
        if place.url is None:
            seed(storage, world)
        storage.close()
        if place.url is not None:
            post = PostgresStorage(place.url)
            post.migrate()
            post.close()
            copy_to_postgres(home / "penstock.db", place.url)

    def _make_peers(self, place: Place, world: World) -> None:
        made = place.home / "made.json"
        sample = [str(place.subject.python), str(_SAMPLE), str(made)]
        subprocess.run(sample, env=place.environment, check=True, capture_output=True)
        tables: PeerTables = PeerOnSqlite(place.home) if place.url is None else PeerOnPostgres(place.url)
        seed_peer(tables, world, read_made(made))
        tables.close()


def _fingerprint(subject: Subject) -> str:
    """Changes when the history would be another."""
    if subject.name == "peer":
        files = [_HERE / "world.py", _HERE / "seed_peer.py", _SAMPLE]
        extra = PEER_VERSION + PEER_POSTGRES_VERSION
    else:
        files = [_HERE / name for name in ("world.py", "seed_penstock.py", "copy_to_postgres.py")]
        extra = ""
    told = hashlib.sha256(extra.encode())
    for file in files:
        told.update(file.read_bytes())
    return told.hexdigest()
