"""Asking again for what an ended backfill asked for, or for what it did not make."""

from __future__ import annotations

from collections.abc import Mapping

from ..engine.backfill import space_of
from ..engine.backfill_progress import positions_of
from ..errors import ConfigurationError
from ..partitions.definition import keys_of
from ..partitions.subset import Subset
from ..records.backfill import Backfill, BackfillPart, BackfillPlan
from ..storage.protocols import BackfillStorage
from .backfill_request import BackfillRequest, PartitionsMissingError

__all__ = ["request_again"]


def request_again(
    storage: BackfillStorage,
    backfill: Backfill,
    *,
    from_failure: bool,
    tags: Mapping[str, str] | None = None,
    user: str | None = None,
) -> BackfillRequest:
    """What is to be asked for.

    Args:
        storage: Has the backfill.
        backfill: The backfill.
        from_failure: Only what it did not make.
        tags: More tags.
        user: Who asks, where known.

    Raises:
        ConfigurationError: It has not ended.
        PartitionsMissingError: It made everything.
    """
    if backfill.is_open:
        raise ConfigurationError(
            f"The backfill {backfill.backfill_id} is {backfill.status}; it can be asked for again when it has ended."
        )
    plan = storage.plan(backfill.backfill_id)
    assert plan is not None
    parts = storage.parts(backfill.backfill_id) if from_failure else []
    by_asset: dict[str, tuple[str, ...] | None] = {}
    of_ops: tuple[str, ...] = ()
    for index, group in enumerate(plan.groups):
        space = space_of(plan, group)
        own = [part for part in parts if part.group == index]
        for asset in group.assets or ("",):
            left = _left(plan, index, asset, own) if from_failure else group.chosen
            keys = None if space is None else tuple(keys_of(space, left))
            if not group.assets:
                of_ops = keys or ()
            elif left:
                by_asset[asset] = keys
    if not by_asset and not of_ops:
        raise PartitionsMissingError(f"The backfill {backfill.backfill_id} made all that it was asked for.")
    return BackfillRequest(
        location=backfill.locations[0] if backfill.job else None,
        job=backfill.job,
        partitions=of_ops or None,
        by_asset=by_asset or None,
        step_keys=plan.step_keys,
        run_config=plan.run_config,
        tags={**backfill.tags, **(tags or {})},
        title=backfill.title,
        description=backfill.description,
        user=user,
        priority=backfill.priority,
        parent=backfill,
        from_failure=from_failure,
    )


def _left(plan: BackfillPlan, index: int, asset: str, parts: list[BackfillPart]) -> Subset:
    group = plan.groups[index]
    found = positions_of(group.chosen, asset, space_of(plan, group), parts)
    return group.chosen.difference(found.materialized)
