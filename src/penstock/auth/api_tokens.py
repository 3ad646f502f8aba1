"""API tokens: made once and shown once, known afterwards by their hash; each speaks for an account.

A token's text is the prefix, 256 bits of chance as 64 hex digits, and 8 more of their CRC-32, by which a scanner for
leaked secrets can tell one from something alike, and a slip of the pen is known without a look into the database.
"""

from __future__ import annotations

import re
import zlib

from ..errors import UsageError
from ..ids import new_secret, secret_hash
from ..records.account import Account, ApiToken, Role
from ..storage.protocols import USE_SECONDS, AccountStorage
from .accounts import no_such_account
from .permissions import Actor

__all__ = ["DAYS", "MOST_DAYS", "PREFIX", "actor_behind", "is_well_formed", "lets_in", "new_token"]

PREFIX = "pst_"
"""What each token begins with."""

DAYS = 90
"""For how many days a token is good where nobody says otherwise."""

MOST_DAYS = 365
"""For how many days at most."""

_TEXT = re.compile(rf"{PREFIX}([0-9a-f]{{64}})([0-9a-f]{{8}})")
_DAY = 86_400.0


def new_token(
    accounts: AccountStorage, account: str, *, label: str = "", days: int = DAYS, now: float
) -> tuple[str, ApiToken]:
    """Make a token for an account; gives its text, which nobody can find out again, and what is stored.

    Raises:
        NotFoundError: There is no such account.
        UsageError: It would be good for too long, or for no time.
    """
    if not 1 <= days <= MOST_DAYS:
        raise UsageError(
            f"A token is good for 1 to {MOST_DAYS} days, not for {days}; make a new one before it expires."
        )
    secret = new_secret()
    text = f"{PREFIX}{secret}{_checksum(secret)}"
    made = accounts.add_token(account, secret_hash(text), label, now=now, expires=now + days * _DAY)
    if made is None:
        raise no_such_account(account)
    return text, made


def is_well_formed(text: str) -> bool:
    """Whether that may be the text of a token; one that is not is none, and nobody has to look for it."""
    found = _TEXT.fullmatch(text)
    return found is not None and _checksum(found[1]) == found[2]


def lets_in(account: Account, token: ApiToken, *, now: float) -> bool:
    """Whether a token is good at that time."""
    return not account.disabled and token.revoked is None and now < token.expires


def actor_behind(accounts: AccountStorage, shown: str, *, now: float) -> Actor | None:
    """For whom a shown token speaks, with the roles that the account has now; None when it lets nobody in."""
    found = accounts.find(secret_hash(shown)) if is_well_formed(shown) else None
    if found is None or not lets_in(*found, now=now):
        return None
    account, token = found
    if token.last_used is None or token.last_used <= now - USE_SECONDS:
        accounts.used(token.id, now=now)
    roles: dict[str | None, Role] = {None: account.role}
    roles.update(account.locations)
    return Actor(name=account.name, roles=roles, via=f"token {token.id}")


def _checksum(secret: str) -> str:
    return f"{zlib.crc32(secret.encode()):08x}"
