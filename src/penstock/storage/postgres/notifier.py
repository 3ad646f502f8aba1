"""Wakes the processes that wait for changes of one database, by LISTEN and NOTIFY.

A message is sent after the commit and never inside of a transaction that writes: every NOTIFY takes one lock of the
whole server until its transaction has ended. What only sends a message waits for no disk.

A message can be lost: its sender dies between commit and message, or a listener's connection breaks. So a listener that
has found its connection again reports `*`: "anything may have changed"; and one that heard nothing for some seconds
looks whether there are new events.
"""

from __future__ import annotations

import selectors
from collections.abc import Iterable
from contextlib import suppress

import psycopg

from ...clock import SYSTEM_CLOCK
from .connection import Connection, Database

__all__ = ["EVERYTHING", "PostgresNotifier", "PostgresSubscription"]

EVERYTHING = "*"
"""The topic that stands for all topics."""

_CHANNEL = "penstock"
_MESSAGE_BYTES = 7900  # the server takes less than 8000
_MOST_MESSAGES = 20
_LOOK_SECONDS = 5.0
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 5.0


class PostgresNotifier:
    """`Notifier` for all processes that share a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def publish(self, topics: Iterable[str]) -> None:
        """Tell every listener; never fails the caller."""
        messages = _messages(topics)
        if messages:
            self._database.tell("SELECT pg_notify(%s, unnest(%s::text[]))", (_CHANNEL, messages))

    def subscribe(self) -> PostgresSubscription:
        """Listen to all topics from now on; while the database is away, from when it is back."""
        return PostgresSubscription(self._database)

    def close(self) -> None:
        """Nothing is held."""


class PostgresSubscription:
    """One listener's queue of topics, on a connection of its own; for one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._ready = selectors.DefaultSelector()  # one descriptor for the listener, whichever connection there is
        self._descriptor = -1
        self._failures = 0
        self._retry_at = 0.0
        self._last_event = 0
        self._heard = False
        self._topics: set[str] = set()
        self._closed = False
        self._next_look = SYSTEM_CLOCK.monotonic() + _LOOK_SECONDS
        self._listen()

    def wait(self, timeout: float | None) -> frozenset[str]:
        """Block until something is published or the timeout (seconds) is over; gives the topics, maybe none."""
        deadline = None if timeout is None else SYSTEM_CLOCK.monotonic() + timeout
        while True:
            topics = self._look()
            now = SYSTEM_CLOCK.monotonic()
            if topics or (deadline is not None and now >= deadline):
                return topics
            until = self._retry_at if self._connection is None else self._next_look
            until = until if deadline is None else min(deadline, until)
            self._ready.select(max(0.0, until - now))

    def fileno(self) -> int:
        """A descriptor that is readable when something was published; what only the database knows does not show."""
        return self._ready.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._let_go()
        self._ready.close()

    def _look(self) -> frozenset[str]:
        now = SYSTEM_CLOCK.monotonic()
        if self._connection is None:
            found_again = now >= self._retry_at and self._listen()
            return frozenset({EVERYTHING}) if found_again else frozenset()
        try:
            topics = self._drain(self._connection)
            if topics:
                self._heard = True
                return topics
            if now >= self._next_look:
                self._next_look = now + _LOOK_SECONDS
                # New events of a while in which something was heard are taken for what was heard of.
                heard, self._heard = self._heard, False
                before, self._last_event = self._last_event, _last_event(self._connection)
                topics = self._drain(self._connection)
                return topics | {EVERYTHING} if self._last_event != before and not heard else topics
        except psycopg.Error:
            # What is lost with the connection is made good by EVERYTHING when there is another.
            self._let_go()
        return frozenset()

    def _listen(self) -> bool:
        """Open the connection and begin to listen; whether that went well."""
        connection = None
        try:
            connection = self._database.pool.connect()
            # The driver gives it what comes with the answer of a statement, and then nobody else.
            connection.add_notify_handler(self._take)
            connection.execute(f"LISTEN {_CHANNEL}")
            self._last_event = _last_event(connection)
        except psycopg.Error:
            if connection is not None:
                self._database.pool.discard(connection)
            self._retry_at = SYSTEM_CLOCK.monotonic() + min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 10)
            return False
        self._failures = 0
        self._connection = connection
        self._descriptor = connection.fileno()
        self._ready.register(self._descriptor, selectors.EVENT_READ)
        return True

    def _drain(self, connection: Connection) -> frozenset[str]:
        connection.pgconn.consume_input()
        while (message := connection.pgconn.notifies()) is not None:
            self._topics.update(message.extra.decode("utf-8", "replace").split("\n"))
        topics, self._topics = frozenset(self._topics), set()
        return topics

    def _take(self, message: psycopg.Notify) -> None:
        self._topics.update(message.payload.split("\n"))

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(KeyError, OSError):  # one that the driver has closed is gone by itself
                self._ready.unregister(self._descriptor)
            self._database.pool.discard(connection)


def _messages(topics: Iterable[str]) -> list[str]:
    """Topics as few messages, each short enough for the server."""
    messages: list[str] = []
    room = 0
    for topic in topics:
        text = topic.encode("utf-8", "replace").replace(b"\0", b"").decode()
        size = len(text.encode()) + 1
        if size > _MESSAGE_BYTES or len(messages) > _MOST_MESSAGES:
            return [EVERYTHING]
        if size > room:
            messages.append(text)
            room = _MESSAGE_BYTES - size
        else:
            messages[-1] += f"\n{text}"
            room -= size
    return messages


def _last_event(connection: Connection) -> int:
    row = connection.execute("SELECT value FROM counters WHERE name = 'event'").fetchone()
    return 0 if row is None else row[0]
