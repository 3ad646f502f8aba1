"""`penstock instance concurrency`: the limits of concurrency pools."""

from __future__ import annotations

from pathlib import Path

import click

from ..engine.pools import check_limit
from ..records.pool import WHOLE_RUN, PoolClaim, PoolState
from .options import home_option, open_instance
from .output import table, when

__all__ = ["concurrency"]


@click.group()
def concurrency() -> None:
    """Limits of concurrency pools, and who holds their slots."""


@concurrency.command("get")
@click.argument("pool", required=False)
@click.option("--all", "of_all", is_flag=True, help="Print every pool that has a limit or is in use.")
@home_option
def get_limits(home: Path | None, pool: str | None, of_all: bool) -> None:
    """Print the limit of a pool, who holds its slots and who waits; without a name, of every pool."""
    if pool is not None and of_all:
        raise click.UsageError("Name a pool or give --all, not both.")
    with open_instance(home) as opened:
        default = opened.pool_rules.default_limit
        found = opened.storage.slots.pools(now=opened.clock.now(), default_limit=default)
    if pool is not None:
        unused = PoolState(pool=pool, limit=default, own_limit=False)
        found = [next((each for each in found if each.pool == pool), unused)]
    rows = [(each.pool, _limit(each), len(each.held), len(each.waiting)) for each in found]
    table(["POOL", "LIMIT", "TAKEN", "WAITING"], rows, empty="No pool has a limit, and none is in use.")
    if claims := [claim for each in found for claim in (*each.held, *each.waiting)]:
        click.echo()
        table(["POOL", "RUN", "STEP", "SINCE", ""], [_claim(each) for each in claims], empty="")


@concurrency.command("set")
@click.argument("pool")
@click.argument("limit", type=int)
@home_option
def set_limit(home: Path | None, pool: str, limit: int) -> None:
    """Set how many slots a pool has, 0 to 1000. Who holds more than that now keeps them."""
    check_limit(pool, limit)
    with open_instance(home) as opened:
        opened.storage.slots.set_limit(pool, limit)
    click.echo(f"{pool} has {limit} {'slot' if limit == 1 else 'slots'} now.")


@concurrency.command("delete")
@click.argument("pool")
@home_option
def delete_limit(home: Path | None, pool: str) -> None:
    """Let the default limit of the settings hold for a pool again."""
    with open_instance(home) as opened:
        had = opened.storage.slots.delete_limit(pool)
        default = opened.pool_rules.default_limit
    now = "no limit" if default is None else f"the default limit ({default})"
    click.echo(f"{pool} has {now} now." if had else f"{pool} had no limit of its own; it has {now}.")


def _limit(state: PoolState) -> str:
    if state.limit is None:
        return "none"
    return str(state.limit) if state.own_limit else f"{state.limit} (default)"


def _claim(claim: PoolClaim) -> tuple[str, ...]:
    step = "(whole run)" if claim.step_key == WHOLE_RUN else claim.step_key
    since = claim.since if claim.taken is None else claim.taken
    return (claim.pool, claim.run_id, step, when(since), "waits" if claim.taken is None else "holds")
