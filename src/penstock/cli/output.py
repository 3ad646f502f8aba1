"""How commands write: plain tables, times and errors."""

from __future__ import annotations

import datetime
import json
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from .. import errors

if TYPE_CHECKING:
    from ..records.errors import ErrorInfo
    from ..records.event import Event

__all__ = ["duration", "print_error_of", "print_event", "print_json", "table", "when"]


def table(headers: Sequence[str], rows: Sequence[Sequence[object]], *, empty: str) -> None:
    """Print rows under headers, columns padded; or `empty`, a sentence, when there are none."""
    if not rows:
        click.echo(empty)
        return
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(header), *(len(row[n]) for row in cells)) for n, header in enumerate(headers)]
    click.secho(
        "  ".join(header.ljust(width) for header, width in zip(headers, widths, strict=True)).rstrip(), bold=True
    )
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    click.echo(json.dumps(value, indent=2, sort_keys=True, default=str))


def print_event(event: Event, *, err: bool = False) -> None:
    """Print an event of a run as a line of its log, and its error with the lines of code that it came from."""
    from ..records.phrases import level_of, phrase

    level = level_of(event)
    if level != "DEBUG":
        step = f"[{event.step_key}] " if event.step_key else ""
        click.echo(f"{level:8} {step}{phrase(event)}", err=err)
        print_error_of(event, err=err)


def print_error_of(event: Event, *, err: bool = False) -> None:
    """Print the error that an event carries; not one of ours that its sentence has told already."""
    error: ErrorInfo | None = getattr(event.fact, "error", None)
    if error is not None and not _is_told(error):
        click.echo(textwrap.indent(error.render(), "    "), err=err)


def _is_told(error: ErrorInfo) -> bool:
    """Whether every error of the chain was raised on purpose by Penstock, with no line of the user's behind it."""
    links = [link for link in (error.cause, error.context) if link is not None]
    by_users = any(frame.user for frame in error.frames)
    return hasattr(errors, error.cls) and not by_users and all(map(_is_told, links))


def when(seconds: float | None) -> str:
    """An instant in local time, `2026-11-23 06:50:12`; empty for none."""
    if seconds is None:
        return ""
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float | None) -> str:
    """A length of time, `1.4s`, `3m 07s` or `2h 05m`; empty for none."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes}m {rest:02d}s"
    return f"{minutes // 60}h {minutes % 60:02d}m"
