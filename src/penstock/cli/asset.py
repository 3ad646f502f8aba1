"""`penstock asset`: assets of a code location, listed or materialized here."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from ..clock import SYSTEM_CLOCK
from ..errors import NotFoundError
from .job import report_execution
from .options import (
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
from .output import table

__all__ = ["asset"]


@click.group()
def asset() -> None:
    """List and materialize assets."""


@asset.command(name="list")
@target_options(many=True)
@click.option("--select", help="Only these: a selection such as `group:sales` or `+report`.")
def list_assets(select: str | None, **target: Any) -> None:
    """List the assets of the code locations."""
    from ..definitions.assets.selection import AssetSelection
    from ..definitions.describe import describe

    rows = []
    for name, definitions in load_targets(**target):
        chosen = AssetSelection.from_string(select).keys_in(definitions.resolve_asset_graph()) if select else None
        rows += [
            (each.key, name, each.group, "yes" if each.partitions else "", ", ".join(each.deps))
            for each in describe(definitions, name).assets
            if chosen is None or each.key in chosen
        ]
    table(["ASSET", "LOCATION", "GROUP", "PARTITIONED", "NEEDS"], rows, empty="No assets.")


@asset.command()
@target_options(many=True)
@home_option
@config_options
@click.option("--select", required=True, help="What to make: a selection such as `report`, `*report` or `group:sales`.")
@click.option("--partition", help="The partition to make.")
def materialize(
    select: str,
    partition: str | None,
    home: Path | None,
    config_files: tuple[Path, ...],
    config_json: str | None,
    tags_json: str | None,
    **target: Any,
) -> None:
    """Make assets in this process and wait for them."""
    from ..definitions.assets.selection import AssetSelection
    from ..definitions.describe import describe
    from ..execution.api import materialize as materialize_assets
    from ..plan.launch import plan_run

    name, definitions = load_target(**target)
    run_config, tags = read_run_config(config_files, config_json), with_caller(parse_tags(tags_json))
    graph = definitions.resolve_asset_graph()
    chosen = AssetSelection.from_string(select).keys_in(graph)
    wanted = sorted(key for key in chosen if graph.assets[key].definition is not None)
    if not wanted:
        raise NotFoundError(f"The selection {select!r} has nothing that can be made; see `penstock asset list`.")
    began = time.monotonic()
    with naming_places(config_files):
        # The plan itself is not needed: making it refuses what a launch would refuse, before anything runs.
        plan_run(
            describe(definitions, name),
            assets=wanted,
            run_config=run_config,
            tags=tags,
            partition=partition,
            now=SYSTEM_CLOCK.now(),
        )
        result = materialize_assets(
            [*definitions.assets, *definitions.asset_checks],
            selection=select,
            run_config=run_config,
            instance=open_instance(home) if home else None,
            resources=definitions.resources,
            partition_key=partition,
            tags=tags,
            raise_on_error=False,
        )
    report_execution(select, result, time.monotonic() - began)
