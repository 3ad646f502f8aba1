"""`penstock instance retention`: how long things are kept, what is there, and what would go."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..records.act import ActKind
from ..records.retention import RetentionKind
from ..wording import joined, size_of
from .options import home_option, note_act, open_for_a_service
from .output import print_json, table, when

if TYPE_CHECKING:
    from ..engine.retention import Rule
    from ..instance.instance import Instance
    from ..instance.retention import Sweeper
    from ..records.retention import KindReport

__all__ = ["retention", "tell_of_old"]

_KINDS = [kind.value for kind in RetentionKind]


@click.command()
@home_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(_KINDS), help="Only this kind; it may be repeated.")
@click.option("--days", type=click.IntRange(0), help="With --kind: after so many days, whatever the settings say.")
@click.option("--apply", "applies", is_flag=True, help="Remove now what is too old; else nothing is changed.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def retention(home: Path | None, kinds: tuple[str, ...], days: int | None, applies: bool, as_json: bool) -> None:
    """Show how long things are kept, what there is of each kind, and what is too old now.

    The daemon looks once an hour and removes what is too old, in small steps. With --apply it is done here and now,
    also without a daemon. What a run needs that has not ended stays, and so does the last tick of each schedule and
    sensor.
    """
    if days is not None and not kinds:
        raise click.UsageError("--days goes with --kind.")
    from ..instance.retention import Sweeper

    with open_for_a_service(home) as opened:
        sweeper = Sweeper(opened.storage, opened.logs, opened.clock)
        rules = _rules(opened, kinds, days)
        if applies:
            note_act(opened, ActKind.REMOVE_OLD, after=", ".join(kinds) or "everything")
            _apply(sweeper, rules, opened.clock.now())
        found = sweeper.report(rules, opened.clock.now())
    shown = [each for each in found if not kinds or each.kept.kind in kinds]
    if as_json:
        import msgspec

        print_json(msgspec.to_builtins(shown))
    else:
        _tell(shown)


def _rules(opened: Instance, kinds: Sequence[str], days: int | None) -> list[Rule]:
    import msgspec

    rules = [rule for rule in opened.settings.retention.rules if not kinds or rule.kind in kinds]
    return rules if days is None else [msgspec.structs.replace(rule, days=days) for rule in rules]


def _apply(sweeper: Sweeper, rules: Sequence[Rule], now: float) -> None:
    """Remove it in the same small steps as the daemon; writers come in between two of them."""
    from ..engine.retention import amount_of

    removed = dict.fromkeys(RetentionKind, 0)
    for cut in sweeper.cuts(rules, now):
        more = True
        while more:
            step, rest = sweeper.step(cut)
            more = step.more
            removed[cut.kind] += step.rows
            if sys.stderr.isatty():
                click.echo(f"\r{amount_of(cut.kind, removed[cut.kind]):<40}", nl=False, err=True)
            if more:
                time.sleep(rest)
    if sys.stderr.isatty():
        click.echo("\r", nl=False, err=True)
    told = [amount_of(kind, count) for kind, count in removed.items() if count]
    click.echo(f"Removed: {joined(told, 'and')}.", err=True)


def tell_of_old(opened: Instance) -> None:
    """After an import: say what of the instance the daemon will remove, and how to keep it."""
    from ..engine.retention import amount_of
    from ..instance.retention import Sweeper

    found = Sweeper(opened.storage, opened.logs, opened.clock).report(
        opened.settings.retention.rules, opened.clock.now()
    )
    old = [amount_of(each.kept.kind, each.going) for each in found if each.going]
    if old:
        click.echo(
            f"Too old by the settings: {joined(old, 'and')}. The daemon will remove them; to keep them, change the "
            "block `retention` of penstock.yaml before you start it (penstock instance retention shows it)."
        )


def _tell(found: Sequence[KindReport]) -> None:
    rows = [
        (
            each.kept.kind,
            each.rule,
            when(each.kept.oldest),
            f"{each.kept.rows:,}",
            "" if each.kept.bytes is None else size_of(each.kept.bytes),
            f"{each.going:,}" if each.going else "",
            when(each.next),
        )
        for each in found
    ]
    table(["KIND", "KEPT FOR", "OLDEST", "ROWS", "SIZE", "TOO OLD NOW", "NEXT"], rows, empty="Nothing is kept here.")
