"""Accounts, and the tokens that speak for them."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Account", "ApiToken", "Role"]


class Role(StrEnum):
    """What an account is allowed in general; each role includes those before it."""

    VIEWER = "viewer"
    LAUNCHER = "launcher"
    EDITOR = "editor"
    ADMIN = "admin"


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person, or a program that has an account of its own.

    Args:
        name: Unique; shown beside what the account did.
        role: Its role wherever `locations` says nothing else.
        locations: Its roles in single code locations.
        disabled: Its tokens let nobody in for now.
        created: When it was made.
    """

    name: str
    role: Role
    locations: dict[str, Role] = {}
    disabled: bool = False
    created: float = 0.0


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token that speaks for an account, known by its SHA-256 alone.

    Args:
        id: For people to name it by.
        account: The account's name; the token allows what that allows at the time of use.
        digest: The SHA-256 of its text, as hex digits.
        label: What it is for, in its maker's words.
        created: When it was made.
        expires: From when on it lets nobody in.
        last_used: When it was last shown, to the minute; None before the first time.
        revoked: When it was revoked; None where it was not.
    """

    id: int
    account: str
    digest: str
    label: str
    created: float
    expires: float
    last_used: float | None = None
    revoked: float | None = None
