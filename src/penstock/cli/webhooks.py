"""`penstock sensor token`: let other systems send requests to a webhook sensor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import NotFoundError
from ..records.automation import InstigatorKind, instigator_id
from .options import home_option, open_instance
from .output import table, when

if TYPE_CHECKING:
    from ..instance.instance import Instance

__all__ = ["token"]


@click.group()
def token() -> None:
    """Tokens that let other systems send requests to a webhook sensor."""


_name = click.argument("name")
_location = click.option("--location", "-l", help="Its code location, where the name alone is not enough.")


def _sensor(instance: Instance, name: str, location: str | None) -> str:
    from ..locations.catalog import Catalog

    catalog = Catalog(instance.storage.locations)
    catalog.refresh()
    places = [
        place
        for place, known in sorted(catalog.locations.items())
        if location in (None, place) and name in known.sensors and known.sensors[name].kind == "WEBHOOK"
    ]
    if len(places) != 1:
        found = f"several locations: {', '.join(places)}" if places else "no location"
        remedy = "choose one with -l" if places else "one is made with @webhook_sensor"
        raise NotFoundError(f"The webhook sensor {name!r} is in {found}; {remedy}.")
    return instigator_id(places[0], InstigatorKind.SENSOR, name)


@token.command(name="create")
@home_option
@_name
@_location
def create(home: Path | None, name: str, location: str | None) -> None:
    """Make a token for the sensor NAME and print it. It cannot be shown again."""
    from ..auth.webhook_tokens import inbox_of, new_token

    with open_instance(home) as instance:
        text, made = new_token(inbox_of(instance.storage), _sensor(instance, name, location), now=instance.clock.now())
    click.echo(text)
    click.echo(f"This is token {made.id}. Keep it now: it cannot be shown again.", err=True)


@token.command(name="list")
@home_option
@_name
@_location
def list_tokens(home: Path | None, name: str, location: str | None) -> None:
    """List the tokens of the sensor NAME."""
    from ..auth.webhook_tokens import inbox_of

    with open_instance(home) as instance:
        found = inbox_of(instance.storage).tokens(_sensor(instance, name, location))
    rows = [(str(each.id), f"...{each.hint}", when(each.created)) for each in found]
    table(["ID", "ENDS WITH", "MADE"], rows, empty="No tokens.")


@token.command(name="revoke")
@home_option
@_name
@click.argument("token_id", type=int)
@_location
def revoke(home: Path | None, name: str, token_id: int, location: str | None) -> None:
    """Let those who show the token TOKEN_ID of the sensor NAME in no more."""
    from ..auth.webhook_tokens import inbox_of

    with open_instance(home) as instance:
        if not inbox_of(instance.storage).revoke_token(_sensor(instance, name, location), token_id):
            raise NotFoundError(
                f"The sensor {name!r} has no token {token_id}; `penstock sensor token list {name}` shows those it has."
            )
    click.echo(f"Token {token_id} of {name} lets nobody in any more.")
