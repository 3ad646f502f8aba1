"""Accounts and their API tokens, in Postgres."""

from __future__ import annotations

from collections.abc import Sequence

from ...records.account import Account, ApiToken, Role
from ...records.act import Act, ActKind, account_subject
from .. import account_rows as rows
from ..acting import act_of
from ..deeds import gave_role, token_in_words, turned_account
from ..protocols import USE_SECONDS
from .acts import record_acts
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
            act_of(ActKind.ADD_ACCOUNT, account_subject(account.name), after=account.role),
        )

    def all(self) -> list[Account]:
        """All accounts, by name."""
        found = self._database.read("list the accounts", f"SELECT {rows.ACCOUNT} FROM accounts ORDER BY name")
        return [rows.account(row) for row in found]

    def set_role(self, name: str, role: Role, *, location: str | None = None) -> bool:
        """Give an account a role, in one code location or in general."""

        def work(tx: Transaction) -> bool:
            found = _locked_roles(tx, name)
            if found is None:
                return False
            general, locations = found
            if location is None:
                tx.send("UPDATE accounts SET role = %s WHERE name = %s", (role, name))
            else:
                _set_locations(tx, name, {**locations, location: role})
            before = general if location is None else locations.get(location)
            record_acts(tx, gave_role(name, location, before, role))
            return True

        return self._database.write("give an account a role", work)

    def unset_role(self, name: str, location: str) -> bool:
        """Let the account's general role hold in that code location again."""

        def work(tx: Transaction) -> bool:
            found = _locked_roles(tx, name)
            if found is None or location not in found[1]:
                return False
            before = found[1].pop(location)
            _set_locations(tx, name, found[1])
            record_acts(tx, gave_role(name, location, before, None))
            return True

        return self._database.write("take a role from an account", work)

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Let an account's tokens let nobody in, or let them in again."""
        return self._changes(
            "disable or enable an account",
            "UPDATE accounts SET disabled = %s WHERE name = %s RETURNING 1",
            (disabled, name),
            turned_account(name, disabled=disabled),
        )

    def remove(self, name: str) -> bool:
        """Remove an account and its tokens."""
        return self._changes(
            "remove an account",
            "DELETE FROM accounts WHERE name = %s RETURNING 1",
            (name,),
            act_of(ActKind.REMOVE_ACCOUNT, account_subject(name)),
        )

    def add_token(self, account: str, digest: str, label: str, *, now: float, expires: float) -> ApiToken | None:
        """Store a new token; None when there is no such account."""

        def work(tx: Transaction) -> ApiToken | None:
            row = tx.row(
                "INSERT INTO account_tokens (account, digest, label, created, expires) "
                "SELECT name, %s, %s, %s::float8, %s::float8 FROM accounts WHERE name = %s "
                f"RETURNING {rows.TOKEN}",
                (digest, label, now, expires, account),
            )
            if row is None:
                return None
            made = rows.token(row)
            words = token_in_words(made.id, label)
            record_acts(tx, act_of(ActKind.ADD_TOKEN, account_subject(account), after=words))
            return made

        return self._database.write("store a token of an account", work)

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
            act_of(ActKind.REVOKE_TOKEN, account_subject(account), before=token_in_words(token)),
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

    def _changes(self, doing: str, statement: str, values: Values, acts: Sequence[Act]) -> bool:
        """Whether a statement that returns what it changes has changed anything, which is recorded then."""

        def work(tx: Transaction) -> bool:
            if not tx.rows(statement, values):
                return False
            record_acts(tx, acts)
            return True

        return self._database.write(doing, work)


def _locked_roles(tx: Transaction, name: str) -> tuple[Role, dict[str, Role]] | None:
    found = tx.row("SELECT role, locations FROM accounts WHERE name = %s FOR UPDATE", (name,))
    return None if found is None else (Role(found[0]), rows.locations_of(found[1]))


def _set_locations(tx: Transaction, name: str, locations: dict[str, Role]) -> None:
    tx.send("UPDATE accounts SET locations = %s WHERE name = %s", (rows.stored(locations), name))
