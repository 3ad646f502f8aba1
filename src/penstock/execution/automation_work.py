"""What runs are at work on, as of the instant of an evaluation of automation conditions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeAlias

from ..records.event import AssetMaterialization
from ..storage.protocols import Storage
from .automation_backfills import BackfillFacts

__all__ = ["AtWork"]

_MADE = ("ASSET_MATERIALIZATION",)
_PAGE = 1_000

_Planned: TypeAlias = tuple[str | None, str]


class AtWork:
    """What unended runs are to make, read when it is first asked for.

    What is not begun becomes planned, and then made. So that nothing is missed on its way, what backfills have not
    begun is read first, and what was made after the newest event that is looked at was still being made at that time.

    Args:
        storage: Where the runs are.
        backfills: What backfills have not begun.
        last_event: The id of the newest event that is looked at.
    """

    def __init__(self, storage: Storage, backfills: BackfillFacts, last_event: int) -> None:
        self._storage = storage
        self._backfills = backfills
        self._last_event = last_event

    def planned(self, asset: str) -> Sequence[_Planned]:
        """(partition, run) of what unended runs are still to make of an asset."""
        return self._open.get(asset, ())

    @cached_property
    def _open(self) -> dict[str, list[_Planned]]:
        self._backfills.read()
        found: dict[str, list[_Planned]] = {}
        for each in self._storage.assets.planned():
            found.setdefault(each.asset, []).append((each.partition, each.run_id))
        for asset, planned in self._made_since():
            found.setdefault(asset, []).append(planned)
        return found

    def _made_since(self) -> list[tuple[str, _Planned]]:
        found: list[tuple[str, _Planned]] = []
        seen, last = self._last_event, self._storage.events.last_id()
        while seen < last:
            page = self._storage.events.of_types(_MADE, after=seen, before=last + 1, limit=_PAGE)
            for stored in page:
                fact, run_id = stored.event.fact, stored.run_id
                if isinstance(fact, AssetMaterialization) and run_id is not None:
                    found.append((fact.asset, (fact.partition, run_id)))
            if len(page) < _PAGE:
                break
            seen = page[-1].id
        return found
