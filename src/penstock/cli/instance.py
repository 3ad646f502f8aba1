"""`penstock instance`: look at the instance."""

from __future__ import annotations

from pathlib import Path

import click

from .options import home_option, open_instance
from .output import table

__all__ = ["instance"]


@click.group()
def instance() -> None:
    """Look at the instance: its home, settings and storage."""


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
