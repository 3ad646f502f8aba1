"""A stack of connections to one Postgres database: so many at once and no more, and what a fork does to them.

No thread is started and nothing is opened before the first use, so that a process may fork at any time. A child leaves
the connections of its parent alone: it closes its copies of their sockets without a word on them, and opens its own.
"""

from __future__ import annotations

import logging
import os
import select
import threading
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import psycopg

from ...clock import SYSTEM_CLOCK, Clock
from .transaction import Row

__all__ = ["Connection", "CrowdedError", "Pool"]

Connection = psycopg.Connection[Row]

_IDLE_SECONDS = 60.0
"""A connection that nobody has needed for so long is closed, when another one is given back."""


class CrowdedError(Exception):
    """All connections that a process may have were in use for as long as one is waited for."""


class _NotTwice(logging.Filter):
    """Keeps the driver from telling in the log what the error says that it raises as well."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (isinstance(record.msg, str) and record.msg.startswith("error ignored terminating"))


logging.getLogger("psycopg").addFilter(_NotTwice())

_pools: weakref.WeakSet[Pool] = weakref.WeakSet()
_inherited: list[Connection] = []
"""Connections of the process that this one was forked from: kept for ever, so that nothing ends them."""


class Pool:
    """The connections of this process to one database.

    Args:
        parameters: Of each connection, by libpq's names.
        size: How many may be in use at once; those that are somebody's own (`connect`) do not count.
        patience: For how many seconds one is waited for.
        clock: Tells how long a connection has not been needed.
    """

    def __init__(
        self, parameters: Mapping[str, Any], *, size: int, patience: float, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        self.size = size
        self.patience = patience
        self._parameters = parameters
        self._clock = clock
        self._idle: list[tuple[Connection, float]] = []  # with when it was given back; the last one is the next in use
        self._open: set[Connection] = set()
        self._new_locks()
        _pools.add(self)

    def __del__(self) -> None:
        for connection, _ in self._idle:
            connection.close()

    def _new_locks(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(self.size)

    @contextmanager
    def place(self) -> Iterator[None]:
        """The right to `take` one connection at a time.

        Raises:
            CrowdedError: There was none for as long as the pool is patient.
        """
        if not self._places.acquire(timeout=self.patience):
            raise CrowdedError
        try:
            yield
        finally:
            self._places.release()

    def take(self) -> Connection:
        """An idle connection that lives, or a new one; to be given back.

        Raises:
            psycopg.OperationalError: The database cannot be reached.
        """
        while True:
            with self._lock:
                connection = self._idle.pop()[0] if self._idle else None
            if connection is None:
                return self.connect()
            if _is_quiet(connection):
                return connection
            self.discard(connection)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next use, unless it is closed or in the middle of something."""
        now = self._clock.monotonic()
        surplus = []
        with self._lock:
            if not connection.closed and connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
                self._idle.append((connection, now))
            else:
                surplus.append(connection)
            if self._idle and now - self._idle[0][1] >= _IDLE_SECONDS:
                surplus.append(self._idle.pop(0)[0])
        for each in surplus:
            self.discard(each)

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
        for connection, _ in idle:
            self.discard(connection)

    def after_fork_in_child(self) -> None:
        """Begin anew; the parent's connections are put where nobody touches them, and their sockets are let go of."""
        for connection in self._open:
            if not connection.closed:
                with suppress(OSError):
                    os.close(connection.fileno())
            _inherited.append(connection)
        self._idle, self._open = [], set()
        self._new_locks()


def _is_quiet(connection: Connection) -> bool:
    """Whether an idle connection still lives as far as one can see from here: a server that ends it says so."""
    if connection.closed:
        return False
    ready = select.poll()  # select() refuses the high descriptors of a process with many open files
    ready.register(connection.fileno(), select.POLLIN)
    return not ready.poll(0)


def _after_fork_in_child() -> None:
    for pool in list(_pools):
        pool.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
