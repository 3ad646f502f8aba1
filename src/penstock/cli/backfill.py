"""`penstock backfill`: ask for many partitions, and see to what was asked for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import ConfigurationError, NotFoundError, SettingsError
from .options import caller, config_options, home_option, naming_places, open_instance, parse_tags, read_run_config
from .output import duration, print_json, table, when

if TYPE_CHECKING:
    from ..engine.backfill_progress import Pace, Progress
    from ..instance.instance import Instance
    from ..locations.catalog import Catalog
    from ..records.backfill import Backfill, BackfillPlan
    from ..storage.protocols import BackfillChange

__all__ = ["backfill"]

_GROUPS_CHECKED = 20


@click.group()
def backfill() -> None:
    """Ask for many partitions at once, and see to what was asked for. The daemon makes the runs."""


# -- asking ------------------------------------------------------------------------------------------------------------


@backfill.command()
@home_option
@config_options
@click.option("--job", "-j", help="A partitioned job.")
@click.option("--asset", "-a", "assets", multiple=True, help="An asset, as `key` or `a/b`; may be repeated.")
@click.option("--location", "-l", help="The code location; a job needs it where several have one of that name.")
@click.option("--partition", "partitions", multiple=True, help="A partition; may be repeated.")
@click.option("--from", "first", help="With --to: all partitions from this one on.")
@click.option("--to", "last", help="With --from: the last partition.")
@click.option("--all", "is_all", is_flag=True, help="All partitions.")
@click.option("--only-missing", is_flag=True, help="Leave out what was made or is on its way.")
@click.option("--title", help="What people call it.")
@click.option("--description", help="What people say of it.")
@click.option("--priority", default=0, help="Of its runs; higher goes first.")
@click.option("--wait/--no-wait", default=False, help="Wait for its end; exit with 1 when not all was made.")
def launch(
    job: str | None,
    assets: tuple[str, ...],
    location: str | None,
    partitions: tuple[str, ...],
    first: str | None,
    last: str | None,
    is_all: bool,
    only_missing: bool,
    title: str | None,
    description: str | None,
    priority: int,
    wait: bool,
    home: Path | None,
    config_files: tuple[Path, ...],
    config_json: str | None,
    tags_json: str | None,
) -> None:
    """Ask for partitions of a job or of assets; prints the backfill's id."""
    from ..instance.backfill_request import BackfillRequest, first_line, planned_backfill
    from ..locations.catalog import Catalog

    if bool(job) == bool(assets):
        raise SettingsError("Say what to make: a job with --job, or assets with --asset.")
    if sum((bool(partitions), first is not None or last is not None, is_all)) != 1:
        raise SettingsError("Say which partitions: --partition, or --from and --to, or --all.")
    if (first is None) != (last is None):
        raise SettingsError("--from and --to go together.")
    with open_instance(home) as instance:
        catalog = Catalog(instance.storage.locations)
        catalog.refresh()
        location = _location_of(catalog, job, location) if job else location
        now = instance.clock.now()
        keys: Sequence[str] | None = partitions or None
        if first is not None and last is not None:
            keys = _between(instance, catalog, location, job, assets, (first, last), now)
        request = BackfillRequest(
            location=location,
            job=job,
            assets=assets or None,
            partitions=None if keys is None else tuple(keys),
            only_missing=only_missing,
            run_config=read_run_config(config_files, config_json),
            tags=parse_tags(tags_json) or {},
            title=title,
            description=description,
            priority=priority,
            user=caller().actor,
        )
        asked, plan = planned_backfill(catalog, instance.storage.assets, request, now=now)
        with naming_places(config_files):
            _refuse_what_cannot_run(instance, catalog, asked, plan)
        instance.storage.backfills.add(asked, plan, line=first_line(asked, now))
        click.echo(asked.backfill_id)
        if wait and not _follow(instance, asked.backfill_id):
            sys.exit(1)


def _location_of(catalog: Catalog, job: str, location: str | None) -> str:
    owners = [name for name, found in catalog.locations.items() if job in found.jobs and location in (None, name)]
    if len(owners) != 1:
        raise NotFoundError(
            f"The job {job!r} is in {'several locations: ' + ', '.join(sorted(owners)) if owners else 'no location'}"
            f"{'; choose one with -l.' if owners else ' of this instance; is `penstock dev` running on it?'}"
        )
    return owners[0]


