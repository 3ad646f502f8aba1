"""Connections to one Postgres database: a small stack of idle ones, what a lost one means, what a fork does to them.

No thread is started and nothing is opened before the first use, so that a process may fork at any time. A child leaves
the connections of its parent alone: it closes its copies of their sockets without a word on them, and opens its own.

A transaction is sent in one direction (libpq's pipeline mode): a statement whose answer nobody waits for costs no way
to the server and back, COMMIT included.
"""

from __future__ import annotations

import logging
import os
import random
import select
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import psycopg

from ...errors import StorageError, StorageUnavailableError
from .faults import is_away, is_lost, remedy
from .transaction import Row, Transaction, Values

__all__ = ["Connection", "Database"]

T = TypeVar("T")
Connection = psycopg.Connection[Row]

_IDLE = 8
_MOST_OPEN = 20
_TRIES = 10
_CONNECT_SECONDS = 5
# A process that is stopped in the middle of a transaction must not hold up the others for long.
_OPTIONS = "-c statement_timeout=30s -c idle_in_transaction_session_timeout=10s -c jit=off"
_PARAMETERS: Mapping[str, Any] = {
    "application_name": "penstock",
    "client_encoding": "UTF8",
    "connect_timeout": _CONNECT_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # milliseconds that what was sent may wait for the other side to take it
}
"""What holds unless the settings say otherwise: nobody waits for ever for a server that went without a word."""


class _NotTwice(logging.Filter):
    """Keeps the driver from telling in the log what the error says that it raises as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.msg, str) and record.msg.startswith("error ignored terminating"))


logging.getLogger("psycopg").addFilter(_NotTwice())

_databases: weakref.WeakSet[Database] = weakref.WeakSet()
_inherited: list[Connection] = []
"""Connections of the process that this one was forked from: kept for ever, so that nothing ends them."""


class Database:
    """One Postgres database.

    Args:
        parameters: Of the connection, by libpq's names; what is left out is read from the environment (PGHOST, ...).
    """

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        given = {key: value for key, value in parameters.items() if value is not None}
        options = f"{_OPTIONS} {given.pop('options', '')}".strip()
        self._parameters = {**_PARAMETERS, **given, "options": options}
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._new_locks()
        _databases.add(self)

    def __del__(self) -> None:
        for connection in self._idle:
            connection.close()

    def _new_locks(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(_MOST_OPEN)

    @property
    def name(self) -> str:
        """The database in words, for messages; it names no password."""
        given = self._parameters
        host = given.get("host") or os.environ.get("PGHOST") or "this host"
        port = f":{given['port']}" if given.get("port") else ""
        return f"the Postgres database {given.get('dbname') or os.environ.get('PGDATABASE') or ''!r} on {host}{port}"

    # -- use ----------------------------------------------------------------------------------------------------------

    def read(self, doing: str, statement: str, values: Values = (), *, planned_anew: bool = False) -> list[Row]:
        """The rows of one statement, which sees one state of the database.

        Args:
            doing: What is read, for the message of a `StorageError`: "read the runs".
            statement: The statement.
            values: Its values.
            planned_anew: Whether the server is to plan it for these very values, and not once for all: where some
                values are those of a few rows and others those of a million.
        """
        prepare = False if planned_anew else None
        with self._translated(doing):
            return self._with_connection(
                lambda connection: connection.execute(statement, values, prepare=prepare).fetchall()
            )

    def write(self, doing: str, work: Callable[[Transaction], T], *, durable: bool = True) -> T:
        """What `work` gives, in a transaction that is committed after it and undone on any exception.

        Args:
            doing: What is done, for the message of a `StorageError`: "store events".
            work: It may be called again, from the beginning, where the database could not let it through or was lost
                before the end; so it must change nothing but the database.
            durable: Whether the commit must outlive a crash of the server; it outlives that of a client in any case.
                What somebody may build upon must: after a crash the ids of events that are lost are given again.
        """
        with self._translated(doing):
            return self._with_connection(partial(_transact, work=work, durable=durable))

    def tell(self, statement: str, values: Values) -> None:
        """Run a statement that may be lost: where the database is away, nothing happens."""
        try:
            self._with_connection(lambda connection: connection.execute(statement, values), retry=False)
        except psycopg.Error:
            return  # what was to be told is a hint; whoever listens looks by himself from time to time

    def connect(self) -> Connection:
        """A connection of the caller's own, who closes it by `discard`."""
        connection = psycopg.Connection[Row].connect(**self._parameters, autocommit=True)
        with self._lock:
            self._open.add(connection)
        return connection

    def discard(self, connection: Connection) -> None:
        """Close a connection."""
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def close(self) -> None:
        """Close all idle connections; a later use opens new ones."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            self.discard(connection)

    # -- connections --------------------------------------------------------------------------------------------------

    def _with_connection(self, act: Callable[[Connection], T], *, retry: bool = True) -> T:
        """What `act` gives. It is called once more on a new connection if the one it had is lost, unless what it did
        may have taken effect; and again when the server asked for that to resolve a conflict."""
        with self._places:
            tries = 0
            while True:
                tries += 1
                connection = self._take()
                try:
                    found = act(connection)
                except BaseException as error:
                    lost = isinstance(error, psycopg.Error) and (is_lost(error) or connection.closed)
                    self._give_back(connection)
                    if lost and retry and tries == 1 and not getattr(error, "unknown_outcome", False):
                        self.close()
                        continue
                    conflict = isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected)
                    if not conflict or tries >= _TRIES:
                        raise
                    time.sleep(random.uniform(0, 0.005 * 2**tries))  # noqa: S311 - spreads the rivals, guards nothing
                else:
                    self._give_back(connection)
                    return found

    def _take(self) -> Connection:
        while True:
            with self._lock:
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                return self.connect()
            if _is_quiet(connection):
                return connection
            self.discard(connection)

    def _give_back(self, connection: Connection) -> None:
        idle = not connection.closed and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with self._lock:
            keep = idle and len(self._idle) < _IDLE
            if keep:
                self._idle.append(connection)
        if not keep:
            self.discard(connection)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Say Postgres's errors, and values that it cannot hold, as a `StorageError` that names place and remedy."""
        try:
            yield
        except psycopg.Error as error:
            kind = StorageUnavailableError if is_away(error) else StorageError
            raise kind(f"Could not {doing} in {self.name}: {_said(error)}. {remedy(error)}") from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise StorageError(
                f"Could not {doing} in {self.name}: a value is not valid Unicode or too large a number ({error})."
            ) from error

    # -- fork ---------------------------------------------------------------------------------------------------------

    def after_fork_in_child(self) -> None:
        """Begin anew; the parent's connections are put where nobody touches them, and their sockets are let go of."""
        for connection in self._open:
            if not connection.closed:
                with suppress(OSError):
                    os.close(connection.fileno())
            _inherited.append(connection)
        self._idle, self._open = [], set()
        self._new_locks()


