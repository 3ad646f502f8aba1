"""`penstock run`: look at runs, read their logs and stop them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import NotFoundError, SettingsError
from .options import caller, home_option, open_instance
from .output import duration, print_error_of, print_json, table, when

if TYPE_CHECKING:
    from ..records.run import StepStats

__all__ = ["run"]


@click.group()
def run() -> None:
    """List and show runs, read their logs, cancel them."""


@run.command(name="list")
@home_option
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--status", "statuses", multiple=True, help="Only runs in this status, for example FAILURE.")
@click.option("--job", "-j", help="Only runs of this job.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_runs(home: Path | None, limit: int, statuses: tuple[str, ...], job: str | None, as_json: bool) -> None:
    """List runs, newest first."""
    from ..records.run import RunStatus
    from ..storage.protocols import RunFilter

    unknown = [status for status in statuses if status.upper() not in RunStatus.__members__]
    if unknown:
        raise SettingsError(f"There is no run status {unknown[0]!r}; there are: {', '.join(RunStatus)}.")
    wanted = tuple(RunStatus(status.upper()) for status in statuses) or None
    with open_instance(home) as instance:
        runs = instance.storage.runs.page(RunFilter(statuses=wanted, job=job), limit=limit)
    if as_json:
        print_json(
            [
                {
                    "run_id": each.run_id,
                    "job": each.job,
                    "location": each.location,
                    "status": each.status,
                    "created": each.created,
                    "started": each.started,
                    "ended": each.ended,
                    "tags": each.tags,
                }
                for each in runs
            ]
        )
        return
    table(
        ["RUN", "STATUS", "JOB", "LOCATION", "CREATED", "TOOK"],
        [
            (
                each.run_id,
                each.status,
                each.job,
                each.location,
                when(each.created),
                duration(each.ended - each.started if each.ended and each.started else None),
            )
            for each in runs
        ],
        empty="No runs.",
    )


@run.command()
@home_option
@click.argument("run_id")
@click.option("--logs/--no-logs", default=True, show_default=True, help="Print the run's events.")
def show(home: Path | None, run_id: str, logs: bool) -> None:
    """Show one run with its steps, where the time of each went, and its events."""
    from ..records.phrases import phrase

    with open_instance(home) as instance:
        found = instance.storage.runs.get(run_id)
        if found is None:
            raise NotFoundError(f"There is no run {run_id!r}; `penstock run list` shows those that there are.")
        for label, value in (
            ("run", found.run_id),
            ("job", f"{found.job} (location {found.location})"),
            ("status", f"{found.status}{f': {found.note}' if found.note else ''}"),
            ("created", when(found.created)),
            ("took", duration(found.ended - found.started if found.ended and found.started else None)),
            ("tags", ", ".join(f"{key}={value}" for key, value in sorted(found.tags.items()))),
        ):
            if value:
                click.echo(f"{label + ':':9}{value}")
        steps = instance.storage.events.step_stats(run_id)
        if steps:
            click.echo()
            _print_steps(steps)
            click.echo()
        after = 0
        while logs:
            page = instance.storage.events.of_run(run_id, after=after, limit=1000)
            if not page:
                break
            after = page[-1].id
            for stored in page:
                step = f"[{stored.event.step_key}] " if stored.event.step_key else ""
                click.echo(f"{when(stored.event.time)}  {stored.event.type:28}  {step}{phrase(stored.event)}")
                print_error_of(stored.event)


def _print_steps(steps: Sequence[StepStats]) -> None:
    """The steps with the figures of their last attempts."""
    from ..records.step_figures import StepFigures

    rows: list[tuple[object, ...]] = []
    for each in steps:
        known = (each.attempts[-1].figures if each.attempts else None) or StepFigures()
        times = (known.queued, known.starting, known.loading, known.computing, known.storing, known.cpu)
        rows.append(
            (
                each.step_key,
                each.status,
                len(each.attempts),
                *("" if seconds is None else f"{seconds:.3f}s" for seconds in times),
                "" if known.peak_memory is None else f"{known.peak_memory / 1e6:.1f} MB",
            )
        )
    headers = ["STEP", "STATUS", "TRIES", "QUEUE", "START", "LOAD", "COMPUTE", "STORE", "CPU", "PEAK MEMORY"]
    table(headers, rows, empty="")


@run.command()
@home_option
@click.argument("run_id")
@click.option(
    "--step", "steps", multiple=True, help="Only what this step told and printed; may be given more than once."
)
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice(["events", "stdout", "stderr"]),
    help="Only this; may be given more than once. Default: all, in the order in which it came.",
)
@click.option("--follow", is_flag=True, help="Go on until the run ends.")
def logs(home: Path | None, run_id: str, steps: tuple[str, ...], sources: tuple[str, ...], follow: bool) -> None:
    """Print a run's log: its events and what its steps printed, as one stream."""
    from .run_logs import print_logs

    with open_instance(home) as instance:
        print_logs(instance, run_id, steps=steps, sources=sources, follow=follow)


@run.command()
@home_option
@click.argument("run_ids", nargs=-1, required=True)
@click.option("--force", is_flag=True, help="Kill the run's processes at once, without the grace period.")
def cancel(home: Path | None, run_ids: tuple[str, ...], force: bool) -> None:
    """Ask runs to stop."""
    with open_instance(home) as instance:
        for run_id in run_ids:
            if instance.storage.runs.get(run_id) is None:
                raise NotFoundError(f"There is no run {run_id!r}; `penstock run list` shows those that there are.")
            instance.coordinator.cancel(run_id, force=force, actor=caller().actor)
            after = instance.storage.runs.get(run_id)
            click.echo(f"{run_id}  {after.status if after else 'deleted'}")