def _between(
    instance: Instance,
    catalog: Catalog,
    location: str | None,
    job: str | None,
    assets: Sequence[str],
    ends: tuple[str, str],
    now: float,
) -> list[str]:
    """The keys from one to another, of the job's set or that of the first asset that has one."""
    from ..partitions.definition import keys_of, position_of
    from ..partitions.space import between, open_space

    described = catalog.job(location or "", job) if job else None
    of_assets = [
        found[1].partitions
        for key in assets or (described.assets if described else ())
        if (found := catalog.asset(key))
    ]
    specs = [spec for spec in (described.partitions if described else None, *of_assets) if spec is not None]
    if not specs:
        raise ConfigurationError("None of it is partitioned, so --from and --to mean nothing; use --all.")
    space = open_space(specs[0], instance.storage.assets.dynamic_partitions, now)
    chosen = between(space, position_of(space, ends[0], now), position_of(space, ends[1], now))
    if not chosen:
        raise ConfigurationError(
            f"The range of partitions from {ends[0]!r} to {ends[1]!r} runs backwards; swap the two."
        )
    return keys_of(space, chosen)


def _refuse_what_cannot_run(instance: Instance, catalog: Catalog, asked: Backfill, plan: BackfillPlan) -> None:
    """Raise what the first run of a group would be refused for."""
    from ..engine.backfill import space_of
    from ..plan.launch import plan_run

    for group in islice(plan.groups, _GROUPS_CHECKED):
        described = catalog.locations[group.location].description
        assert described is not None
        space = space_of(plan, group)
        plan_run(
            described,
            job=group.job,
            run_config=plan.run_config,
            tags=asked.tags,
            partition=None if space is None else space.key(group.chosen.ranges[0][0]),
            assets=group.assets or None,
            step_keys=plan.step_keys,
            now=plan.now,
            dynamic_keys=instance.storage.assets.dynamic_partitions,
        )


def _follow(instance: Instance, backfill_id: str) -> bool:
    """Wait for the end of a backfill, with a line whenever it has come further; gives whether all was made."""
    from ..records.backfill import BackfillStatus

    subscription = instance.storage.notifier.subscribe()
    told = ""
    try:
        while True:
            found = instance.storage.backfills.get(backfill_id)
            if found is None:
                raise NotFoundError(f"The backfill {backfill_id} was deleted meanwhile.")
            line = _in_words(_progress(instance, [found])[backfill_id])
            if line != told or not found.is_open:
                click.echo(f"{found.status}: {line}", err=True)
                told = line
            if not found.is_open:
                return found.status is BackfillStatus.COMPLETED_SUCCESS
            subscription.wait(2.0)
    finally:
        subscription.close()


# -- looking -----------------------------------------------------------------------------------------------------------


@backfill.command(name="list")
@home_option
@click.option("--limit", default=20, show_default=True, help="How many, newest first.")
@click.option("--status", "statuses", multiple=True, help="Only those in this status, for example REQUESTED.")
@click.option("--job", "-j", help="Only those of this job.")
@click.option("--asset", "-a", help="Only those that are to make this asset, as `key` or `a/b`.")
@click.option("--user", help="Only those that this user has asked for.")
@click.option("--text", help="Only those that have this in their title, description, job or id.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_backfills(
    home: Path | None,
    limit: int,
    statuses: tuple[str, ...],
    job: str | None,
    asset: str | None,
    user: str | None,
    text: str | None,
    as_json: bool,
) -> None:
    """List backfills, newest first. All that is given must hold."""
    from ..records.backfill import BackfillStatus
    from ..storage.protocols import BackfillFilter

    unknown = [status for status in statuses if status.upper() not in BackfillStatus.__members__]
    if unknown:
        raise SettingsError(f"There is no backfill status {unknown[0]!r}; there are: {', '.join(BackfillStatus)}.")
    where = BackfillFilter(
        statuses=tuple(BackfillStatus(status.upper()) for status in statuses) or None,
        job=job,
        asset=asset,
        user=user,
        text=text,
    )
    with open_instance(home) as instance:
        found = instance.storage.backfills.page(where, limit=limit)
        progress = _progress(instance, found)
    if as_json:
        print_json([_as_json(each, progress[each.backfill_id]) for each in found])
        return
    rows = [
        (
            each.backfill_id,
            "PAUSED" if each.paused and each.is_open else each.status,
            each.title or _target(each),
            each.user or "",
            when(each.created),
            _in_words(progress[each.backfill_id]),
        )
        for each in found
    ]
    is_any = where == BackfillFilter()
    empty = "No backfills." if is_any else "No backfill fits; without options all are listed."
    table(["BACKFILL", "STATUS", "OF", "BY", "CREATED", "PARTITIONS"], rows, empty=empty)