def _transact(connection: Connection, work: Callable[[Transaction], T], *, durable: bool) -> T:
    committing = False
    try:
        with connection.pipeline() as pipeline:
            connection.execute("BEGIN")
            if not durable:
                connection.execute("SET LOCAL synchronous_commit TO OFF")
            outcome = work(Transaction(connection, pipeline))
            committing = True
            connection.execute("COMMIT")
    except BaseException as error:
        if committing:
            error.unknown_outcome = True  # type: ignore[attr-defined]
        if not connection.closed and connection.info.transaction_status in (
            psycopg.pq.TransactionStatus.INTRANS,
            psycopg.pq.TransactionStatus.INERROR,
        ):
            with suppress(psycopg.Error):  # closing it, which follows, undoes the transaction as well
                connection.execute("ROLLBACK")
        raise
    return outcome


def _is_quiet(connection: Connection) -> bool:
    """Whether an idle connection still lives as far as one can see from here: a server that ends it says so."""
    if connection.closed:
        return False
    ready = select.poll()  # select() refuses the high descriptors of a process with many open files
    ready.register(connection.fileno(), select.POLLIN)
    return not ready.poll(0)


def _said(error: psycopg.Error) -> str:
    """What went wrong, without hints and without values of rows."""
    return (error.diag.message_primary or str(error)).strip().partition("\n")[0].rstrip(".")


def _after_fork_in_child() -> None:
    for database in list(_databases):
        database.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
