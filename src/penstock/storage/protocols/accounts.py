"""The seam of accounts and their API tokens."""

from __future__ import annotations

from typing import Protocol

from ...records.account import Account, ApiToken, Role

__all__ = ["USE_SECONDS", "AccountStorage"]

USE_SECONDS = 60.0
"""For so long after a use of a token another one is not written down."""


class AccountStorage(Protocol):
    """Accounts and their API tokens. Tokens are known by the SHA-256 of their text, as hex digits."""

    def add(self, account: Account) -> bool:
        """Store a new account; False when there is one of that name, which stays as it is."""
        ...

    def all(self) -> list[Account]:
        """All accounts, by name."""
        ...

    def set_role(self, name: str, role: Role, *, location: str | None = None) -> bool:
        """Give an account a role, in one code location or wherever it has no role of its own; False when there is no
        such account."""
        ...

    def unset_role(self, name: str, location: str) -> bool:
        """Let the account's general role hold in that code location again; False when it had no other there."""
        ...

    def set_disabled(self, name: str, disabled: bool) -> bool:
        """Let an account's tokens let nobody in, or let them in again; False when there is no such account."""
        ...

    def remove(self, name: str) -> bool:
        """Remove an account and its tokens; False when there is no such account."""
        ...

    def add_token(self, account: str, digest: str, label: str, *, now: float, expires: float) -> ApiToken | None:
        """Store a new token; None when there is no such account."""
        ...

    def tokens(self, account: str) -> list[ApiToken]:
        """An account's tokens, oldest first, also those that let nobody in any more."""
        ...

    def revoke_token(self, account: str, token: int, *, now: float) -> bool:
        """Let a token let nobody in from now on; False when the account has no such token, or it was revoked."""
        ...

    def find(self, digest: str) -> tuple[Account, ApiToken] | None:
        """The token with that SHA-256 and its account, as they are now, whether or not they let anybody in."""
        ...

    def used(self, token: int, *, now: float) -> None:
        """Write down that a token was shown, unless it was within the last `USE_SECONDS`."""
        ...
