"""`penstock account`: who may ask a web server that wants to know, and the tokens that they show."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import NotFoundError, UsageError
from ..records.account import Account, ApiToken, Role
from .options import home_option, open_instance
from .output import table, when

__all__ = ["account"]

_NO_ROLE = "none"
_ROLES = [str(role) for role in Role]

_name = click.argument("name")


@click.group()
def account() -> None:
    """Accounts of a deployment, for `penstock webserver --require-token`."""


@account.command("add")
@_name
@click.option("--role", type=click.Choice(_ROLES), default=str(Role.VIEWER), show_default=True, help="Its role.")
@home_option
def add(home: Path | None, name: str, role: str) -> None:
    """Make the account NAME. It lets nobody in before it has a token."""
    from ..auth.accounts import new_account

    with open_instance(home) as instance:
        new_account(instance.storage.accounts, name, Role(role), now=instance.clock.now())
    click.echo(f"{name} is a new account with the role {role}.")


@account.command("list")
@home_option
def list_accounts(home: Path | None) -> None:
    """List the accounts and their roles."""
    with open_instance(home) as instance:
        found = instance.storage.accounts.all()
    rows = [(each.name, _roles(each), "disabled" if each.disabled else "", when(each.created)) for each in found]
    table(["NAME", "ROLE", "", "MADE"], rows, empty="No accounts.")


@account.command("set-role")
@_name
@click.argument("role", type=click.Choice([*_ROLES, _NO_ROLE]))
@click.option("--location", "-l", help="Let the role hold in this code location alone.")
@home_option
def set_role(home: Path | None, name: str, role: str, location: str | None) -> None:
    """Give the account NAME the ROLE, from the next request on.

    With -l it holds in that code location, in place of the general one; `none` lets the general one hold there again.
    """
    where = "" if location is None else f" in {location}"
    with open_instance(home) as instance:
        accounts = instance.storage.accounts
        if role != _NO_ROLE:
            _require(accounts.set_role(name, Role(role), location=location), name)
            click.echo(f"{name} has the role {role}{where} now.")
        elif location is None:
            raise UsageError(
                f"Each account has a general role; lock {name!r} out with `penstock account disable {name}`, or give "
                "-l to take its role in a code location."
            )
        elif accounts.unset_role(name, location):
            click.echo(f"{name} has its general role{where} now.")
        else:
            raise NotFoundError(f"{name!r} has no role of its own{where}; `penstock account list` shows what it has.")


@account.command("disable")
@_name
@home_option
def disable(home: Path | None, name: str) -> None:
    """Let the tokens of the account NAME let nobody in, until it is enabled."""
    with open_instance(home) as instance:
        _require(instance.storage.accounts.set_disabled(name, True), name)
    click.echo(f"{name} is disabled.")


@account.command("enable")
@_name
@home_option
def enable(home: Path | None, name: str) -> None:
    """Let the tokens of the account NAME let its holder in again."""
    with open_instance(home) as instance:
        _require(instance.storage.accounts.set_disabled(name, False), name)
    click.echo(f"{name} is enabled.")


@account.command("remove")
@_name
@home_option
def remove(home: Path | None, name: str) -> None:
    """Remove the account NAME and its tokens. What it did keeps its name."""
    with open_instance(home) as instance:
        _require(instance.storage.accounts.remove(name), name)
    click.echo(f"{name} is removed.")


@account.group()
def token() -> None:
    """Tokens that speak for an account."""


@token.command("create")
@_name
@click.option("--label", default="", help="What it is for, to tell it by.")
@click.option("--days", type=click.IntRange(1, 365), default=90, show_default=True, help="For how long it is good.")
@home_option
def create(home: Path | None, name: str, label: str, days: int) -> None:
    """Make a token for the account NAME and print it. It cannot be shown again."""
    from ..auth.api_tokens import new_token

    with open_instance(home) as instance:
        text, made = new_token(instance.storage.accounts, name, label=label, days=days, now=instance.clock.now())
    click.echo(text)
    click.echo(
        f"This is token {made.id}, good until {when(made.expires)}. Keep it now: it cannot be shown again.", err=True
    )


@token.command("list")
@_name
@home_option
def list_tokens(home: Path | None, name: str) -> None:
    """List the tokens of the account NAME."""
    with open_instance(home) as instance:
        accounts, now = instance.storage.accounts, instance.clock.now()
        _require(any(each.name == name for each in accounts.all()), name)
        found = accounts.tokens(name)
    rows = [
        (str(each.id), each.label, _state(each, now), when(each.created), when(each.expires), when(each.last_used))
        for each in found
    ]
    table(["ID", "LABEL", "STATE", "MADE", "EXPIRES", "LAST USED"], rows, empty="No tokens.")


@token.command("revoke")
@_name
@click.argument("token_id", type=int)
@home_option
def revoke(home: Path | None, name: str, token_id: int) -> None:
    """Let the token TOKEN_ID of the account NAME let nobody in, from the next request on."""
    with open_instance(home) as instance:
        if not instance.storage.accounts.revoke_token(name, token_id, now=instance.clock.now()):
            raise NotFoundError(
                f"The account {name!r} has no token {token_id} that is not revoked; `penstock account token list "
                f"{name}` shows those it has."
            )
    click.echo(f"Token {token_id} of {name} lets nobody in any more.")


def _require(found: bool, name: str) -> None:
    from ..auth.accounts import no_such_account

    if not found:
        raise no_such_account(name)


def _roles(each: Account) -> str:
    return ", ".join([each.role, *(f"{role} in {place}" for place, role in sorted(each.locations.items()))])


def _state(each: ApiToken, now: float) -> str:
    if each.revoked is not None:
        return "revoked"
    return "good" if now < each.expires else "expired"
