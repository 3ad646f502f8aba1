"""The runs of a backfill: one of each group is planned in full, and the others are like it but for their partitions."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..engine.backfill import Unit
from ..errors import PartitionNotFoundError
from ..ids import new_run_id
from ..partitions.definition import keys_of
from ..partitions.space import DynamicKeys, KeySpace, between
from ..records.backfill import Backfill, BackfillPlan
from ..records.event import AssetCheckEvaluationPlanned, AssetMaterializationPlanned
from ..records.location import LocationDescription
from ..records.run import Tag
from ..records.wire import PartitionRun
from ..storage.protocols import NewRun
from .launch import partition_tags, plan_run, planned_facts

__all__ = ["GroupRuns", "backfill_tags"]


def backfill_tags(backfill: Backfill) -> dict[str, str]:
    """The tags that all runs of a backfill have."""
    known = {
        Tag.BACKFILL: backfill.backfill_id,
        Tag.BACKFILL_TITLE: backfill.title,
        Tag.USER: backfill.user,
        Tag.PARENT_BACKFILL: backfill.parent,
        Tag.ROOT_BACKFILL: backfill.root,
        Tag.PRIORITY: str(backfill.priority) if backfill.priority else None,
    }
    return {**backfill.tags, **{key: value for key, value in known.items() if value}}


class GroupRuns:
    """Makes the runs of one group of a backfill, by one description of its code location.

    Args:
        plan: What the backfill is to make.
        group: The group's index.
        space: Its partition set as it was when the backfill was asked for.
        location: The code location.
    """

    def __init__(self, plan: BackfillPlan, group: int, space: KeySpace | None, location: LocationDescription) -> None:
        self.location = location
        self._plan = plan
        self._group = plan.groups[group]
        self._space = space
        self._first: NewRun | None = None

    def run(
        self,
        unit: Unit,
        tags: Mapping[str, str],
        *,
        own: PartitionRun | None,
        today: KeySpace | None,
        now: float,
        dynamic_keys: DynamicKeys,
    ) -> NewRun:
        """A new run, not stored yet.

        Args:
            unit: What it works on.
            tags: Those that all runs of the backfill have.
            own: What user code gives for its partition, where it does.
            today: The partition set as it is now.
            now: The time.
            dynamic_keys: Where the keys of dynamic partition sets come from.

        Raises:
            PartitionNotFoundError: A partition does not exist any more.
            ConfigurationError: The run does not fit the definitions as they are now.
        """
        keys, spans = self._keys(unit, today, now)
        if own is None and self._first is not None:
            return self._like(self._first, keys, {**tags, **spans}, now)
        config = self._plan.run_config or ({} if own is None else own.run_config)
        planned = plan_run(
            self.location,
            job=self._group.job,
            run_config=config,
            tags={**({} if own is None else own.tags), **tags, **spans},
            partition=keys[0] if len(keys) == 1 else None,
            assets=None if self._group.whole_job or not self._group.assets else self._group.assets,
            step_keys=self._plan.step_keys,
            now=now,
            dynamic_keys=dynamic_keys,
        )
        if own is None:
            self._first = planned
        return planned

    def _keys(self, unit: Unit, today: KeySpace | None, now: float) -> tuple[list[str], dict[str, str]]:
        """The partitions, and the tags of a range of several."""
        space = self._space
        if space is None or today is None:
            return [], {}
        keys = keys_of(space, between(space, unit.first, unit.last))
        count = today.count(now)
        for key, position in zip(keys, today.positions(keys), strict=True):
            if position is None or not 0 <= position < count:
                raise PartitionNotFoundError(
                    f"The partition {key!r} does not exist any more; ask for a new backfill without it."
                )
        if len(keys) == 1:
            return keys, {}
        return keys, {Tag.PARTITION_RANGE_START: keys[0], Tag.PARTITION_RANGE_END: keys[-1]}

    def _like(self, first: NewRun, keys: list[str], tags: dict[str, str], now: float) -> NewRun:
        """A run like another of the group, on these partitions."""
        made: dict[str, bool] = {}
        checks: dict[str, bool] = {}
        for fact in first.facts:
            if isinstance(fact, AssetMaterializationPlanned):
                made[fact.asset] = made.get(fact.asset, False) or fact.partition is not None
            elif isinstance(fact, AssetCheckEvaluationPlanned):
                checks[f"{fact.asset}:{fact.check}"] = fact.partition is not None
        if len(keys) == 1:
            tags |= partition_tags(self._group.partitions, keys[0])
        run = msgspec.structs.replace(
            first.run,
            run_id=new_run_id(),
            tags={**{key: value for key, value in first.run.tags.items() if not _is_of_partition(key)}, **tags},
            created=now,
            updated=now,
        )
        partitioned = made | {key.rpartition(":")[0]: is_partitioned for key, is_partitioned in checks.items()}
        facts = planned_facts(made, checks, lambda asset: keys if partitioned[asset] and keys else (None,))
        return NewRun(run=run, facts=tuple(facts), snapshot=first.snapshot)


def _is_of_partition(key: str) -> bool:
    return (
        key in (Tag.PARTITION_RANGE_START, Tag.PARTITION_RANGE_END)
        or key == Tag.PARTITION
        or key.startswith(f"{Tag.PARTITION}/")
    )
