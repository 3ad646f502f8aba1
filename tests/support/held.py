"""What a duty is given in tests that keep no leases: parts that are ours because the test says so."""

from __future__ import annotations

from penstock.daemon.keeper import Held, Part
from penstock.records.lease import Lease

__all__ = ["all_parts", "whole"]


def whole(lease: Lease) -> Held:
    """An undivided duty, under this lease."""
    return Held([lease.name], {lease.name: Part(lease)})


def all_parts(leases: list[Lease]) -> Held:
    """Every part of a divided duty."""
    return Held([lease.name for lease in leases], {lease.name: Part(lease) for lease in leases})
