"""New ids that are the same in each process: what a run or a backfill is called decides which daemon sees to it."""

from __future__ import annotations

from random import Random

__all__ = ["source_of_same_ids"]


def source_of_same_ids() -> dict[str, object]:
    """What `penstock.ids` makes them from, by the names of its attributes."""
    return {
        "now": lambda: 1_767_261_600_000_000_000,  # 2026-01-01T10:00 UTC
        "chance": Random(0).randbytes,
        "last": 0,
    }
