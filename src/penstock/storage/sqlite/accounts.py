"""Accounts and their API tokens, in SQLite."""

from __future__ import annotations

import sqlite3

from ...records.account import Account, ApiToken, Role
from ...records.act import ActKind, account_subject
from .. import account_rows as rows
from ..acting import act_of
from ..deeds import gave_role, token_in_words, turned_account
from ..protocols import USE_SECONDS
from .acts import record_acts
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
            if made.rowcount:
                record_acts(connection, act_of(ActKind.ADD_ACCOUNT, account_subject(account.name), after=account.role))
            return made.rowcount > 0

    def all(self) -> list[Account]:
        """All accounts, by name."""
        with self._database.read("list the accounts") as connection:
            found = connection.execute(f"SELECT {rows.ACCOUNT} FROM accounts ORDER BY name").fetchall()
        return [rows.account(row) for row in found]

    def set_role(self, name: str, role: Role, *, location: str | None = None) -> bool:
        """Give an account a role, in one code location or in general."""
        with self._database.write("give an account a role") as connection:
            found = _roles(connection, name)
            if found is None:
                return False
            general, locations = found
            if location is None:
                connection.execute("UPDATE accounts SET role = ? WHERE name = ?", (role, name))
            else:
                _set_locations(connection, name, {**locations, location: role})
            before = general if location is None else locations.get(location)
            record_acts(connection, gave_role(name, location, before, role))
        return True

    def unset_role(self, name: str, location: str) -> bool:
        """Let the account's general role hold in that code location again."""
        with self._database.write("take a role from an account") as connection:
            found = _roles(connection, name)
            if found is None or location not in found[1]:
                return False
            before = found[1].pop(location)
            _set_locations(connection, name, found[1])
            record_acts(connection, gave_role(name, location, before, None))
        return True

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Let an account's tokens let nobody in, or let them in again."""
        with self._database.write("disable or enable an account") as connection:
            changed = connection.execute("UPDATE accounts SET disabled = ? WHERE name = ?", (disabled, name))
            if changed.rowcount:
                record_acts(connection, turned_account(name, disabled=disabled))
            return changed.rowcount > 0

    def remove(self, name: str) -> bool:
        """Remove an account and its tokens."""
        with self._database.write("remove an account") as connection:
            connection.execute("DELETE FROM account_tokens WHERE account = ?", (name,))
            gone = connection.execute("DELETE FROM accounts WHERE name = ?", (name,)).rowcount > 0
            if gone:
                record_acts(connection, act_of(ActKind.REMOVE_ACCOUNT, account_subject(name)))
            return gone

    def add_token(self, account: str, digest: str, label: str, *, now: float, expires: float) -> ApiToken | None:
        """Store a new token; None when there is no such account."""
        with self._database.write("store a token of an account") as connection:
            made = connection.execute(
                "INSERT INTO account_tokens (account, digest, label, created, expires) "
                f"SELECT name, ?, ?, ?, ? FROM accounts WHERE name = ? RETURNING {rows.TOKEN}",
                (digest, label, now, expires, account),
            ).fetchone()
            token = None if made is None else rows.token(made)
            if token is not None:
                words = token_in_words(token.id, label)
                record_acts(connection, act_of(ActKind.ADD_TOKEN, account_subject(account), after=words))
        return token

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
            if changed.rowcount:
                words = token_in_words(token)
                record_acts(connection, act_of(ActKind.REVOKE_TOKEN, account_subject(account), before=words))
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


def _roles(connection: sqlite3.Connection, name: str) -> tuple[Role, dict[str, Role]] | None:
    found = connection.execute("SELECT role, locations FROM accounts WHERE name = ?", (name,)).fetchone()
    return None if found is None else (Role(found[0]), rows.locations_of(found[1]))


def _set_locations(connection: sqlite3.Connection, name: str, locations: dict[str, Role]) -> None:
    connection.execute("UPDATE accounts SET locations = ? WHERE name = ?", (rows.stored(locations), name))
