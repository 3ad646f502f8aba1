"""`penstock instance`: the group of its commands, and those that look at it and clean it."""

from __future__ import annotations

from pathlib import Path

import click

from .archive import export_archive, import_archive
from .concurrency import concurrency
from .doctor import doctor
from .instance_migrate import migrate
from .options import home_option, open_instance
from .output import table
from .retention import retention

__all__ = ["instance"]


@click.group()
def instance() -> None:
    """Look at the instance and tend it: its home, settings, database and pools."""


@instance.command()
@home_option
def info(home: Path | None) -> None:
    """Print the home, the storage and the settings in force."""
    from ..instance.settings import render_settings

    with open_instance(home) as opened:
        click.echo(f"home: {opened.home}\n")
        table(["STORAGE", ""], list(opened.storage.describe().items()), empty="")
        click.secho("\nSETTINGS IN FORCE", bold=True)
        click.echo(render_settings(opened.settings))


for command in (concurrency, doctor, export_archive, import_archive, migrate, retention):
    instance.add_command(command)
