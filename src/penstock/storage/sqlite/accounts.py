"""Accounts and their API tokens, in SQLite."""

from __future__ import annotations

import sqlite3

from ...records.account import Account, ApiToken, Role
from .. import account_rows as rows
from ..protocols import USE_SECONDS
from .connection import Database

__all__ = ["SqliteAccounts"]


class SqliteAccounts:
    """`AccountStorage` on one SQLite database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account: Account) -> bool:
        """Store a new account; False when there is one of that name."""
        with self._database.write("store an account") as connection:
            made = connection.execute(
                "INSERT INTO accounts (name, role, locations, disabled, created) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (name) DO NOTHING",
                (account.name, account.role, rows.stored(account.locations), account.disabled, account.created),
            )
            return made.rowcount > 0

    def all(self) -> list[Account]:
        """All accounts, by name."""
        with self._database.read("list the accounts") as connection:
            found = connection.execute(f"SELECT {rows.ACCOUNT} FROM accounts ORDER BY name").fetchall()
        return [rows.account(row) for row in found]

    def set_role(self, name: str, role: Role, *, location: str | None = None) -> bool:
        """Give an account a role, in one code location or in general."""
        with self._database.write("give an account a role") as connection:
            locations = _locations(connection, name)
            if locations is None:
                return False
            if location is None:
                connection.execute("UPDATE accounts SET role = ? WHERE name = ?", (role, name))
            else:
                _set_locations(connection, name, {**locations, location: role})
        return True

    def unset_role(self, name: str, location: str) -> bool:
        """Let the account's general role hold in that code location again."""
        with self._database.write("take a role from an account") as connection:
            locations = _locations(connection, name)
            if locations is None or location not in locations:
                return False
            del locations[location]
            _set_locations(connection, name, locations)
        return True

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Let an account's tokens let nobody in, or let them in again."""
        with self._database.write("disable or enable an account") as connection:
            changed = connection.execute("UPDATE accounts SET disabled = ? WHERE name = ?", (disabled, name))
            return changed.rowcount > 0

    def remove(self, name: str) -> bool:
        """Remove an account and its tokens."""
        with self._database.write("remove an account") as connection:
            connection.execute("DELETE FROM account_tokens WHERE account = ?", (name,))
            return connection.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount > 0

    def add_token(self, account: str, digest: str, label: str, *, now: float, expires: float) -> ApiToken | None:
        """Store a new token; None when there is no such account."""
        with self._database.write("store a token of an account") as connection:
            made = connection.execute(
                "INSERT INTO account_tokens (account, digest, label, created, expires) "
                f"SELECT name, ?, ?, ?, ? FROM accounts WHERE name = ? RETURNING {rows.TOKEN}",
                (digest, label, now, expires, account),
            ).fetchone()
        return None if made is None else rows.token(made)

    def tokens(self, account: str) -> list[ApiToken]:
        """An account's tokens, oldest first."""
        with self._database.read("list the tokens of an account") as connection:
            found = connection.execute(
                f"SELECT {rows.TOKEN} FROM account_tokens WHERE account = ? ORDER BY id", (account,)
            ).fetchall()
        return [rows.token(row) for row in found]

    def revoke_token(self, account: str, token: int, *, now: float) -> bool:
        """Let a token let nobody in from now on."""
        with self._database.write("revoke a token of an account") as connection:
            changed = connection.execute(
                "UPDATE account_tokens SET revoked = ? WHERE account = ? AND id = ? AND revoked IS NULL",
                (now, account, token),
            )
            return changed.rowcount > 0

    def find(self, digest: str) -> tuple[Account, ApiToken] | None:
        """The token with that SHA-256 and its account, as they are now."""
        with self._database.read("look for the token of an account") as connection:
            found = connection.execute(
                f"SELECT {rows.BOTH} FROM account_tokens JOIN accounts ON name = account WHERE digest = ?", (digest,)
            ).fetchone()
        return None if found is None else rows.both(found)

    def used(self, token: int, *, now: float) -> None:
        """Write down that a token was shown, unless it was just now."""
        with self._database.write("store when a token was used", durable=False) as connection:
            connection.execute(
                "UPDATE account_tokens SET last_used = ? WHERE id = ? AND (last_used IS NULL OR last_used <= ?)",
                (now, token, now - USE_SECONDS),
            )


def _locations(connection: sqlite3.Connection, name: str) -> dict[str, Role] | None:
    found = connection.execute("SELECT locations FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if found is None else rows.locations_of(found[0])


def _set_locations(connection: sqlite3.Connection, name: str, locations: dict[str, Role]) -> None:
    connection.execute("UPDATE accounts SET locations = ? WHERE name = ?", (rows.stored(locations), name))
