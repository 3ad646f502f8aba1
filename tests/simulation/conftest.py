"""What is left to chance outside of a simulation is given to it, so that a seed that fails fails again."""

from __future__ import annotations

import pytest

from penstock.ids import _Source
from simulation.ids import source_of_same_ids


@pytest.fixture(autouse=True)
def same_ids_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """New ids are the same in each process."""
    for name, value in source_of_same_ids().items():
        monkeypatch.setattr(_Source, name, value)
