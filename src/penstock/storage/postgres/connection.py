"""One Postgres database: how it is read and written, what is tried again, and its errors in our words.

A transaction is sent in one direction (libpq's pipeline mode): a statement whose answer nobody waits for costs no way
to the server and back, COMMIT included.

What is tried again: whatever the server could not let through because of a rival, for as long as a statement may take;
whatever was lost with its connection before its end was sent; and, of those that do no harm when they happen twice,
those whose end was sent and not answered. A server that was there a moment ago and is not is waited for, for the few
seconds that a restart takes.
"""

from __future__ import annotations

import math
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from typing import Any, TypeVar

import psycopg

from ...clock import SYSTEM_CLOCK, Clock
from ...errors import StorageError, StorageUnavailableError
from .clock import TIME, DatabaseClock
from .faults import is_away, is_conflict, is_lost, remedy
from .pool import Connection, CrowdedError, Pool
from .transaction import Row, Transaction, Values

__all__ = ["POOL_PATIENCE", "POOL_SIZE", "Connection", "Database"]

T = TypeVar("T")

POOL_SIZE = 20
POOL_PATIENCE = 30.0
_CONFLICT_SECONDS = 30.0
_OUTAGE_SECONDS = 3.0
_FIRST_PAUSE = 0.005
_LONGEST_PAUSE = 0.25
_CONNECT_SECONDS = 5
# A process that is stopped in the middle of a transaction must not hold up the others for long. Whatever the server's
# default: we lock the rows that we build upon, and a stricter isolation would only refuse rivals that may follow.
_OPTIONS = (
    "-c statement_timeout=30s -c idle_in_transaction_session_timeout=5s -c jit=off "
    "-c default_transaction_isolation=read\\ committed"
)
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


