"""Accounts and their API tokens, in Postgres."""

from __future__ import annotations

from ...records.account import Account, ApiToken, Role
from .. import account_rows as rows
from ..protocols import USE_SECONDS
from .connection import Database
from .transaction import Transaction, Values

__all__ = ["PostgresAccounts"]


class PostgresAccounts:
    """`AccountStorage` on one Postgres database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, account: Account) -> bool:
        """Store a new account; False when there is one of that name."""
        return self._changes(
            "store an account",
            "INSERT INTO accounts (name, role, locations, disabled, created) VALUES (%s, %s, %s, %s, %s) "
            "ON CONFLICT (name) DO NOTHING RETURNING 1",
            (account.name, account.role, rows.stored(account.locations), account.disabled, account.created),
        )

    def all(self) -> list[Account]:
        """All accounts, by name."""
        found = self._database.read("list the accounts", f"SELECT {rows.ACCOUNT} FROM accounts ORDER BY name")
        return [rows.account(row) for row in found]

    def set_role(self, name: str, role: Role, *, location: str | None = None) -> bool:
        """Give an account a role, in one code location or in general."""

        def work(tx: Transaction) -> bool:
            locations = _locked_locations(tx, name)
            if locations is None:
                return False
            if location is None:
                tx.send("UPDATE accounts SET role = %s WHERE name = %s", (role, name))
            else:
                _set_locations(tx, name, {**locations, location: role})
            return True

        return self._database.write("give an account a role", work)

    def unset_role(self, name: str, location: str) -> bool:
        """Let the account's general role hold in that code location again."""

        def work(tx: Transaction) -> bool:
            locations = _locked_locations(tx, name)
            if locations is None or location not in locations:
                return False
            del locations[location]
            _set_locations(tx, name, locations)
            return True

        return self._database.write("take a role from an account", work)

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Let an account's tokens let nobody in, or let them in again."""
        return self._changes(
            "disable or enable an account",
            "UPDATE accounts SET disabled = %s WHERE name = %s RETURNING 1",
            (disabled, name),
        )

    def remove(self, name: str) -> bool:
        """Remove an account and its tokens."""
        return self._changes("remove an account", "DELETE FROM accounts WHERE name = %s RETURNING 1", (name,))

    def add_token(self, account: str, digest: str, label: str, *, now: float, expires: float) -> ApiToken | None:
        """Store a new token; None when there is no such account."""
        made = self._database.write(
            "store a token of an account",
            lambda tx: tx.row(
                "INSERT INTO account_tokens (account, digest, label, created, expires) "
                "SELECT name, %s, %s, %s::float8, %s::float8 FROM accounts WHERE name = %s "
                f"RETURNING {rows.TOKEN}",
                (digest, label, now, expires, account),
            ),
        )
        return None if made is None else rows.token(made)

    def tokens(self, account: str) -> list[ApiToken]:
        """An account's tokens, oldest first."""
        found = self._database.read(
            "list the tokens of an account",
            f"SELECT {rows.TOKEN} FROM account_tokens WHERE account = %s ORDER BY id",
            (account,),
        )
        return [rows.token(row) for row in found]

    def revoke_token(self, account: str, token: int, *, now: float) -> bool:
        """Let a token let nobody in from now on."""
        return self._changes(
            "revoke a token of an account",
            "UPDATE account_tokens SET revoked = %s WHERE account = %s AND id = %s AND revoked IS NULL RETURNING 1",
            (now, account, token),
        )

    def find(self, digest: str) -> tuple[Account, ApiToken] | None:
        """The token with that SHA-256 and its account, as they are now."""
        found = self._database.read(
            "look for the token of an account",
            f"SELECT {rows.BOTH} FROM account_tokens JOIN accounts ON name = account WHERE digest = %s",
            (digest,),
        )
        return rows.both(found[0]) if found else None

    def used(self, token: int, *, now: float) -> None:
        """Write down that a token was shown, unless it was just now."""
        self._database.write(
            "store when a token was used",
            lambda tx: tx.send(
                "UPDATE account_tokens SET last_used = %s WHERE id = %s AND (last_used IS NULL OR last_used <= %s)",
                (now, token, now - USE_SECONDS),
            ),
            durable=False,
            repeatable=True,
        )

    def _changes(self, doing: str, statement: str, values: Values) -> bool:
        """Whether a statement that returns what it changes has changed anything."""
        return bool(self._database.write(doing, lambda tx: tx.rows(statement, values)))


def _locked_locations(tx: Transaction, name: str) -> dict[str, Role] | None:
    found = tx.row("SELECT locations FROM accounts WHERE name = %s FOR UPDATE", (name,))
    return None if found is None else rows.locations_of(found[0])


def _set_locations(tx: Transaction, name: str, locations: dict[str, Role]) -> None:
    tx.send("UPDATE accounts SET locations = %s WHERE name = %s", (rows.stored(locations), name))
