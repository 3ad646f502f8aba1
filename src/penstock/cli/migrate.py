"""`penstock migrate`: move a project of Dagster's here, and the history of its deployment."""

from __future__ import annotations

import difflib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

import penstock

from ..errors import SettingsError
from ..instance.settings_file import file_schema
from ..locations.workspace import WORKSPACE_SCHEMA
from .migrate_history import history

if TYPE_CHECKING:
    from ..migrate.model import Change, Spellings

__all__ = ["migrate", "spellings"]


class _ProjectFirst(click.Group):
    """A group whose command `project` is meant where none is named: `penstock migrate .`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in {*self.commands, *ctx.help_option_names}:
            args = ["project", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ProjectFirst)
def migrate() -> None:
    """Move here from Dagster: a project's code (`penstock migrate PATH`), or a history (`penstock migrate history`)."""


@migrate.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option("--write", is_flag=True, help="Change the files; without it, only show what would change.")
def project(path: Path, write: bool) -> None:
    """Move a project: its imports, names, settings and dependencies.

    PATH is the project's folder, or one file. What would change is shown as a diff, and then, with file and line, what
    cannot be carried over and what to do about it. Nothing of the project is run. The word `project` may be left out.
    Needs the extra `migrate`.
    """
    try:
        from ..migrate.project import migrate_project
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"`penstock migrate` needs {error.name}; install it with: pip install 'penstock[migrate]'"
        ) from error
    folder = path if path.is_dir() else path.parent
    changes = list(migrate_project(path, spellings(), settings=file_schema(), workspace=WORKSPACE_SCHEMA))
    for change in changes:
        _show(change, folder)
        if write:
            _apply(change)
    _sum_up(changes, folder, written=write)


migrate.add_command(history)


def spellings() -> Spellings:
    """What Dagster calls otherwise."""
    from ..compat.differences import LEFT_OUT
    from ..compat.spellings import ATTRIBUTES, LABEL_PREFIXES, NAMES, PARAMETERS
    from ..migrate.model import Spellings

    return Spellings(NAMES, PARAMETERS, ATTRIBUTES, LABEL_PREFIXES, frozenset(penstock.__all__), LEFT_OUT)


def _show(change: Change, folder: Path) -> None:
    lines = difflib.unified_diff(
        change.before.splitlines(keepends=True),
        change.after.splitlines(keepends=True),
        f"a/{change.path.relative_to(folder)}",
        f"b/{change.to.relative_to(folder)}",
    )
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in lines:
        whole = line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        click.secho(whole, nl=False, fg=None if line.startswith(("+++", "---")) else colours.get(line[:1]))


def _apply(change: Change) -> None:
    if change.to != change.path and change.to.exists():
        raise SettingsError(f"{change.to} is there already; remove it, or {change.path}, and run the command again.")
    if change.after != change.before or change.to != change.path:
        change.to.write_bytes(change.after.encode())
    if change.to != change.path:
        change.path.unlink()


def _sum_up(changes: list[Change], folder: Path, *, written: bool) -> None:
    changed = sum(1 for each in changes if each.after != each.before or each.to != each.path)
    notes = [(each.path.relative_to(folder), note) for each in changes for note in each.notes]
    if notes:
        click.secho(f"\nLeft to you ({len(notes)}):", bold=True)
        for path, note in notes:
            click.echo(f"  {path}:{note.line}: {note.text}")
    files = f"{changed} file{'' if changed == 1 else 's'}"
    click.echo()
    if not changed:
        click.echo("Nothing to change.")
    elif written:
        click.echo(f"Changed {files}. See that the project loads: penstock definitions validate")
    else:
        click.echo(f"{files} would change; run the command again with --write.")
    sys.stdout.flush()