@backfill.command()
@home_option
@click.argument("backfill_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def show(home: Path | None, backfill_id: str, as_json: bool) -> None:
    """Show one backfill: how far each asset has come, and its log."""
    from ..engine.backfill_progress import pace_of, progress_by_asset

    with open_instance(home) as instance:
        now = instance.clock.now()
        found = _existing(instance, backfill_id)
        whole = _progress(instance, [found])[backfill_id]
        plan = instance.storage.backfills.plan(backfill_id)
        assert plan is not None
        counts = instance.storage.backfills.counts([backfill_id]).get(backfill_id, [])
        by_asset = progress_by_asset(plan, counts)
        log = instance.storage.backfills.log(backfill_id)
    if as_json:
        assets = {key: _counts(progress) for key, progress in by_asset.items() if key is not None}
        print_json({**_as_json(found, whole), "assets": assets, "log": [[each.time, each.message] for each in log]})
        return
    for label, value in (
        ("backfill", found.backfill_id),
        ("title", found.title),
        ("of", f"job {found.job}" if found.job else _target(found)),
        ("by", found.user),
        ("status", f"{found.status}{f': {found.note}' if found.note else ''}"),
        ("created", when(found.created)),
        ("took", duration(found.ended - found.created if found.ended else None)),
        ("made", _in_words(whole)),
        ("left", _left(pace_of(found, whole, now))),
        ("tags", ", ".join(f"{key}={value}" for key, value in sorted(found.tags.items()))),
    ):
        if value:
            click.echo(f"{label + ':':11}{value}")
    click.echo()
    rows = [
        (key or found.job, _in_words(each)) for key, each in sorted(by_asset.items(), key=lambda item: item[0] or "")
    ]
    table(["ASSET" if found.asset_count else "JOB", "PARTITIONS"], rows, empty="")
    click.echo()
    for line in log:
        click.echo(f"{when(line.time)}  {line.level:8} {line.message}")


def _target(found: Backfill) -> str:
    """What it makes: its job, or its assets, one of them by name."""
    if found.job is not None:
        return found.job
    if found.first_asset is None:
        return f"{found.asset_count} assets"
    more = found.asset_count - 1
    return f"{found.first_asset} and {more} more" if more else found.first_asset


def _existing(instance: Instance, backfill_id: str) -> Backfill:
    found = instance.storage.backfills.get(backfill_id)
    if found is None:
        raise NotFoundError(
            f"There is no backfill {backfill_id!r}; `penstock backfill list` shows those that there are."
        )
    return found


def _progress(instance: Instance, backfills: Sequence[Backfill]) -> dict[str, Progress]:
    from ..engine.backfill_progress import progress_of

    counts = instance.storage.backfills.counts([each.backfill_id for each in backfills])
    return {each.backfill_id: progress_of(each, counts.get(each.backfill_id, [])) for each in backfills}


def _counts(progress: Progress) -> dict[str, int]:
    return {field: getattr(progress, field) for field in (*progress.__struct_fields__, "waiting")}


def _as_json(found: Backfill, progress: Progress) -> dict[str, Any]:
    import msgspec

    fields: dict[str, Any] = msgspec.to_builtins(found)
    return {**fields, "counts": _counts(progress)}


def _left(pace: Pace | None) -> str:
    """For example `2 min at 340 partitions an hour`."""
    return "" if pace is None else f"{duration(pace.seconds_left)} at {pace.per_hour:,.0f} partitions an hour"


def _in_words(progress: Progress) -> str:
    """For example `7 of 10 made, 2 failed, 1 waiting`."""
    counts = _counts(progress)
    words = {"failed": "failed", "skipped": "skipped", "canceled": "canceled"}
    words |= {"in_progress": "in progress", "waiting": "waiting"}
    rest = [f"{counts[field]} {word}" for field, word in words.items() if counts[field]]
    return ", ".join([f"{progress.materialized} of {progress.total} made", *rest])


# -- changing ----------------------------------------------------------------------------------------------------------


@backfill.command()
@home_option
@click.argument("backfill_ids", nargs=-1, required=True)
def cancel(home: Path | None, backfill_ids: tuple[str, ...]) -> None:
    """Stop backfills: no more runs are made, and those that have not ended are canceled."""
    from ..records.backfill import BackfillStatus
    from ..storage.protocols import BackfillChange

    _change(home, backfill_ids, BackfillChange(status=BackfillStatus.CANCELING), "Asked to stop")


@backfill.command()
@home_option
@click.argument("backfill_ids", nargs=-1, required=True)
def pause(home: Path | None, backfill_ids: tuple[str, ...]) -> None:
    """Hold backfills for the time being: no more runs are made, and those in the queue stay there."""
    from ..storage.protocols import BackfillChange

    _change(home, backfill_ids, BackfillChange(paused=True), "Paused")


@backfill.command()
@home_option
@click.argument("backfill_ids", nargs=-1, required=True)
def resume(home: Path | None, backfill_ids: tuple[str, ...]) -> None:
    """Let paused backfills go on, and take up again those that have FAILED."""
    from ..records.backfill import BackfillStatus
    from ..storage.protocols import BackfillChange

    with open_instance(home) as instance:
        failed = [each for each in backfill_ids if _existing(instance, each).status is BackfillStatus.FAILED]
    _change(home, failed, BackfillChange(status=BackfillStatus.REQUESTED), "Told to go on")
    _change(home, [each for each in backfill_ids if each not in failed], BackfillChange(paused=False), "Told to go on")


@backfill.command()
@home_option
@click.argument("backfill_id")
@click.argument("priority", type=int)
def priority(home: Path | None, backfill_id: str, priority: int) -> None:
    """Set the priority of a backfill's runs, those that wait in the queue included."""
    from ..storage.protocols import BackfillChange

    _change(home, [backfill_id], BackfillChange(priority=priority), f"Priority set to {priority}")


def _change(home: Path | None, backfill_ids: Sequence[str], change: BackfillChange, words: str) -> None:
    from ..records.backfill import BackfillLine

    with open_instance(home) as instance:
        for backfill_id in backfill_ids:
            before = _existing(instance, backfill_id)
            now = instance.clock.now()
            line = BackfillLine(time=now, message=f"{words} by {caller().actor}.")
            after = instance.storage.backfills.change(backfill_id, change, line=line, now=now)
            if after == before and not before.is_open:
                raise ConfigurationError(f"The backfill {backfill_id} is {before.status}, which does not allow that.")
            click.echo(f"{backfill_id}  {after.status if after else 'deleted'}")


@backfill.command()
@home_option
@click.argument("backfill_id")
@click.option("--all", "is_all", is_flag=True, help="Everything that it asked for, not only what was not made.")
def again(home: Path | None, backfill_id: str, is_all: bool) -> None:
    """Ask again for what an ended backfill did not make; prints the new backfill's id."""
    from ..instance.backfill_again import request_again
    from ..instance.backfill_request import first_line, planned_backfill
    from ..locations.catalog import Catalog

    with open_instance(home) as instance:
        catalog = Catalog(instance.storage.locations)
        catalog.refresh()
        ended = _existing(instance, backfill_id)
        request = request_again(instance.storage.backfills, ended, from_failure=not is_all, user=caller().actor)
        now = instance.clock.now()
        asked, plan = planned_backfill(catalog, instance.storage.assets, request, now=now)
        instance.storage.backfills.add(asked, plan, line=first_line(asked, now))
        click.echo(asked.backfill_id)
