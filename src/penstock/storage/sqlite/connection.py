"""Connections to one SQLite database: who may use which, how a lock is waited for, and what a fork does to them.

One connection writes, guarded by a lock, so that the threads of a process queue up in fairness instead of racing for
SQLite's file lock; reads take idle connections from a pool. Between processes a writer waits in short, uneven steps
until the database is free: SQLite's own steps grow to 100 ms, far longer than our transactions.

SQLite keeps its file locks in memory of the process, so a connection carried over a fork can harm the database even
when the child opens one of its own. Therefore idle connections are closed before a fork, and opened again on demand.
"""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...clock import SYSTEM_CLOCK
from ...errors import StorageError, StorageUnavailableError

__all__ = ["WAL_LIMIT_BYTES", "ChangeWatch", "Database"]

_IDLE_READERS = 8
_FORK_PATIENCE = 5.0
WAL_LIMIT_BYTES = 64 * 1024 * 1024

_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[sqlite3.Connection] = []
"""Connections that a forked child got while they were in use: kept for ever, since also closing them would do harm."""
_forking = threading.local()
_TIDYING = 100_000
"""Bytes asked for before a fork: the C library then puts in order the many small pieces that closing has freed. After
the fork it would do so in the parent and in the child, and each would copy some 250 pages for it."""


class Database:
    """One database file, or (`path` None) a private one in memory.

    Args:
        path: The file; it is made by the first write.
        patience: How long to wait for another process's lock, in seconds.
    """

    def __init__(self, path: Path | None, *, patience: float = 30.0) -> None:
        self.path = path
        self.patience = patience
        self._writer: sqlite3.Connection | None = None
        self._durable = True
        self._idle: list[sqlite3.Connection] = []
        self._busy = 0
        self._watches: weakref.WeakSet[ChangeWatch] = weakref.WeakSet()
        self._era = 0
        self._unusable: str | None = None
        self._new_locks()
        _databases.add(self)

    def __del__(self) -> None:
        for connection in self._idle:
            connection.close()
        if self._writer is not None:
            self._writer.close()

    def _new_locks(self) -> None:
        self._write_lock = threading.Lock()
        self._state = threading.Condition(threading.Lock())
        self._own = threading.local()

    @property
    def name(self) -> str:
        """The database in words, for messages."""
        return str(self.path) if self.path is not None else "the in-memory database"

    # -- use ----------------------------------------------------------------------------------------------------------

    @contextmanager
    def read(self, doing: str) -> Iterator[sqlite3.Connection]:
        """A connection for reading, in a transaction of its own: all statements see the same state.

        Args:
            doing: What is read, for the message of a `StorageError`: "read the runs".
        """
        if self.path is None:
            with self._write_lock, self._translated(doing):
                yield self._open_writer()
            return
        with self._in_use(), self._translated(doing):
            era = self._era
            connection = self._take_reader()
            try:
                connection.execute("BEGIN")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                connection.close()
                raise
            with self._state:
                keep = len(self._idle) < _IDLE_READERS and era == self._era
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.close()

    @contextmanager
    def write(self, doing: str, *, durable: bool = True, patience: float | None = None) -> Iterator[sqlite3.Connection]:
        """The connection for writing, inside a transaction that is committed at the end and undone on any exception.

        Args:
            doing: What is done, for the message of a `StorageError`: "store events".
            durable: Whether the commit must outlive a loss of power; it outlives a killed process in any case.
            patience: How long to wait for another process's lock, in seconds; that of the database if not given.
        """
        with self._write_lock, self._in_use(), self._translated(doing):
            connection = self._open_writer()
            if durable != self._durable and self.path is not None:
                connection.execute("PRAGMA synchronous=FULL" if durable else "PRAGMA synchronous=NORMAL")
                self._durable = durable
            self._begin(connection, patience)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                self._undo(connection, error)
                raise

    def watch(self) -> ChangeWatch:
        """Something that tells whether any process has changed the database since it last looked."""
        watch = ChangeWatch(self._connect_reader if self.path is not None else None)
        self._watches.add(watch)
        return watch

    def close(self) -> None:
        """Close all connections; a later use opens new ones."""
        with self._write_lock, self._state:
            self._era += 1
            self._close_idle()

    # -- opening ------------------------------------------------------------------------------------------------------

    def _connect(self, *, timeout: float) -> sqlite3.Connection:
        if self._unusable is not None:
            raise StorageError(f"{self.name} cannot be used in this process: {self._unusable}")
        target = ":memory:" if self.path is None else str(self.path)
        connection = sqlite3.connect(
            target, timeout=timeout, isolation_level=None, check_same_thread=False, cached_statements=256
        )
        connection.execute("PRAGMA temp_store=MEMORY")
        return connection

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect(timeout=self.patience)
        connection.execute("PRAGMA query_only=ON")
        return connection

    def _take_reader(self) -> sqlite3.Connection:
        with self._state:
            if self._idle:
                return self._idle.pop()
        return self._connect_reader()

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            # Its waiting for a lock is done in `_begin`, so SQLite's own is off.
            connection = self._connect(timeout=0.0)
            try:
                if self.path is not None:
                    self._retry_busy(lambda: connection.execute("PRAGMA journal_mode=WAL"))
                    connection.execute(f"PRAGMA journal_size_limit={WAL_LIMIT_BYTES}")
                    connection.execute("PRAGMA synchronous=FULL")
            except BaseException:
                connection.close()
                raise
            self._durable = True
            self._writer = connection
        return self._writer

    # -- transactions -------------------------------------------------------------------------------------------------

    def _begin(self, connection: sqlite3.Connection, patience: float | None = None) -> None:
        self._retry_busy(lambda: connection.execute("BEGIN IMMEDIATE"), patience)

    def _retry_busy(self, act: Callable[[], object], patience: float | None = None) -> None:
        patience = self.patience if patience is None else patience
        deadline = None
        longest = 0.0005
        while True:
            try:
                act()
                return
            except sqlite3.OperationalError as error:
                if not _is_busy(error):
                    raise
                now = SYSTEM_CLOCK.monotonic()
                deadline = deadline or now + patience
                if now >= deadline:
                    raise
            time.sleep(random.uniform(0.0001, longest))  # noqa: S311 - spreads the waiters, guards nothing
            longest = min(longest * 1.5, 0.01)

    def _undo(self, connection: sqlite3.Connection, error: BaseException) -> None:
        broken = isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.IntegrityError)
        if connection.in_transaction:
            try:
                connection.execute("ROLLBACK")
            except sqlite3.Error:
                broken = True  # closing it rolls back as well
        if broken and self.path is not None:
            self._writer = None
            connection.close()

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Say SQLite's errors, and values that it cannot hold, as a `StorageError` that names place and remedy."""
        try:
            yield
        except sqlite3.Error as error:
            kind = StorageUnavailableError if _is_away(error) else StorageError
            raise kind(f"Could not {doing} in {self.name}: {error}. {_remedy(error)}") from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise StorageError(
                f"Could not {doing} in {self.name}: a value is not valid Unicode or too large a number ({error})."
            ) from error

    @contextmanager
    def _in_use(self) -> Iterator[None]:
        with self._state:
            self._busy += 1
        self._own.depth = getattr(self._own, "depth", 0) + 1
        try:
            yield
        finally:
            self._own.depth -= 1
            with self._state:
                self._busy -= 1
                if not self._busy:
                    self._state.notify_all()

    # -- fork ---------------------------------------------------------------------------------------------------------

    def _close_idle(self) -> None:
        for connection in self._idle:
            connection.close()
        self._idle.clear()
        for watch in list(self._watches):
            watch.rest()
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def before_fork(self) -> None:
        """Wait until no thread is inside a transaction, close every connection, and let no new one begin."""
        self._state.acquire()
        if self.path is None:
            return
        own = getattr(self._own, "depth", 0)
        quiet = self._state.wait_for(lambda: self._busy == own, _FORK_PATIENCE)
        if quiet and not own:
            self._close_idle()

    def after_fork_in_parent(self) -> None:
        """Go on as before."""
        self._state.release()

    def after_fork_in_child(self) -> None:
        """Begin anew; what could not be closed before the fork is put where nobody touches it."""
        left = [*self._idle, *([self._writer] if self._writer is not None else [])]
        for watch in list(self._watches):
            left += watch.abandon()
        _inherited.extend(left)
        if self.path is None:
            self._unusable = "it is in the memory of the process that this one was forked from; use a file."
        elif left or self._busy:
            self._unusable = (
                "it was in use when this process was forked; "
                'start the process with the "spawn" or "forkserver" method instead.'
            )
        self._idle, self._writer, self._busy = [], None, 0
        self._new_locks()


