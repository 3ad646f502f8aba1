"""What conditions ask of the world, as one small seam: over a storage in the deployment, over lists in tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from ...partitions.space import KeySpace
from ...partitions.subset import Subset
from .graph import Entity

__all__ = ["ONE", "Facts", "RunFacts", "Update"]

ONE = Subset.span(0, 1)
"""All of what has no partitions."""


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A materialization or observation of a partition, or an evaluation of a check."""

    position: int
    event: int
    run_id: str | None = None


class RunFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked of a run: its tags, and the ids of the entities that it announced to make or evaluate."""

    tags: Mapping[str, str] = {}
    targets: frozenset[str] = frozenset()


class Facts(Protocol):
    """Stored facts as of one instant. Partitions are positions; what has no partitions is the position 0.

    What counts as an update: a materialization; for an asset that is observed here, an observation; for a check, an
    evaluation.
    """

    @property
    def now(self) -> float:
        """The instant of the evaluation, in seconds since the epoch; it says which partitions exist."""
        ...

    @property
    def last_event(self) -> int:
        """The id of the newest event that is looked at."""
        ...

    def space(self, entity: Entity) -> KeySpace | None:
        """An entity's positions and keys; None where it has no partitions."""
        ...

    def space_state(self, entity: Entity) -> str:
        """A text that changes whenever the entity's partitions do."""
        ...

    def prepare(self, entities: Iterable[str]) -> None:
        """These will be asked about: a hint to read their facts at once."""
        ...

    def changed(self, after: int, updated: Mapping[str, Subset]) -> Iterable[str] | None:
        """The ids of those that something happened to after the event `after`; None where that may be any.

        Args:
            after: The newest event that the last evaluation looked at.
            updated: What `all_updated` gave then.
        """
        ...

    def all_updated(self) -> Mapping[str, Subset]:
        """Of partitioned entities, the partitions that were ever updated, as far as that is known without asking."""
        ...

    def updated(self, entity: Entity) -> Subset:
        """The partitions that were ever updated."""
        ...

    def updates(self, entity: Entity, after: int) -> Sequence[Update]:
        """Updates after the event `after`, oldest first."""
        ...

    def in_progress(self, entity: Entity, *, backfill: bool) -> Subset:
        """The partitions that an unended run is to update; with `backfill`, only runs of backfills count, and what
        backfills have not begun yet."""
        ...

    def failed(self, entity: Entity) -> Subset:
        """The partitions whose last announced update ended without one."""
        ...

    def latest_runs(self, entity: Entity, among: Subset) -> Mapping[int, str]:
        """For each of these partitions that a run has updated, the last such run."""
        ...

    def run(self, run_id: str) -> RunFacts | None:
        """What is known of a run; None when it was removed."""
        ...

    def data_version_changed(self, entity: Entity, after: int) -> Subset:
        """The partitions whose data version is another one than at the event `after`."""
        ...

    def check_results(self, entity: Entity, *, passed: bool) -> Subset:
        """The partitions of a check whose last evaluation passed, or did not."""
        ...

    def freshness(self, entity: Entity) -> tuple[str | None, float | None]:
        """UNKNOWN, PASS, WARN or FAIL, and when that changes by time alone; None where the asset has no policy, and
        where it does not change."""
        ...
