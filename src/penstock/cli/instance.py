"""`penstock instance`: the group of its commands, and those that look at it and clean it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..wording import length_of_time
from .alerts import alerts
from .archive import export_archive, import_archive
from .concurrency import concurrency
from .doctor import doctor
from .instance_migrate import migrate
from .options import home_option, open_instance
from .output import table
from .retention import retention

if TYPE_CHECKING:
    from ..instance.doctor.facts import FollowerFacts

__all__ = ["instance"]


@click.group()
def instance() -> None:
    """Look at the instance and tend it: its home, settings, database and pools."""


@instance.command()
@home_option
def info(home: Path | None) -> None:
    """Print the home, the storage and the settings in force."""
    from ..instance.doctor.reader import read_followers
    from ..instance.settings import render_settings

    with open_instance(home) as opened:
        click.echo(f"home: {opened.home}\n")
        table(["STORAGE", ""], list(opened.storage.describe().items()), empty="")
        now = opened.clock.now()
        if standing := [(each.setting, _standing(each, now)) for each in read_followers(opened.storage)]:
            click.echo()
            table(["FOLLOWS IT", ""], standing, empty="")
        click.secho("\nSETTINGS IN FORCE", bold=True)
        click.echo(render_settings(opened.settings))


def _standing(follower: FollowerFacts, now: float) -> str:
    if follower.error is not None:
        return f"does not answer: {follower.error}"
    if follower.behind_since is None:
        return "has everything"
    return f"lacks what has happened since {length_of_time(now - follower.behind_since)} ago"


for command in (alerts, concurrency, doctor, export_archive, import_archive, migrate, retention):
    instance.add_command(command)