class ChangeWatch:
    """Tells whether a database was changed by anybody since the last look; for one thread."""

    def __init__(self, connect: Callable[[], sqlite3.Connection] | None) -> None:
        self._connect = connect
        self._connection: sqlite3.Connection | None = None
        self._version: int | None = None
        self._lock = threading.Lock()

    def __del__(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def changed(self) -> bool:
        """Whether it was; the first look, and a look that fails, say no."""
        if self._connect is None:
            return False
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            except sqlite3.Error:
                # The database is away: whoever reads the rows will be told so; here is only a hint.
                return False
            before, self._version = self._version, version
            return before is not None and before != version

    def rest(self) -> None:
        """Close the connection; the next look begins anew."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
            self._connection = None
            self._version = None

    def abandon(self) -> list[sqlite3.Connection]:
        """In a forked child: give away the connection that it has no right to."""
        left = [self._connection] if self._connection is not None else []
        self._connection, self._version, self._lock = None, None, threading.Lock()
        return left


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_NOMEM,
    }
)
"""What passes: another process's lock, a full or broken disk, a file that is not there or may not be written."""


def _is_away(error: sqlite3.Error) -> bool:
    # A file that was moved away is found again as an empty one, without our tables.
    return _code(error) in _AWAY or str(error).startswith("no such table")


def _code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK)
    return code & 0xFF


def _remedy(error: sqlite3.Error) -> str:
    match _code(error):
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return "Another process held the database for too long; see which one still works, and try again."
        case sqlite3.SQLITE_FULL:
            return "The disk is full; make room and try again."
        case sqlite3.SQLITE_IOERR:
            return "See the disk and what the system says of it, and try again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
            return "See that the file and its folder exist and that this user may write there."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return "The file is damaged or is no Penstock database; restore it from a backup or name another home."
        case sqlite3.SQLITE_ERROR if "no such table" in str(error):
            return "The schema is missing; call migrate() first."
        case _:
            return "See the text of the error, and try again."


def _before_fork() -> None:
    _forking.databases = sorted(_databases, key=id)
    for database in _forking.databases:
        database.before_fork()
    bytearray(_TIDYING)


def _after_fork_in_parent() -> None:
    for database in _forking.databases:
        database.after_fork_in_parent()


def _after_fork_in_child() -> None:
    for database in _forking.databases:
        database.after_fork_in_child()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