class Database:
    """One Postgres database.

    Args:
        parameters: Of the connection, by libpq's names; what is left out is read from the environment (PGHOST, ...).
        pool_size: How many connections this process uses at once.
        pool_patience: For how many seconds somebody waits for one of them.
        outage_patience: For how many seconds a server is waited for that was there before.
        own_clock: This machine's.
    """

    def __init__(
        self,
        parameters: Mapping[str, Any],
        *,
        pool_size: int = POOL_SIZE,
        pool_patience: float = POOL_PATIENCE,
        outage_patience: float = _OUTAGE_SECONDS,
        own_clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        given = {key: value for key, value in parameters.items() if value is not None}
        options = f"{_OPTIONS} {given.pop('options', '')}".strip()
        self._parameters = {**_PARAMETERS, **given, "options": options}
        self.pool = Pool(self._parameters, size=pool_size, patience=pool_patience)
        self.clock = DatabaseClock(own_clock)
        self._outage_patience = outage_patience
        self._own_clock = own_clock
        # Since when it has been away, on the clock that never goes back; None while it is there. One that was never
        # there is not waited for, and all who come while it is away wait no longer than the first.
        self._away_since: float | None = -math.inf

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

    def write(
        self,
        doing: str,
        work: Callable[[Transaction], T],
        *,
        durable: bool = True,
        repeatable: bool = False,
        patient: bool = True,
        pipelined: bool = True,
    ) -> T:
        """What `work` gives, in a transaction that is committed after it and undone on any exception.

        Args:
            doing: What is done, for the message of a `StorageError`: "store events".
            work: It may be called again, from the beginning, where the database could not let it through or was lost
                before the end; so it must change nothing but the database.
            durable: Whether the commit must outlive a crash of the server; it outlives that of a client in any case.
                What somebody may build upon must: after a crash the ids of events that are lost are given again.
            repeatable: Whether it comes to the same, and gives the same, when it happens twice.
            pipelined: Whether it is sent in one direction; a transaction in which something is copied is not.
            patient: Whether to wait for a server that is just gone; not where the caller has something better to do.
        """
        with self._translated(doing):
            act = partial(_transact, work=work, durable=durable, pipelined=pipelined)
            return self._with_connection(act, repeatable=repeatable, patient=patient)

    def tell(self, statement: str, values: Values) -> None:
        """Run a statement that may be lost: where the database is away, nothing happens."""
        with suppress(psycopg.Error, CrowdedError):  # a hint; whoever listens looks by himself from time to time
            self._with_connection(lambda connection: connection.execute(statement, values), patient=False)

    # -- what is tried again ------------------------------------------------------------------------------------------

    def _with_connection(self, act: Callable[[Connection], T], *, repeatable: bool = True, patient: bool = True) -> T:
        """What `act` gives, which is called again as the head of this file says."""
        with self.pool.place():
            begun = self._own_clock.monotonic()
            pause, was_lost = _FIRST_PAUSE, False
            while True:
                connection = None
                try:
                    connection = self.pool.take()
                    self._away_since = None
                    if self.clock.is_due():
                        self._ask_time(connection)
                    found = act(connection)
                except psycopg.Error as error:
                    gone = connection is None or connection.closed or is_lost(error)
                    now = self._own_clock.monotonic()
                    if is_conflict(error):
                        again = now - begun < _CONFLICT_SECONDS
                    elif connection is None:
                        since = self._away_since = now if self._away_since is None else self._away_since
                        again = patient and now - since < self._outage_patience
                    else:
                        # Once: it may be what we ask for that ends the server's process.
                        again = gone and not was_lost and (repeatable or not _is_in_doubt(error))
                        was_lost = True
                    if connection is not None:
                        self.pool.give_back(connection)
                    if not again:
                        raise
                    if gone:
                        self.pool.close()  # the others are gone as well
                    time.sleep(random.uniform(0, pause))  # noqa: S311 - spreads the rivals, guards nothing
                    pause = min(2 * pause, _LONGEST_PAUSE)
                except BaseException:
                    if connection is not None:
                        self.pool.give_back(connection)
                    raise
                else:
                    self.pool.give_back(connection)
                    return found

    def _ask_time(self, connection: Connection) -> None:
        asked = self.clock.monotonic()
        row = connection.execute(TIME).fetchone()
        assert row is not None
        self.clock.tell(row[0], asked=asked)

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Say Postgres's errors, and values that it cannot hold, as a `StorageError` that names place and remedy."""
        try:
            yield
        except psycopg.Error as error:
            kind = StorageUnavailableError if is_away(error) else StorageError
            doubt = " Whether it was done is not known: look before you do it again." if _is_in_doubt(error) else ""
            raise kind(f"Could not {doing} in {self.name}: {_said(error)}. {remedy(error)}{doubt}") from error
        except CrowdedError as error:
            raise StorageUnavailableError(
                f"Could not {doing} in {self.name}: all {self.pool.size} connections of this process were in use for "
                f"{self.pool.patience:g} s. See what holds the database up (pg_stat_activity), or raise "
                "storage.postgres.pool_size."
            ) from error
        except (UnicodeEncodeError, OverflowError) as error:
            raise StorageError(
                f"Could not {doing} in {self.name}: a value is not valid Unicode or too large a number ({error})."
            ) from error


def _transact(connection: Connection, work: Callable[[Transaction], T], *, durable: bool, pipelined: bool) -> T:
    committing = False
    try:
        with connection.pipeline() if pipelined else nullcontext() as pipeline:
            connection.execute("BEGIN")
            if not durable:
                connection.execute("SET LOCAL synchronous_commit TO OFF")
            outcome = work(Transaction(connection, pipeline))
            committing = True
            connection.execute("COMMIT")
    except BaseException as error:
        if committing and isinstance(error, psycopg.Error) and (connection.closed or is_lost(error)):
            error.in_doubt = True  # type: ignore[attr-defined]
        if not connection.closed and connection.info.transaction_status in (
            psycopg.pq.TransactionStatus.INTRANS,
            psycopg.pq.TransactionStatus.INERROR,
        ):
            with suppress(psycopg.Error):  # closing it, which follows, undoes the transaction as well
                connection.execute("ROLLBACK")
        raise
    return outcome


def _is_in_doubt(error: psycopg.Error) -> bool:
    """Whether nobody knows what became of a transaction: its end was sent and not answered."""
    return getattr(error, "in_doubt", False)


def _said(error: psycopg.Error) -> str:
    """What went wrong, without hints and without values of rows."""
    return (error.diag.message_primary or str(error)).strip().partition("\n")[0].rstrip(".")
