"""`penstock instance`: the group of its commands, and those that look at it and clean it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..wording import length_of_time
from .archive import export_archive, import_archive
from .concurrency import concurrency
from .doctor import doctor
from .instance_migrate import migrate
from .options import home_option, open_instance
from .output import table

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


@instance.command(name="purge-logs")
@home_option
@click.option("--days", type=click.IntRange(0), help="How old, from a run's end. Default: what the settings say.")
@click.option("--dry-run", is_flag=True, help="Only say which runs it would be.")
def purge_logs(home: Path | None, days: int | None, dry_run: bool) -> None:
    """Remove what the steps of old runs printed, as the daemon does once an hour; runs and their events stay."""
    from ..instance.log_retention import expired_logs

    with open_instance(home) as opened:
        age = opened.settings.retention.compute_logs.purge_after_days if days is None else days
        found = list(expired_logs(opened.logs, opened.storage.runs, days=age, now=opened.clock.now()))
        for run_id in found:
            if not dry_run:
                opened.logs.delete(run_id)
            click.echo(run_id)
        did = "would be removed" if dry_run else "removed"
        click.echo(f"{did.capitalize()}: what the steps of {len(found)} runs printed.")


for command in (concurrency, doctor, export_archive, import_archive, migrate):
    instance.add_command(command)
