"""Postgres's errors in our words: whether the database is away, whether the connection is, and what to do."""

from __future__ import annotations

import psycopg

__all__ = ["is_away", "is_conflict", "is_lost", "remedy"]

_LOST = frozenset({"57P01", "57P02", "57P03", "57P05", "25P03"})
"""The server ended the connection or is about to end: shut down by an administrator, crashed, starting; it waited too
long for us."""


def is_lost(error: psycopg.Error) -> bool:
    """Whether the connection is gone, so that a new one may do."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate in _LOST or error.sqlstate.startswith("08")


def is_conflict(error: psycopg.Error) -> bool:
    """Whether the server undid the transaction for the sake of a rival, so that the same may go well now."""
    return isinstance(error, psycopg.errors.SerializationFailure | psycopg.errors.DeadlockDetected)


_AWAY = frozenset(
    {
        *_LOST,
        "25006",  # read_only_sql_transaction: a replica, or a server that was made read-only
        "53100",  # disk_full
        "53200",  # out_of_memory
        "53300",  # too_many_connections
        "55P03",  # lock_not_available
        "57014",  # query_canceled: the statement took too long
        "58000",  # system_error
        "58030",  # io_error
    }
)


def is_away(error: psycopg.Error) -> bool:
    """Whether the database could not be reached or could not work, so that the same may go well later."""
    return is_lost(error) or error.sqlstate in _AWAY or is_conflict(error)


def remedy(error: psycopg.Error) -> str:
    """What to do about an error, as a sentence."""
    match error.sqlstate:
        case None if isinstance(error, psycopg.OperationalError):
            return "See that the server runs and can be reached from here under this address."
        case "57P01" | "57P02" | "57P03":
            return "The server was stopped or is starting; try again when it is up."
        case "57P05" | "25P03":
            return "This process was stopped, or could not work, for longer than the server waits for it."
        case "53300":
            return "Raise max_connections of the server, or let fewer processes use it."
        case "53100":
            return "The server's disk is full; make room and try again."
        case "25006":
            return "Name a server that may be written; add target_session_attrs=read-write where several are named."
        case "57014" | "55P03":
            return "See what holds the database up (pg_stat_activity), and try again."
        case "22021":
            return "Postgres keeps no text with the character NUL in it; leave it out."
        case "28P01" | "28000":
            return "Correct user and password."
        case "3D000":
            return "Make the database first: createdb NAME."
        case "42501":
            return "Give this user the right to make and change tables in the database's schema."
        case "42P01":
            return "The schema is missing; call migrate() first."
        case _:
            return "See the text of the error, and try again."
