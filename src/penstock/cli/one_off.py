"""`penstock one-off`: runs that were asked for at an instant; `penstock job launch --at` asks for them."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import NotFoundError, UsageError
from ..records.one_off import OneOffStatus
from .options import home_option, open_instance
from .output import table, when

__all__ = ["one_off"]


@click.group()
def one_off() -> None:
    """List and cancel runs that were asked for at an instant."""


@one_off.command(name="list")
@home_option
@click.option("--limit", default=25, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
def list_all(home: Path | None, limit: int) -> None:
    """List one-off runs, the newest asked for first."""
    with open_instance(home) as instance:
        rows = [
            (each.id, each.job, each.location, when(each.due), each.status, each.run_id or each.note or each.by.reason)
            for each in instance.storage.one_offs.page(limit=limit)
        ]
    table(["ID", "JOB", "LOCATION", "DUE", "STATUS", "RUN OR REASON"], rows, empty="No one-off runs.")


@one_off.command()
@home_option
@click.argument("number", type=int)
@click.option("--reason", help="Why, for whoever reads of it later.")
def cancel(home: Path | None, number: int, reason: str | None) -> None:
    """Call off a one-off run that waits."""
    with open_instance(home, reason=reason) as instance:
        found = instance.storage.one_offs.cancel(number, now=instance.clock.now())
    if found is None:
        raise NotFoundError(f"There is no one-off run {number}; `penstock one-off list` shows those that there are.")
    if found.status is not OneOffStatus.CANCELED:
        raise UsageError(f"The one-off run {number} waits no more, it is {found.status}; nothing was changed.")
    click.echo(f"{number}: canceled")
