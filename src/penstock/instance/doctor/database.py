"""Checks of the database: its schema, its size, its log, its disk, its clock."""

from __future__ import annotations

from collections.abc import Iterator

from ...wording import size_of
from .facts import Facts
from .finding import Finding, Severity

__all__ = ["clock", "disk", "schema", "sizes"]

LARGE_BYTES = 10 * 1024**3
LARGE_ROWS = 50_000_000
LEAST_FREE_BYTES = 1024**3
LEAST_FREE_PART = 0.05
LARGEST_SKEW_SECONDS = 2.0


def schema(facts: Facts) -> Iterator[Finding]:
    """A schema that is older than this version, or that is not as the migrations make it."""
    known, stored = facts.known_version, facts.stored_version
    if known is None or stored is None:
        return
    if stored != known:
        has = f"the schema {stored}" if stored else "no schema yet"
        yield Finding(
            check="schema",
            severity=Severity.ERROR,
            where=_place(facts),
            what=f"The database has {has}, and this version of Penstock needs {known}.",
            remedy="Bring it up to date: penstock instance migrate"
            if stored < known
            else "Upgrade this Penstock to the version that made the database.",
        )
        return  # what differs then is what the migrations change
    if facts.not_compared is not None:
        yield Finding(
            check="schema",
            severity=Severity.NOTE,
            where=_place(facts),
            what=f"The schema could not be compared. {facts.not_compared}",
            remedy="The user of the database needs the right to create a schema in it, in which the migrations are run "
            "for comparison: GRANT CREATE ON DATABASE.",
        )
    for each in facts.differences:
        yield Finding(
            check="schema",
            severity=_severity(each.kind, each.how),
            where=each.name,
            what=f"The {each.kind} is {_HOW[each.how]}.",
            remedy=_REMEDIES[each.how].format(kind=each.kind),
        )


_HOW = {
    "missing": "not there",
    "unexpected": "there, and no migration makes it",
    "different": "not as the migrations make it",
}
_REMEDIES = {
    "missing": "Somebody removed the {kind}; restore the database from a backup, or move to a fresh one by penstock "
    "instance export and import.",
    "unexpected": "If somebody added the {kind} on purpose, leave it, at the cost of slower writes; else drop it.",
    "different": "Somebody changed the {kind}; restore the database from a backup, or move to a fresh one by penstock "
    "instance export and import.",
}


def _severity(kind: str, how: str) -> Severity:
    if how == "unexpected":
        return Severity.NOTE
    return Severity.WARNING if kind == "index" else Severity.ERROR


_RULES = {
    "automation_evaluations": "`retention.evaluations`",
    "planned_assets": "`retention.runs`",
    "run_tags": "`retention.runs`",
    "runs": "`retention.runs`",
    "steps": "`retention.runs`",
    "ticks": "`retention.schedule` and `retention.sensor`",
}


def _rule_of(table: str) -> str:
    """The setting that says how long the rows of a table are kept."""
    if table.startswith("events"):
        return "`retention.events`"
    return _RULES.get(table, "the block `retention`")


def sizes(facts: Facts) -> Iterator[Finding]:
    """Tables that have grown large, and a write-ahead log that is not brought into the database."""
    for table in facts.tables:
        if (table.bytes or 0) < LARGE_BYTES and table.rows < LARGE_ROWS:
            continue
        size = "" if table.bytes is None else f" and {size_of(table.bytes)}"
        yield Finding(
            check="size",
            severity=Severity.WARNING,
            where=table.name,
            what=f"The table has {table.rows:,} rows{size}.",
            remedy=f"Keep it for a shorter time: {_rule_of(table.name)} of penstock.yaml says for how long; penstock "
            "instance retention shows what is there. Old runs can be kept elsewhere by penstock instance export.",
        )
    database = facts.database
    if database is None or database.log_bytes is None or database.log_limit is None:
        return
    if database.log_bytes > 4 * database.log_limit:
        yield Finding(
            check="size",
            severity=Severity.WARNING,
            where=database.place,
            what=f"Its write-ahead log has {size_of(database.log_bytes)}; it is brought into the database at "
            f"{size_of(database.log_limit)} unless a reader hinders that.",
            remedy="End the process that has been reading for very long, a backup or a shell on the file perhaps.",
        )


def disk(facts: Facts) -> Iterator[Finding]:
    """A disk that is nearly full."""
    database = facts.database
    if database is None or database.disk_free is None or database.disk_total is None:
        return
    if database.disk_free < min(LEAST_FREE_BYTES, LEAST_FREE_PART * database.disk_total):
        yield Finding(
            check="disk",
            severity=Severity.ERROR,
            where=database.place,
            what=f"The disk has {size_of(database.disk_free)} of {size_of(database.disk_total)} left.",
            remedy="Make room: penstock instance retention --apply removes what is too old, and with --kind "
            "compute_logs --days 7 what the steps of runs printed that ended a week ago.",
        )


def clock(facts: Facts) -> Iterator[Finding]:
    """A clock that differs from the database's, which is the one that counts for leases and due times."""
    skew = None if facts.database is None else facts.database.skew
    if skew is not None and abs(skew) > LARGEST_SKEW_SECONDS:
        yield Finding(
            check="clock",
            severity=Severity.WARNING,
            where=_place(facts),
            what=f"This machine's clock is {abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the database's.",
            remedy="Let both keep their time by NTP; leases and schedules go by the database's, user code does not.",
        )


def _place(facts: Facts) -> str:
    return "the database" if facts.database is None else facts.database.place
