"""`penstock instance export` and `import`: an instance's history as a file."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import click

from ..errors import ArchiveError
from ..records.act import ActKind
from .options import home_option, note_act, open_for_a_service, open_instance
from .retention import tell_of_old

__all__ = ["export_archive", "import_archive"]


@click.command("export")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--since", type=click.DateTime(), help="Only what began at that time (local) or later.")
@click.option(
    "--job", "jobs", multiple=True, help="Only runs of this job, and nothing of schedules, sensors and pools."
)
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@home_option
def export_archive(
    home: Path | None, file: Path, since: datetime.datetime | None, jobs: tuple[str, ...], force: bool
) -> None:
    """Write the history of the instance to FILE.

    That is runs, events, asset history, checks, ticks, switches, cursors, dynamic partitions and pools' limits.
    Settings, captured output and stored values are not in it, nor are runs that have not ended. Services may go on
    meanwhile.
    """
    from ..instance.archive.export import export

    if file.exists() and not force:
        raise ArchiveError(f"{file} is there already; name another file, or give --force to replace it.")
    part = file.with_name(f"{file.name}.part")
    with open_instance(home) as opened:
        try:
            with part.open("wb") as target:
                exported = export(
                    opened.storage,
                    target,
                    now=opened.clock.now(),
                    since=None if since is None else since.timestamp(),
                    jobs=jobs,
                    told=lambda count: _progress(f"{count:,} lines"),
                )
        except OSError as error:
            raise ArchiveError(f"{file} cannot be written: {error.strerror}. Name another file.") from error
        else:
            part.replace(file)
        finally:
            part.unlink(missing_ok=True)
    _progress(None)
    click.echo(f"Wrote {_counted(exported.lines)} to {file} ({file.stat().st_size:,} bytes).")
    if exported.unfinished:
        are = "run that has" if exported.unfinished == 1 else "runs that have"
        click.echo(f"Left out: {exported.unfinished:,} {are} not ended.")


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@home_option
def import_archive(home: Path | None, file: Path) -> None:
    """Take the history in FILE into this instance, with its ids and times.

    Stop the daemon before. What is here stays as it is, and the same file may be imported once more: what is there
    already is passed over. The file is read through before anything is stored.
    """
    from ..instance.archive.intake import take_in

    with open_for_a_service(home) as opened:
        taken = take_in(
            opened.storage,
            file,
            now=opened.clock.now(),
            told=lambda done, total: _progress(f"{done:,} of {total:,} lines"),
        )
        _progress(None)
        note_act(opened, ActKind.IMPORT, after=file.name)
        click.echo(f"The archive has {_counted(taken.lines)}; new here: {_counted(taken.new)}.")
        tell_of_old(opened)


def _counted(lines: dict[str, int]) -> str:
    counted = [(lines.get(kind, 0), one, many) for kind, (one, many) in _NOUNS.items()]
    return ", ".join(f"{count:,} {one if count == 1 else many}" for count, one, many in counted if count) or "nothing"


_NOUNS = {
    "run": ("run", "runs"),
    "event": ("event", "events"),
    "tick": ("tick", "ticks"),
    "instigator": ("schedule or sensor", "schedules and sensors"),
    "one_off": ("one-off run", "one-off runs"),
    "used_key": ("run key", "run keys"),
    "partitions": ("partition set", "partition sets"),
    "pool": ("pool", "pools"),
}


def _progress(text: str | None) -> None:
    """Say how far it is, over and over on one line of a terminal; None at the end."""
    if sys.stderr.isatty():
        click.echo(f"\r{text or '':<40}" + ("\r" if text is None else ""), nl=False, err=True)
