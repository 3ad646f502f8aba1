"""`penstock schedule` and `penstock sensor`: list them and turn them on and off."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import NotFoundError
from ..records.automation import InstigatorKind, InstigatorStatus, instigator_id
from ..records.location import ScheduleDescription, SensorDescription
from .options import home_option, open_instance
from .output import table, when
from .webhooks import token

if TYPE_CHECKING:
    from ..instance.instance import Instance

__all__ = ["schedule", "sensor"]


@click.group()
def schedule() -> None:
    """List schedules and turn them on and off."""


@click.group()
def sensor() -> None:
    """List sensors and turn them on and off."""


def _declared(
    instance: Instance, kind: InstigatorKind
) -> Iterator[tuple[str, ScheduleDescription | SensorDescription]]:
    from ..locations.catalog import Catalog

    catalog = Catalog(instance.storage.locations)
    catalog.refresh()
    for name, location in sorted(catalog.locations.items()):
        if location.description is not None:
            of_kind = (
                location.description.schedules if kind is InstigatorKind.SCHEDULE else location.description.sensors
            )
            for each in of_kind:
                yield name, each


def _list(kind: InstigatorKind, home: Path | None) -> None:
    with open_instance(home) as instance:
        stored = instance.storage.instigators.states()
        rows = []
        for location, each in _declared(instance, kind):
            state = stored.get(instigator_id(location, kind, each.name))
            status = each.default_status
            if state is not None and state.status is not InstigatorStatus.DECLARED_IN_CODE:
                status = state.status
            rhythm = (
                f"every {each.interval:g} s"
                if isinstance(each, SensorDescription)
                else f"{' | '.join(each.cron)} {each.timezone}"
            )
            rows.append((each.name, location, status, rhythm, when(state.last_tick) if state else ""))
    table(["NAME", "LOCATION", "STATUS", "WHEN", "LAST TICK"], rows, empty=f"No {kind.value.lower()}s.")


def _switch(
    kind: InstigatorKind, home: Path | None, names: tuple[str, ...], location: str | None, to: InstigatorStatus
) -> None:
    with open_instance(home) as instance:
        declared = list(_declared(instance, kind))
        for name in names:
            places = [place for place, each in declared if each.name == name and location in (None, place)]
            if len(places) != 1:
                word = kind.value.lower()
                found = f"several locations: {', '.join(places)}" if places else "no location"
                remedy = "choose one with -l" if places else f"`penstock {word} list` shows those that there are"
                raise NotFoundError(f"The {word} {name!r} is in {found}; {remedy}.")
            instance.storage.instigators.switch(
                instigator_id(places[0], kind, name), places[0], kind, name, to, now=instance.clock.now()
            )
            click.echo(f"{name}: {to}")


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
        @click.option("--location", "-l", help="Their code location, where the name alone is not enough.")
        def switch(home: Path | None, names: tuple[str, ...], location: str | None, to: InstigatorStatus = to) -> None:
            _switch(kind, home, names, location, to)


_add_commands(schedule, InstigatorKind.SCHEDULE)
_add_commands(sensor, InstigatorKind.SENSOR)
sensor.add_command(token)
