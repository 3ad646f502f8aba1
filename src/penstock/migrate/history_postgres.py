"""A history of Dagster's in a Postgres database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from ..errors import SettingsError
from .history_tables import (
    EVENTS,
    INSTIGATORS,
    LIMITS,
    NEEDED,
    PARTITIONS,
    RUNS,
    TICKS,
    WIPED,
    InstigatorRow,
    TickRow,
    refuse_other_tables,
    seconds_of,
)

try:
    import psycopg
except ModuleNotFoundError as error:
    raise SettingsError(
        f"Reading a history from Postgres needs {error.name}; install it with: pip install 'penstock[postgres]'"
    ) from error

__all__ = ["PostgresHistory"]


class PostgresHistory:
    """The tables in a database. It is only read: the session is told so.

    Args:
        url: Its address; parts that are missing are read from the environment (PGPASSWORD, ...).

    Raises:
        SettingsError: It cannot be reached, or is not such a history.
    """

    def __init__(self, url: str) -> None:
        scheme, _, rest = url.partition("://")
        parts = urlsplit(url)
        self._name = f"{scheme.partition('+')[0]}://{parts.hostname or ''}{parts.path}"
        try:
            self._connection = psycopg.connect(
                f"postgresql://{rest}",
                autocommit=True,
                connect_timeout=10,
                options="-c default_transaction_read_only=on",
            )
        except psycopg.Error as error:
            raise SettingsError(
                f"{self._name} cannot be opened: {_first_line(error)}. Give the database that dagster.yaml names: "
                "postgresql://user:password@host:port/database."
            ) from error
        columns: dict[str, set[str]] = {}
        for table, column in self._read(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = ANY (current_schemas(false))"
        ):
            columns.setdefault(table, set()).add(column)
        for part, needed in NEEDED.items():
            if part == "runs" or set(needed) & set(columns):
                try:
                    refuse_other_tables(self._name, columns, needed)
                except SettingsError:
                    self.close()
                    raise

    @property
    def name(self) -> str:
        """The database, without user and password."""
        return self._name

    def runs(self) -> Iterator[Sequence[Any]]:
        """Every run, oldest first, as `run_row` reads it."""
        last = 0
        while found := self._read(RUNS.format("%s"), last):
            yield from found
            last = found[-1][0]

    def tags(self, run_ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """The tags of these runs."""
        found: dict[str, dict[str, str]] = {}
        for run_id, key, value in self._read(
            "SELECT run_id, key, value FROM run_tags WHERE run_id = ANY (%s)", list(run_ids)
        ):
            found.setdefault(run_id, {})[key] = value
        return found

    def events(self, run_id: str, after: int) -> list[tuple[int, str]]:
        """The next lines of a run's log."""
        return self._read(EVENTS.format("%s", "%s"), run_id, after)

    def wiped(self) -> list[tuple[str, float]]:
        """Assets that were wiped."""
        return [(key, seconds_of(time) or 0.0) for key, time in self._read(WIPED)]

    def dynamic_partitions(self) -> list[tuple[str, str]]:
        """(set, key) in the order in which they were added."""
        return self._read(PARTITIONS)

    def pool_limits(self) -> list[tuple[str, int]]:
        """Pools whose limit was set."""
        return self._read(LIMITS.format("NOT using_default_limit"))

    def instigators(self) -> list[InstigatorRow]:
        """Every schedule and sensor that there is a state of."""
        return [InstigatorRow(*row) for row in self._read(INSTIGATORS)]

    def ticks(self, after: int) -> list[TickRow]:
        """The next evaluations after that number."""
        return [TickRow(*row) for row in self._read(TICKS.format("%s"), after)]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _read(self, statement: str, *values: object) -> list[Any]:
        try:
            return self._connection.execute(statement.encode(), values or None).fetchall()
        except psycopg.Error as error:
            raise SettingsError(
                f"{self._name} cannot be read: {_first_line(error)}. See that the user may read the tables, "
                "and import again."
            ) from error


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]
