"""What automation conditions ask of backfills: what they have not begun yet, and of which assets that has changed."""

from __future__ import annotations

from functools import cached_property

from ..engine.backfill import space_of
from ..engine.backfill_progress import positions_of
from ..partitions.definition import keys_of
from ..records.backfill import BackfillPart, BackfillPlan
from ..storage.protocols import BackfillFilter, BackfillStorage

__all__ = ["BackfillFacts"]

_NEWEST = 50


class BackfillFacts:
    """Backfills at one instant, read when they are first asked for.

    Args:
        storage: Where they are.
    """

    def __init__(self, storage: BackfillStorage) -> None:
        self._storage = storage

    def assets(self, since: float) -> set[str]:
        """What backfills make that are under way, or have changed since a time: no event tells of what they skip or
        give up. Keys are in text form."""
        newest = self._storage.page(BackfillFilter(), limit=_NEWEST)
        ids = {each.backfill_id for each in newest if each.updated >= since} | self._open.keys()
        plans = [self._open.get(each) or self._storage.plan(each) for each in ids]
        return {asset for plan in plans if plan is not None for asset in plan.assets}

    def read(self) -> None:
        """Read what they have not begun now, and not when it is asked for."""
        _ = self._waiting

    def waiting(self, asset: str) -> list[str | None]:
        """The partitions of an asset that backfills under way have not begun; None stands for one without any."""
        return self._waiting.get(asset, [])

    @cached_property
    def _open(self) -> dict[str, BackfillPlan]:
        found = {each.backfill_id: self._storage.plan(each.backfill_id) for each in self._storage.open()}
        return {backfill_id: plan for backfill_id, plan in found.items() if plan is not None}

    @cached_property
    def _waiting(self) -> dict[str, list[str | None]]:
        found: dict[str, list[str | None]] = {}
        for backfill_id, plan in self._open.items():
            parts: dict[int, list[BackfillPart]] = {}
            for part in self._storage.parts(backfill_id):
                parts.setdefault(part.group, []).append(part)
            for index, group in enumerate(plan.groups):
                space = space_of(plan, group)
                left = positions_of(group.chosen, None, space, parts.get(index, ())).waiting
                keys: list[str | None] = [None] * len(left) if space is None else [*keys_of(space, left)]
                for asset in group.assets:
                    found.setdefault(asset, []).extend(keys)
        return found
