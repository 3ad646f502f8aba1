"""`penstock instance doctor`: find what is wrong, and say what to do."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .options import home_option, open_instance_as_it_is
from .output import print_json

if TYPE_CHECKING:
    from ..instance.doctor.finding import Finding
    from ..instance.instance import Instance

__all__ = ["doctor"]

_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command()
@home_option
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--verify", "verifies", is_flag=True, help="Compare what is derived from the event log with the log.")
@click.option("--run", "run_id", help="With --verify: compare this run alone.")
def doctor(home: Path | None, as_json: bool, verifies: bool, run_id: str | None) -> None:
    """Find what is wrong with an instance: runs that nobody works on, forgotten leases, a damaged schema, a full disk.

    Each finding says what is wrong, where, how bad it is, and what to do. Nothing is changed. The exit code is 1 when
    there is an error or a warning, else 0.
    """
    import msgspec

    if run_id is not None and not verifies:
        raise click.UsageError("--run goes with --verify.")
    from ..instance.doctor.examination import examine
    from ..instance.doctor.finding import Severity
    from ..instance.doctor.reader import gather

    with open_instance_as_it_is(home) as opened:
        found = examine(gather(opened))
        if verifies and not any(finding.check == "schema" and finding.severity == "error" for finding in found):
            found += _verified(opened, run_id)
    if as_json:
        print_json(msgspec.to_builtins(found))
    else:
        _tell(found)
    sys.exit(any(finding.severity is not Severity.NOTE for finding in found))


def _verified(opened: Instance, run_id: str | None) -> list[Finding]:
    from ..instance.doctor.finding import Finding, Severity
    from ..instance.doctor.verify import verify

    if run_id is not None and opened.storage.runs.get(run_id) is None:
        raise click.UsageError(f"There is no run {run_id!r} in this instance; see: penstock run list.")

    def progress(count: int) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{count:,} events", nl=False, err=True)

    found = [
        Finding(
            check="verify",
            severity=Severity.ERROR,
            where=f"{each.kind} {each.where}",
            what=f"{each.what[:1].upper()}{each.what[1:]}.",
            remedy="The log is the truth. Please report this; an export that is imported into a fresh instance "
            "derives all rows anew.",
        )
        for each in verify(opened.storage, now=opened.clock.now(), run_id=run_id, told=progress)
    ]
    if sys.stderr.isatty():
        click.echo(err=True)
    return found


def _tell(found: list[Finding]) -> None:
    for finding in found:
        click.secho(f"{finding.severity.upper()} ", fg=_COLOURS[finding.severity], bold=True, nl=False)
        click.echo(f"{finding.check}: {finding.where}\n  {finding.what}\n  {finding.remedy}\n")
    counted = Counter(finding.severity for finding in found)
    told = ", ".join(f"{count} {severity}{'' if count == 1 else 's'}" for severity, count in counted.items())
    click.echo(f"{told}." if told else "Nothing is wrong.")
