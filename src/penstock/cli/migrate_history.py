"""`penstock migrate history`: carry the history of a Dagster deployment over."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import SettingsError
from ..records.act import ActKind
from .options import home_option, note_act, open_for_a_service
from .output import table
from .retention import tell_of_old

if TYPE_CHECKING:
    from ..migrate.history_tally import Tally

__all__ = ["history"]


@click.command()
@click.argument("source")
@home_option
@click.option(
    "--location",
    "locations",
    multiple=True,
    metavar="NAME | OLD=NEW",
    help="The code location that runs, schedules and sensors belong to here: for all, or for those of one location "
    "there. May be given more than once. Default: the names that they had.",
)
@click.option("--since", help="Only what happened from this day on, for example 2026-01-31 or 2026-01-31T12:00.")
@click.option("--unfinished", is_flag=True, help="Take also runs that have not ended, as failed ones.")
@click.option("--dry-run", is_flag=True, help="Read all of it and say what would be carried over; store nothing.")
def history(
    source: str, home: Path | None, locations: tuple[str, ...], since: str | None, unfinished: bool, dry_run: bool
) -> None:
    """Import the history of a Dagster deployment into a new instance.

    SOURCE is the folder that DAGSTER_HOME names, or the postgresql:// address of the database (which needs the extra
    `postgres`). It is read and never written. Carried over are runs with their events, what is known of assets,
    partitions and checks, dynamic partitions, limits of pools, ticks, and the switches and cursors of schedules and
    sensors. It can be broken off and done again: what is there already is passed over.
    """
    from ..compat.spellings import LABEL_PREFIXES
    from ..migrate.history import import_history
    from ..migrate.history_records import Names
    from ..migrate.history_source import open_source

    names = Names(LABEL_PREFIXES, _locations(locations))
    begin = None if since is None else _instant(since)
    opened = open_source(source)
    try:
        with open_for_a_service(home) as instance:
            tally = import_history(
                opened,
                instance.storage,
                names,
                clock=instance.clock,
                since=begin,
                unfinished=unfinished,
                write=not dry_run,
                progress=_Progress(),
            )
            _sum_up(tally, opened.name, dry_run=dry_run)
            if not dry_run:
                note_act(instance, ActKind.IMPORT, after=opened.name)
                tell_of_old(instance)
    finally:
        opened.close()


class _Progress:
    """Says on a terminal how far it is, on one line."""

    def __init__(self) -> None:
        self._on_terminal = sys.stderr.isatty()

    def __call__(self, runs: int, of: int, events: int) -> None:
        if self._on_terminal:
            click.echo(f"\r{runs} of {of} runs, {events} events", nl=runs >= of, err=True)


def _locations(given: tuple[str, ...]) -> dict[str, str]:
    named: dict[str, str] = {}
    for each in given:
        old, separator, new = each.partition("=")
        if separator and not (old and new):
            raise SettingsError(f"--location {each}: give OLD=NEW, or one NAME for all.")
        named[old if separator else ""] = new if separator else each
    return named


def _instant(text: str) -> float:
    try:
        return datetime.datetime.fromisoformat(text).astimezone().timestamp()
    except ValueError as error:
        raise SettingsError(f"--since {text}: {error}; give a day like 2026-01-31, or 2026-01-31T12:00.") from error


def _sum_up(tally: Tally, source: str, *, dry_run: bool) -> None:
    counts = [
        ("runs", tally.runs),
        ("events of runs", tally.events),
        ("events of no run", tally.reports),
        ("ticks", tally.ticks),
        ("switches of schedules and sensors", tally.switches),
        ("cursors of sensors", tally.cursors),
        ("dynamic partitions", tally.partitions),
        ("limits of pools", tally.pools),
    ]
    table(["WOULD BE CARRIED OVER" if dry_run else "CARRIED OVER", ""], counts, empty="")
    if tally.runs_here:
        click.echo(f"\nHere already: {tally.runs_here} of {tally.runs_there} runs.")
    for heading, counter in (("In other words", tally.as_notes), ("Left out", tally.left_out)):
        if counter:
            click.secho(f"\n{heading}:", bold=True)
            for what, count in sorted(counter.items()):
                click.echo(f"  {count:>7}  {what}")
    if tally.broken_rows:
        click.secho(f"\nCould not be read ({tally.broken_rows} rows of {source}):", bold=True)
        for place in tally.broken:
            click.echo(f"  {place}")
        if tally.broken_rows > len(tally.broken):
            click.echo(f"  ... and {tally.broken_rows - len(tally.broken)} more.")
