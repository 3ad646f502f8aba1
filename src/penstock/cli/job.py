"""`penstock job`: jobs of a code location, executed here or launched through the deployment."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM_CLOCK
from ..engine.one_offs import check_times
from ..errors import NotFoundError, SettingsError, UsageError
from ..records.one_off import LATE_SECONDS, OneOff
from ..storage.acting import who_acts
from .options import (
    Instant,
    config_options,
    home_option,
    load_target,
    load_targets,
    naming_places,
    open_instance,
    parse_tags,
    read_run_config,
    target_options,
    with_caller,
)
from .output import duration, print_event, table, when

__all__ = ["follow", "job", "report_execution"]


@click.group()
def job() -> None:
    """List, execute and launch jobs."""


@job.command(name="list")
@target_options(many=True)
def list_jobs(**target: Any) -> None:
    """List the jobs of the code locations."""
    from ..definitions.describe import describe

    rows = [
        (each.name, name, len(each.steps), (each.description or "").strip().partition("\n")[0])
        for name, definitions in load_targets(**target)
        for each in describe(definitions, name).jobs
        if not each.name.startswith("__")
    ]
    table(["JOB", "LOCATION", "STEPS", "DESCRIPTION"], rows, empty="No jobs.")


@job.command()
@target_options(many=True)
@home_option
@config_options
@click.option("--job", "-j", "job_name", help="The job; may be left out when there is only one.")
@click.option("--op-selection", "-o", help="Names of the ops to run, separated by commas.")
@click.option("--partition", help="The partition to run.")
def execute(
    job_name: str | None,
    op_selection: str | None,
    partition: str | None,
    home: Path | None,
    config_files: tuple[Path, ...],
    config_json: str | None,
    tags_json: str | None,
    **target: Any,
) -> None:
    """Execute a job in this process and wait for it."""
    from ..definitions.describe import describe
    from ..execution.api import execute_job
    from ..plan.launch import plan_run

    name, definitions = load_target(**target)
    known = {each: found for each, found in definitions.resolved.jobs.items() if not each.startswith("__")}
    if job_name is None and len(known) == 1:
        (job_name,) = known
    if job_name is None or job_name not in known:
        raise NotFoundError(
            f"Which job? {'There is no job ' + repr(job_name) + ' in' if job_name else 'Give -j:'} "
            f"the location {name} has: {', '.join(sorted(known)) or 'none'}."
        )
    steps = _steps(op_selection)
    began = time.monotonic()
    with naming_places(config_files):
        # What a launch would refuse is refused before anything runs; what the plan says of tags holds here too.
        planned = plan_run(
            describe(definitions, name),
            job=job_name,
            run_config=read_run_config(config_files, config_json),
            tags=with_caller(parse_tags(tags_json)),
            partition=partition,
            step_keys=steps,
            now=SYSTEM_CLOCK.now(),
        )
        result = execute_job(
            known[job_name],
            run_config=planned.run.run_config,
            instance=open_instance(home) if home else None,
            tags=planned.run.tags,
            op_selection=steps,
            raise_on_error=False,
        )
    report_execution(job_name, result, time.monotonic() - began)


def _steps(op_selection: str | None) -> tuple[str, ...] | None:
    return tuple(part.strip() for part in op_selection.split(",")) if op_selection else None


def report_execution(what: str, result: Any, seconds: float) -> None:
    """Print how an in-process execution ended, with its log; exits with 1 when it failed."""
    for event in result.all_events:
        print_event(event)
    if result.success:
        click.secho(f"{what} succeeded in {duration(seconds)} (run {result.run_id}).", fg="green")
    else:
        click.secho(f"{what} failed after {duration(seconds)} (run {result.run_id}).", fg="red", err=True)
        sys.exit(1)


@job.command()
@home_option
@config_options
@click.argument("name", required=False)
@click.option("--job", "-j", "job_name", help="The job.")
@click.option("--location", "-l", help="Its code location; may be left out when only one has a job of that name.")
@click.option("--partition", help="The partition to run.")
@click.option("--op-selection", "-o", help="Keys of the steps to run, separated by commas.")
@click.option("--wait/--no-wait", default=False, help="Wait for the run's end; exit with 1 when it failed.")
@click.option("--at", type=Instant(), help="Have it made at this time, once, instead of now.")
@click.option("--until", type=Instant(), help="With --at: do not make it later than that. Default: a day later.")
@click.option("--reason", help="With --at: why, for whoever reads of it later.")
def launch(
    name: str | None,
    job_name: str | None,
    location: str | None,
    partition: str | None,
    op_selection: str | None,
    wait: bool,
    at: float | None,
    until: float | None,
    reason: str | None,
    home: Path | None,
    config_files: tuple[Path, ...],
    config_json: str | None,
    tags_json: str | None,
) -> None:
    """Make a run and hand it to the deployment (its daemon and code servers do the work)."""
    from ..locations.catalog import Catalog
    from ..locations.partition_runs import partition_runs
    from ..plan.launch import plan_run
    from ..plan.stale import is_memoized, only_stale

    if at is None and (until is not None or reason is not None):
        raise UsageError("--until and --reason are for a run at a time to come; give it with --at.")
    if at is not None and wait:
        raise UsageError("--wait cannot be given with --at: there is no run yet.")
    wanted = job_name or name
    if not wanted:
        raise SettingsError("Which job? Give its name, for example `penstock job launch daily_report`.")
    with open_instance(home, reason=reason) as instance:
        catalog = Catalog(instance.storage.locations)
        catalog.refresh()
        owners = {
            each: found.description
            for each, found in catalog.locations.items()
            if found.description is not None and wanted in found.jobs and location in (None, each)
        }
        if len(owners) != 1:
            raise NotFoundError(
                f"The job {wanted!r} is in {'several locations: ' + ', '.join(owners) if owners else 'no location'}"
                f"{'; choose one with -l.' if owners else ' of this instance; is `penstock dev` running on it?'}"
            )
        ((name_of_location, description),) = owners.items()
        run_config, tags = read_run_config(config_files, config_json), parse_tags(tags_json)
        asked = run_config, tags
        described = next(each for each in description.jobs if each.name == wanted)
        if partition is not None:
            for own in partition_runs(catalog, name_of_location, described, [partition]).values():
                run_config, tags = run_config or own.run_config, {**own.tags, **(tags or {})}
        assets = None
        if op_selection is None and is_memoized(described, tags or {}):
            assets = only_stale(described, None, partition, catalog.assets, instance.storage.assets)
            if not assets:
                click.echo(f"All that {wanted!r} makes is up to date; nothing was launched.", err=True)
                return
        with naming_places(config_files):
            new_run = plan_run(
                description,
                assets=assets,
                job=wanted,
                run_config=run_config,
                tags=with_caller(tags),
                partition=partition,
                step_keys=_steps(op_selection),
                now=instance.clock.now(),
            )
        if at is not None:
            # It was planned for now so that mistakes show.
            one_off = OneOff(
                location=name_of_location,
                job=wanted,
                due=at,
                until=at + LATE_SECONDS if until is None else until,
                run_config=asked[0],
                tags=asked[1],
                partition=partition,
                step_keys=_steps(op_selection),
                by=who_acts(),
            )
            check_times(one_off, instance.clock.now())
            planned = instance.storage.one_offs.plan(one_off, now=instance.clock.now())
            click.echo(f"The one-off run {planned.id} is made at {when(planned.due)}.")
            return
        (made,) = instance.coordinator.submit([new_run])
        click.echo(made.run_id)
        if wait and not follow(instance, made.run_id):
            sys.exit(1)


def follow(instance: Any, run_id: str) -> bool:
    """Print a run's log lines until it ends; gives whether it succeeded."""
    from ..records.run import RunStatus

    subscription = instance.storage.notifier.subscribe()
    after = 0
    try:
        while True:
            found = instance.storage.runs.get(run_id)
            for stored in instance.storage.events.of_run(run_id, after=after):
                after = stored.id
                print_event(stored.event, err=True)
            if found is None or found.is_finished:
                click.echo(f"{run_id} {found.status if found else 'deleted'}", err=True)
                return found is not None and found.status is RunStatus.SUCCESS
            subscription.wait(2.0)
    finally:
        subscription.close()
