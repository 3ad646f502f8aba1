"""Checks of the deployment's processes, of its code locations, and of stores of the user's own."""

from __future__ import annotations

from collections.abc import Iterator

from ...records.wire import LoadStatus
from ...wording import length_of_time
from .facts import Facts
from .finding import Finding, Severity

__all__ = ["LONGEST_LAG_SECONDS", "LONGEST_LOAD_SECONDS", "followers", "locations", "processes"]

LONGEST_LOAD_SECONDS = 300.0
"""For how long a code location may load before somebody should look."""

LONGEST_LAG_SECONDS = 60.0
"""How far a store of the user's own may be behind before somebody should look."""


def processes(facts: Facts) -> Iterator[Finding]:
    """Processes that went without a word, and those that say that something is wrong."""
    for each in facts.processes:
        where = f"{each.kind} {each.id}"
        if not facts.is_heard_of(each):
            yield Finding(
                check="process",
                severity=Severity.WARNING,
                where=where,
                what=f"It has not been heard of for {length_of_time(facts.now - each.seen)}, and did not say that it "
                f"ends (pid {each.pid} on {each.host}).",
                remedy="If it was killed, start it again where it is needed; if it lives, see whether it reaches the "
                "database.",
            )
        elif each.error is not None and each.kind != "code-server":  # that of a code server is told of its location
            yield Finding(
                check="process",
                severity=Severity.ERROR,
                where=where,
                what=f"It reports an error: {each.error}",
                remedy=f"See its log (pid {each.pid} on {each.host}).",
            )


def locations(facts: Facts) -> Iterator[Finding]:
    """Code locations that did not load, or that have been loading for too long."""
    for location in facts.locations:
        if location.status is LoadStatus.FAILED:
            said = "" if location.error is None else f": {location.error.cls}: {location.error.message}"
            served = " The last good code is served meanwhile." if location.digest is not None else ""
            yield Finding(
                check="location",
                severity=Severity.ERROR,
                where=location.name,
                what=f"It does not load{said}.{served}",
                remedy=f"Mend the code ({location.origin or 'see the workspace'}) and reload it on the page "
                "Deployment.",
            )
        elif location.status is LoadStatus.LOADING and facts.now - location.updated > LONGEST_LOAD_SECONDS:
            yield Finding(
                check="location",
                severity=Severity.WARNING,
                where=location.name,
                what=f"It has been loading for {length_of_time(facts.now - location.updated)}.",
                remedy="See whether its code server lives, and what its code does when it is imported.",
            )


def followers(facts: Facts) -> Iterator[Finding]:
    """Stores of the user's own that do not answer, or that nobody brings up to the storage."""
    for each in facts.followers:
        if each.error is not None:
            yield Finding(
                check="follower",
                severity=Severity.ERROR,
                where=each.setting,
                what=f"It does not answer: {each.error}",
                remedy="See whether it runs and can be reached from here; it is brought up when it is back.",
            )
        elif each.behind_since is not None and facts.now - each.behind_since > LONGEST_LAG_SECONDS:
            yield Finding(
                check="follower",
                severity=Severity.WARNING,
                where=each.setting,
                what=f"It lacks what has happened since {length_of_time(facts.now - each.behind_since)} ago.",
                remedy="See the log of the daemon, which brings it over."
                if facts.daemons()
                else "The daemon brings it over. Start one: penstock daemon.",
            )
