"""`penstock schedule` and `penstock sensor`: list them, turn them on and off, override, remove and restore them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

import click

from ..engine.instigators import is_on
from ..engine.overrides import check_override, overridden
from ..errors import NotFoundError, UsageError
from ..partitions.cron import Fold, Gap
from ..records.automation import (
    InstigatorKind,
    InstigatorState,
    InstigatorStatus,
    Override,
    instigator_id,
)
from ..records.location import LocationDescription, ScheduleDescription, SensorDescription
from ..storage.protocols import ActFilter
from .audit import print_acts
from .options import (
    Instant,
    config_options,
    home_option,
    naming_places,
    open_instance,
    parse_tags,
    read_run_config,
)
from .output import table, when
from .webhooks import token

if TYPE_CHECKING:
    from ..instance.instance import Instance

__all__ = ["schedule", "sensor"]

_location_option = click.option("--location", "-l", help="Their code location, where the name alone is not enough.")
_reason_option = click.option("--reason", help="Why, for whoever reads of it later.")


@click.group()
def schedule() -> None:
    """List schedules, turn them on and off, override them."""


@click.group()
def sensor() -> None:
    """List sensors, turn them on and off, override them."""


class _Known(NamedTuple):
    """A schedule or sensor that the code defines, or of which something is stored."""

    location: str
    name: str
    described: ScheduleDescription | SensorDescription | None
    state: InstigatorState | None
    code: LocationDescription | None = None


def _all(instance: Instance, kind: InstigatorKind) -> Iterator[_Known]:
    from ..locations.catalog import Catalog

    catalog = Catalog(instance.storage.locations)
    catalog.refresh()
    stored = instance.storage.instigators.states(kind)
    for location, entry in sorted(catalog.locations.items()):
        declared = entry.schedules if kind is InstigatorKind.SCHEDULE else entry.sensors
        for name, described in declared.items():
            yield _Known(
                location, name, described, stored.pop(instigator_id(location, kind, name), None), entry.description
            )
    for _, state in sorted(stored.items()):
        yield _Known(state.location, state.name, None, state)


def _find(instance: Instance, kind: InstigatorKind, name: str, location: str | None) -> _Known:
    found = [each for each in _all(instance, kind) if each.name == name and location in (None, each.location)]
    if len(found) == 1:
        return found[0]
    word, places = kind.value.lower(), ", ".join(each.location for each in found)
    where = f"in several locations: {places}; choose one with -l" if found else "in no location"
    remedy = "" if found else f"; `penstock {word} list` shows those that there are"
    raise NotFoundError(f"The {word} {name!r} is {where}{remedy}.")


def _list(kind: InstigatorKind, home: Path | None) -> None:
    with open_instance(home) as instance:
        rows = [
            (each.name, each.location, _status(each), _rhythm(each), when(each.state.last_tick) if each.state else "")
            for each in _all(instance, kind)
        ]
    table(["NAME", "LOCATION", "STATUS", "WHEN", "LAST TICK"], rows, empty=f"No {kind.value.lower()}s.")


def _status(known: _Known) -> str:
    if known.state is not None and known.state.retired is not None:
        return "REMOVED"
    if known.described is None:
        return "NO CODE"
    on = is_on(known.described.default_status, known.state)
    return InstigatorStatus.RUNNING if on else InstigatorStatus.STOPPED


def _rhythm(known: _Known) -> str:
    if known.described is None:
        return ""
    override = None if known.state is None else known.state.override
    if isinstance(known.described, SensorDescription):
        interval = overridden(known.described, override).interval
        every = f"every {interval:g} s"
        on_events = f"on events, {every} at most" if interval else "on events"
        rhythm = on_events if known.described.is_pushed else every
    else:
        effective = overridden(known.described, override)
        rhythm = f"{' | '.join(effective.cron)} {effective.timezone}"
    if override is None:
        return rhythm
    pause = "" if override.paused_until is None else f", paused until {when(override.paused_until)}"
    return f"{rhythm} (overridden{pause})"


def _check_config(known: _Known, run_config: dict[str, Any], now: float) -> None:
    """Refuse a run config that does not fit the job; raises `ConfigurationError`."""
    from ..plan.launch import plan_run

    described = known.described
    jobs = described.jobs if isinstance(described, SensorDescription) else (described.job,) if described else ()
    if known.code is None or len(jobs) != 1:
        raise UsageError(f"{known.name!r} has not one job whose run config could be checked; leave the run config out.")
    plan_run(known.code, job=jobs[0], run_config=run_config, now=now, partition_required=False)


def _add_commands(group: click.Group, kind: InstigatorKind) -> None:
    word = kind.value.lower()

    @group.command(name="list", help=f"List {word}s with their state.")
    @home_option
    def list_all(home: Path | None) -> None:
        _list(kind, home)

    for verb, to, says in (
        ("start", InstigatorStatus.RUNNING, f"Turn {word}s on."),
        ("stop", InstigatorStatus.STOPPED, f"Turn {word}s off."),
        ("reset", InstigatorStatus.DECLARED_IN_CODE, f"Let the code say again whether {word}s are on."),
    ):

        @group.command(name=verb, help=says)
        @home_option
        @click.argument("names", nargs=-1, required=True)
        @_location_option
        @_reason_option
        def switch(
            home: Path | None,
            names: tuple[str, ...],
            location: str | None,
            reason: str | None,
            to: InstigatorStatus = to,
        ) -> None:
            with open_instance(home, reason=reason) as instance:
                for known in [_find(instance, kind, name, location) for name in names]:
                    key = instigator_id(known.location, kind, known.name)
                    now = instance.clock.now()
                    instance.storage.instigators.switch(key, known.location, kind, known.name, to, now=now)
                    click.echo(f"{known.name}: {to}")

    @group.command(help=f"Let something hold for a {word} in place of its code, until it is withdrawn.")
    @home_option
    @config_options
    @click.argument("name")
    @_location_option
    @click.option("--pause-until", type=Instant(), help="Do not evaluate it before this time.")
    @click.option("--cron", multiple=True, help="Another cron text, for schedules. May be given more than once.")
    @click.option("--timezone", help="The zone that cron texts are read in.")
    @click.option("--dst-gap", type=click.Choice(get_args(Gap)), help="What becomes of a time that clocks skip.")
    @click.option("--dst-fold", type=click.Choice(get_args(Fold)), help="When it is due at a time that is repeated.")
    @click.option("--interval", type=float, help="Another interval in seconds, for sensors.")
    @_reason_option
    def override(
        home: Path | None,
        config_files: tuple[Path, ...],
        config_json: str | None,
        tags_json: str | None,
        name: str,
        location: str | None,
        pause_until: float | None,
        cron: tuple[str, ...],
        timezone: str | None,
        dst_gap: Gap | None,
        dst_fold: Fold | None,
        interval: float | None,
        reason: str | None,
    ) -> None:
        given = Override(
            paused_until=pause_until,
            cron=cron,
            timezone=timezone,
            dst_gap=dst_gap,
            dst_fold=dst_fold,
            interval=interval,
            run_config=read_run_config(config_files, config_json) if config_files or config_json else None,
            tags=parse_tags(tags_json),
        )
        with open_instance(home, reason=reason) as instance:
            now = instance.clock.now()
            check_override(kind, given, now=now)
            known = _find(instance, kind, name, location)
            if given.run_config is not None:
                with naming_places(config_files):
                    _check_config(known, given.run_config, now)
            key = instigator_id(known.location, kind, name)
            instance.storage.instigators.override(key, known.location, kind, name, given, now=now)
        click.echo(f"{name}: overridden")

    @group.command(help=f"Withdraw what was said of a {word} with `override`.")
    @home_option
    @click.argument("name")
    @_location_option
    @_reason_option
    def withdraw(home: Path | None, name: str, location: str | None, reason: str | None) -> None:
        with open_instance(home, reason=reason) as instance:
            known = _find(instance, kind, name, location)
            if known.state is None or known.state.override is None:
                raise UsageError(f"The {word} {name!r} has no override; nothing was changed.")
            key = instigator_id(known.location, kind, name)
            instance.storage.instigators.override(key, known.location, kind, name, None, now=instance.clock.now())
        click.echo(f"{name}: as the code says")

    @group.command(help=f"Remove a {word} whose code is gone; what is known of it is kept.")
    @home_option
    @click.argument("name")
    @_location_option
    @_reason_option
    def remove(home: Path | None, name: str, location: str | None, reason: str | None) -> None:
        with open_instance(home, reason=reason) as instance:
            known = _find(instance, kind, name, location)
            if known.state is None or known.described is not None:
                raise UsageError(
                    f"The code location {known.location!r} defines the {word} {name!r}; turn it off, or remove it from "
                    "the code."
                )
            instance.storage.instigators.retire(known.state.id, now=instance.clock.now())
        click.echo(f"{name}: removed")

    @group.command(help=f"Take the removal of a {word} back.")
    @home_option
    @click.argument("name")
    @_location_option
    @_reason_option
    def restore(home: Path | None, name: str, location: str | None, reason: str | None) -> None:
        with open_instance(home, reason=reason) as instance:
            known = _find(instance, kind, name, location)
            if known.state is None or known.state.retired is None:
                raise UsageError(f"The {word} {name!r} was not removed; nothing was changed.")
            instance.storage.instigators.restore(known.state.id, now=instance.clock.now())
        click.echo(f"{name}: restored")

    @group.command(help=f"Show what people did to a {word}; without a name, to everything, as `penstock audit` does.")
    @home_option
    @click.argument("name", required=False)
    @_location_option
    @click.option("--limit", default=25, show_default=True, type=click.IntRange(1, 1000), help="At most so many.")
    def acts(home: Path | None, name: str | None, location: str | None, limit: int) -> None:
        with open_instance(home) as instance:
            subject = None
            if name is not None:
                known = _find(instance, kind, name, location)
                subject = instigator_id(known.location, kind, name)
            print_acts(instance.storage.acts.page(ActFilter(subject=subject), limit=limit))


_add_commands(schedule, InstigatorKind.SCHEDULE)
_add_commands(sensor, InstigatorKind.SENSOR)
sensor.add_command(token)
