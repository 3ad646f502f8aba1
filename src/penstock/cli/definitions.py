"""`penstock definitions`: check that definitions load."""

from __future__ import annotations

import sys
from typing import Any

import click

from ..errors import LocationLoadError
from .options import load_origin, origins, target_options

__all__ = ["definitions"]


@click.group()
def definitions() -> None:
    """Check that definitions load."""


@definitions.command()
@target_options(many=True)
def validate(**target: Any) -> None:
    """Load every code location and say what is in it; exits with 1 when one does not load."""
    from ..definitions.describe import describe

    broken = 0
    for origin in origins(**target):
        if origin.target is None:
            click.echo(f"{origin.name}: is loaded by its own code server; not checked here")
            continue
        try:
            described = describe(load_origin(origin), origin.name)
        except LocationLoadError as error:
            broken += 1
            click.secho("Error: ", fg="red", nl=False, err=True)
            click.echo(str(error), err=True)
            continue
        jobs = sum(1 for each in described.jobs if not each.name.startswith("__"))
        click.secho(f"{origin.name}: ", nl=False, fg="green")
        click.echo(
            f"loads; {len(described.assets)} assets, {len(described.checks)} checks, {jobs} jobs, "
            f"{len(described.schedules)} schedules, {len(described.sensors)} sensors"
        )
    if broken:
        sys.exit(1)
