"""What is left to chance outside of a simulation is given to it, so that a seed that fails fails again."""

from __future__ import annotations

from random import Random

import pytest

from penstock.ids import _Source


@pytest.fixture(autouse=True)
def same_ids_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """New ids are the same in each process; what a run or a backfill is called decides which daemon sees to it."""
    monkeypatch.setattr(_Source, "now", lambda: 1_767_261_600_000_000_000)  # 2026-01-01T10:00 UTC
    monkeypatch.setattr(_Source, "chance", Random(0).randbytes)
    monkeypatch.setattr(_Source, "last", 0)
