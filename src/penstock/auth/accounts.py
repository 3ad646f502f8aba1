"""Accounts as they are made: what a name may be, and what is said of one that is taken or unknown."""

from __future__ import annotations

import re

from ..errors import NotFoundError, UsageError
from ..records.account import Account, Role
from ..storage.protocols import AccountStorage

__all__ = ["new_account", "no_such_account"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,99}")


def new_account(accounts: AccountStorage, name: str, role: Role, *, now: float) -> Account:
    """Make an account.

    Raises:
        UsageError: The name cannot be one, or is taken.
    """
    if _NAME.fullmatch(name) is None:
        raise UsageError(
            f"{name[:120]!r} cannot be the name of an account: it has 1 to 100 letters, digits and "
            "signs of `._@+-`, and begins with a letter or digit."
        )
    account = Account(name=name, role=role, created=now)
    if not accounts.add(account):
        raise UsageError(
            f"There is an account {name!r} already; choose another name, or change its role with "
            f"`penstock account set-role {name} {role}`."
        )
    return account


def no_such_account(name: str) -> NotFoundError:
    """What to raise where there is no account of that name."""
    return NotFoundError(f"There is no account {name!r}; `penstock account list` shows those that there are.")
