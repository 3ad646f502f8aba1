"""All checks, in the order in which their findings are told."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from . import database, home, services, work
from .facts import Facts
from .finding import Finding, Severity

__all__ = ["CHECKS", "examine"]

CHECKS: tuple[Callable[[Facts], Iterable[Finding]], ...] = (
    database.schema,
    database.disk,
    database.clock,
    services.processes,
    services.locations,
    services.followers,
    work.runs,
    work.leases,
    work.slots,
    work.ticks,
    database.sizes,
    home.permissions,
    home.settings,
)


def examine(facts: Facts) -> list[Finding]:
    """Everything that is not as it should be, the worst first."""
    order = list(Severity)
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(found, key=lambda finding: order.index(finding.severity))
