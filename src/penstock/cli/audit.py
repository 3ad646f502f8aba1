"""`penstock audit`: what people did to the deployment."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from ..records.act import Act, ActKind
from ..records.automation import Override
from .options import Instant, home_option, open_instance
from .output import print_json, table, when

__all__ = ["audit", "print_acts"]


@click.command()
@home_option
@click.option("--of", "subject", help="Only what was done to this, for example shop/schedule/nightly or pool/db.")
@click.option("--by", "actor", help="Only what this account or user did.")
@click.option(
    "--act",
    "kinds",
    multiple=True,
    type=click.Choice([kind.value for kind in ActKind], case_sensitive=False),
    help="Only acts of this kind; may be given more than once.",
)
@click.option("--since", type=Instant(), help="Only what was done at this time or later.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON, with the ids.")
def audit(
    home: Path | None,
    subject: str | None,
    actor: str | None,
    kinds: tuple[str, ...],
    since: float | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show what people did to the deployment: who, when, what to, and why; the last one first.

    That is what commands, pages and the API have changed, and what somebody was refused. What the daemon and runs do is
    in the log.
    """
    from ..storage.protocols import ActFilter

    chosen = tuple(ActKind(kind.upper()) for kind in kinds) or None
    where = ActFilter(subject=subject, actor=actor, kinds=chosen, since=since)
    with open_instance(home) as instance:
        found = instance.storage.acts.page(where, limit=limit)
    if as_json:
        print_json([_as_json(act) for act in found])
    else:
        print_acts(found)


def print_acts(acts: Sequence[Act]) -> None:
    """Print acts as a table."""
    rows = [(when(act.time), act.by.actor, act.kind, act.subject, _what(act), act.by.reason) for act in acts]
    table(["TIME", "BY", "ACT", "OF", "WHAT", "REASON"], rows, empty="Nobody has done anything.")


def _what(act: Act) -> str:
    if act.override is not None:
        return ", ".join(_of_override(act.override))
    before, after = act.before, act.after if act.cursor is None else act.cursor
    return f"{before} -> {after}" if before and after else before or after or ""


def _of_override(said: Override) -> list[str]:
    """What is overridden; of the run config only that it is, since it may hold secrets."""
    words = {
        "paused until": when(said.paused_until),
        "cron": " | ".join(said.cron),
        "timezone": said.timezone,
        "interval": None if said.interval is None else f"{said.interval:g} s",
        "tags": " ".join(sorted(said.tags)),
    }
    told = [f"{name} {value}" for name, value in words.items() if value]
    return told if said.run_config is None else [*told, "run config"]


def _as_json(act: Act) -> dict[str, object]:
    return {
        "id": act.id,
        "time": act.time,
        "actor": act.by.actor,
        "via": act.by.via,
        "act": act.kind,
        "subject": act.subject,
        "before": act.before,
        "after": act.after if act.cursor is None else act.cursor,
        "override": None if act.override is None else _of_override(act.override),
        "reason": act.by.reason,
    }
