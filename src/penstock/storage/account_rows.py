"""Rows of accounts and of their tokens, as records."""

from __future__ import annotations

from typing import Any

from ..codec import decode_json, encode_json
from ..records.account import Account, ApiToken, Role

__all__ = ["ACCOUNT", "BOTH", "TOKEN", "account", "both", "locations_of", "stored", "token"]

Row = tuple[Any, ...]

ACCOUNT = "name, role, locations, disabled, accounts.created"
TOKEN = "id, account, digest, label, account_tokens.created, expires, last_used, revoked"  # noqa: S105 - columns
BOTH = f"{ACCOUNT}, {TOKEN}"
"""Of the two tables joined."""

_OF_ACCOUNT = 5


def account(row: Row) -> Account:
    """The account of a row of `ACCOUNT`."""
    name, role, locations, disabled, created = row
    return Account(
        name=name, role=Role(role), locations=locations_of(locations), disabled=bool(disabled), created=created
    )


def token(row: Row) -> ApiToken:
    """The token of a row of `TOKEN`."""
    number, name, digest, label, created, expires, last_used, revoked = row
    return ApiToken(
        id=number,
        account=name,
        digest=digest,
        label=label,
        created=created,
        expires=expires,
        last_used=last_used,
        revoked=revoked,
    )


def both(row: Row) -> tuple[Account, ApiToken]:
    """The account and the token of a row of `BOTH`."""
    return account(row[:_OF_ACCOUNT]), token(row[_OF_ACCOUNT:])


def locations_of(column: str) -> dict[str, Role]:
    """The roles in single code locations, as the column `locations` has them."""
    return decode_json(column.encode(), dict[str, Role])


def stored(locations: dict[str, Role]) -> str:
    """The column `locations` for these roles."""
    return encode_json(locations).decode()
