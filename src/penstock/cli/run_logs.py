"""Prints a run's events and output as one stream, and follows it until the run ends."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..errors import NotFoundError
from .output import print_error_of

if TYPE_CHECKING:
    from ..instance.instance import Instance
    from ..logs.merged import OutputLine
    from ..records.event import StoredEvent

__all__ = ["print_logs"]

_PAGE = 1000
_LOOK_SECONDS = 5.0


def print_logs(instance: Instance, run_id: str, *, steps: Sequence[str], sources: Sequence[str], follow: bool) -> None:
    """Print what there is, and with `follow` what comes.

    Args:
        instance: Where the run is.
        run_id: The run.
        steps: Only of these steps; of the whole run if there are none.
        sources: Of `events`, `stdout` and `stderr`; all if there are none.
        follow: Wait for more until the run has ended.

    Raises:
        NotFoundError: There is no such run.
    """
    from ..logs.keeper import topic_of
    from ..logs.merged import merged_page
    from ..logs.store import STREAMS

    topics = {f"run:{run_id}", topic_of(run_id), "*"}
    subscription = instance.storage.notifier.subscribe()
    cursor = None
    try:
        while True:
            found = instance.storage.runs.get(run_id)
            if found is None:
                raise NotFoundError(f"There is no run {run_id!r}; `penstock run list` shows those that there are.")
            has_more = True
            while has_more:
                page = merged_page(
                    instance.storage.events,
                    instance.logs,
                    run_id,
                    cursor=cursor,
                    limit=_PAGE,
                    step_keys=steps or None,
                    with_events=not sources or "events" in sources,
                    streams=[stream for stream in STREAMS if not sources or stream in sources],
                    is_over=found.is_finished,
                )
                for entry in page.entries:
                    _print(entry)
                cursor, has_more = page.cursor, page.has_more
            if found.is_finished or not follow:
                return
            while not topics & (heard := subscription.wait(_LOOK_SECONDS)):
                if not heard:
                    break  # a hint may be lost: look all the same
    finally:
        subscription.close()


def _print(entry: StoredEvent | OutputLine) -> None:
    from ..logs.merged import OutputLine
    from ..records.phrases import phrase

    if isinstance(entry, OutputLine):
        click.echo(f"{_clock(entry.time)}  {entry.stream}  [{entry.file_key}] {entry.text}")
        return
    event = entry.event
    step = f"[{event.step_key}] " if event.step_key else ""
    click.echo(f"{_clock(event.time)}  events  {step}{phrase(event)}")
    print_error_of(event)


def _clock(seconds: float | None) -> str:
    """The time of day, to the millisecond; as wide where it is not known."""
    if seconds is None:
        return " " * 12
    return datetime.datetime.fromtimestamp(seconds).astimezone().strftime("%H:%M:%S.%f")[:-3]
