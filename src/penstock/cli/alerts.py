"""`penstock instance alerts`: try the rules of alerts out, and see what became of messages."""

from __future__ import annotations

from pathlib import Path

import click

from ..wording import did_you_mean
from .options import home_option, open_instance
from .output import print_json, table, when

__all__ = ["alerts"]


@click.group()
def alerts() -> None:
    """Try the rules of alerts out, and see what became of messages."""


@alerts.command(name="list")
@home_option
@click.option("--limit", type=click.IntRange(1, 1000), default=30, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def list_alerts(home: Path | None, limit: int, as_json: bool) -> None:
    """List messages, newest first: where each went, and what became of it."""
    import msgspec

    from ..instance.alerts.post import outbox_of

    with open_instance(home) as opened:
        found = outbox_of(opened.storage).page(limit=limit)
    if as_json:
        print_json(msgspec.to_builtins(found))
        return
    rows = [
        (
            when(each.created),
            f"{each.rule}/{each.target}",
            each.alert.title,
            each.status.lower().replace("_", " "),
            str(each.attempts),
            each.error or "",
        )
        for each in found
    ]
    table(["DECIDED", "TO", "ABOUT", "STATE", "ATTEMPTS", "ERROR"], rows, empty="No message was decided yet.")


@alerts.command()
@home_option
@click.argument("name")
def test(home: Path | None, name: str) -> None:
    """Send a sample to every target of the rule NAME, at once and once, and tell whether it was taken.

    It is sent from here, whether a daemon runs or not, and is not among the messages that are listed.
    """
    from ..engine.alert_texts import sample
    from ..errors import DeliveryError
    from ..instance.alerts.targets import send
    from ..records.alert import Delivery, DeliveryStatus

    with open_instance(home) as opened:
        settings, now = opened.settings.alerts, opened.clock.now()
    rule = next((each for each in settings.rules if each.name == name), None)
    if rule is None:
        known = [each.name for each in settings.rules]
        raise click.UsageError(
            f"There is no rule {name!r} in the block alerts of penstock.yaml{did_you_mean(name, known)}"
        )
    failures = 0
    for target_name, target in rule.targets.items():
        delivery = Delivery(
            id=0,
            rule=name,
            target=target_name,
            alert=sample(name, now=now),
            status=DeliveryStatus.PENDING,
            attempts=1,
            created=now,
            due=now,
        )
        try:
            send(delivery, target, settings.web_url)
        except DeliveryError as error:
            failures += 1
            click.echo(f"{target_name}: not sent. {error}")
        else:
            click.echo(f"{target_name}: sent.")
    if failures:
        raise click.exceptions.Exit(1)
