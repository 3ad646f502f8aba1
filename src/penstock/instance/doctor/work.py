"""Checks of what is claimed: leases of duties, runs and their leases, slots of pools, ticks."""

from __future__ import annotations

from collections.abc import Iterator

from ...records.pool import WHOLE_RUN
from ...records.run import Run
from ...wording import length_of_time
from .facts import SILENT_SECONDS, Facts
from .finding import Finding, Severity

__all__ = ["LONGEST_TICK_SECONDS", "leases", "runs", "slots", "ticks"]

LONGEST_TICK_SECONDS = 600.0
"""For how long a tick may be at work before somebody should look."""

_START = "Start one: penstock daemon."


def leases(facts: Facts) -> Iterator[Finding]:
    """Leases that are over and that nobody has taken since."""
    living = {each.id for each in facts.processes if facts.is_heard_of(each)}
    for lease in facts.leases:
        over = facts.now - lease.until
        if over <= SILENT_SECONDS:
            continue
        if lease.holder in living:
            why = "which lives and does not renew it"
            remedy = f"See the log of {lease.holder}; when it hangs, stop it, and another daemon takes the duty."
        else:
            why = "which is gone"
            remedy = f"Nobody does this duty. {_START}" if not facts.daemons() else "See the log of the daemon."
        yield Finding(
            check="lease",
            severity=Severity.WARNING,
            where=lease.name,
            what=f"The lease ended {length_of_time(over)} ago, held by {lease.holder}, {why}.",
            remedy=remedy,
        )


def runs(facts: Facts) -> Iterator[Finding]:
    """Runs that nobody works on though they should be at work, and runs that wait for a daemon that is not there."""
    has_daemon = bool(facts.daemons())
    for run in facts.active:
        until = run.lease_until or 0.0
        if until > facts.now - SILENT_SECONDS:
            continue
        over = f"its lease ended {length_of_time(facts.now - until)} ago" if until else "it has no lease"
        yield Finding(
            check="run",
            severity=Severity.ERROR,
            where=run.run_id,
            what=f"The run of {run.job} is {run.status} and nobody works on it: {over}.",
            remedy="A daemon resumes or ends it within seconds, and none is heard of. " + _START
            if not has_daemon
            else f"The daemon's duty `monitor` ends it; see its log, or end it by hand: "
            f"penstock run cancel {run.run_id}",
        )
    waiting = [run for run in facts.queued if facts.now - _since(run) > SILENT_SECONDS]
    if waiting and not has_daemon:
        longest = min(waiting, key=_since)
        more = f", and {len(waiting) - 1} more" if len(waiting) > 1 else ""
        yield Finding(
            check="run",
            severity=Severity.ERROR,
            where=longest.run_id,
            what=f"The run of {longest.job} has waited in the queue for {length_of_time(facts.now - _since(longest))}"
            f"{more}, and no daemon is heard of.",
            remedy=f"A daemon launches queued runs. {_START}",
        )


def slots(facts: Facts) -> Iterator[Finding]:
    """Claims of slots whose runs have ended. They count no more, and should have gone with the run."""
    for claim in facts.stray_claims:
        step = "" if claim.step_key == WHOLE_RUN else f", step {claim.step_key},"
        yield Finding(
            check="slot",
            severity=Severity.WARNING,
            where=claim.pool,
            what=f"The run {claim.run_id}{step} still has a claim of a slot, and is not at work.",
            remedy="It keeps nobody waiting, and it should not be there: please report it with the run's log.",
        )


def ticks(facts: Facts) -> Iterator[Finding]:
    """Ticks that began long ago and have not ended."""
    for tick in facts.open_ticks:
        age = facts.now - tick.started
        if age > LONGEST_TICK_SECONDS:
            yield Finding(
                check="tick",
                severity=Severity.WARNING,
                where=tick.instigator,
                what=f"The tick {tick.id} began {length_of_time(age)} ago and has not ended.",
                remedy="See the daemon's log and that of the code server: the function may hang."
                if facts.daemons()
                else f"A daemon begins it again. {_START}",
            )


def _since(run: Run) -> float:
    return run.created if run.queued is None else run.queued
