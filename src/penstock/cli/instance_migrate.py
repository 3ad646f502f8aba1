"""`penstock instance migrate`: bring the database up to date, or say whether it is."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..errors import StorageError
from .options import home_option, open_instance_as_it_is

__all__ = ["migrate"]

_MISSING, _NEWER = 1, 2


@click.command()
@home_option
@click.option("--check", is_flag=True, help="Only say whether something is missing.")
def migrate(home: Path | None, check: bool) -> None:
    """Bring the database up to this version's schema.

    Services do this by themselves when they start. The exit code is 0 when the database is current, 1 when --check
    finds that something is missing, and 2 when the database was made by a newer version.
    """
    from ..storage.upkeep import Tended

    with open_instance_as_it_is(home) as opened:
        storage = opened.storage
        if not isinstance(storage, Tended):
            if check:
                click.echo("This storage does not say which schema it has; without --check it is brought up to date.")
                return
            storage.migrate()
            click.echo("The storage was brought up to date.")
            return
        place, known = storage.upkeep.facts().place, storage.upkeep.known_version
        stored = storage.upkeep.stored_version()
        if stored == known:
            click.echo(f"{place} is current: it has the schema {known}.")
        elif check and stored < known:
            click.echo(f"{place} has {_schema(stored)}, and this version needs {known}; run: penstock instance migrate")
            sys.exit(_MISSING)
        else:
            try:
                storage.migrate()
            except StorageError as error:
                if stored < known:
                    raise
                click.echo(f"Error: {error}", err=True)
                sys.exit(_NEWER)
            click.echo(f"{place} was brought from {_schema(stored)} to {known}.")


def _schema(version: int) -> str:
    return f"the schema {version}" if version else "no schema yet"
