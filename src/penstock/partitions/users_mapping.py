"""A mapping of the user's own in terms of positions, so that it is used as those of Penstock are."""

from __future__ import annotations

from datetime import UTC, datetime

from ..errors import UserCodeError
from ..wording import with_article
from .definition import PartitionsDefinition, subset_of
from .loading import store_or_current
from .mapping import NAMED, ClosedMapping, PartitionMapping, Upstream, existing, same_positions
from .partitions_subset import PartitionsSubset, UpstreamPartitionsResult
from .space import KeySpace
from .subset import Subset

__all__ = ["UsersMapping", "closed"]


class UsersMapping(ClosedMapping):
    """A mapping of the user's own between two sets. Dynamic keys are known by the `partition_loading_context` around.

    Args:
        mapping: The user's.
        downstream: The set of the downstream asset; None if it has no partitions.
        upstream: The set of the upstream asset.
    """

    __slots__ = ("_downstream", "_mapping", "_upstream")

    def __init__(
        self, mapping: PartitionMapping, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
    ) -> None:
        self._mapping = mapping
        self._downstream = downstream
        self._upstream = upstream

    def upstream(self, chosen: Subset, downstream: KeySpace, upstream: KeySpace, now: float) -> Upstream:
        """What the user's mapping answers.

        Raises:
            UserCodeError: It is no `UpstreamPartitionsResult`.
        """
        own = None if self._downstream is None else PartitionsSubset(self._downstream, downstream, chosen)
        answer: object = self._mapping.get_upstream_mapped_partitions_result_for_partitions(
            own, self._downstream, self._upstream, datetime.fromtimestamp(now, UTC), store_or_current(None)
        )
        if not isinstance(answer, UpstreamPartitionsResult):
            raise self._broken("get_upstream_mapped_partitions_result_for_partitions", answer, UpstreamPartitionsResult)
        missing = answer.required_but_nonexistent_subset
        absent = () if missing is None else missing.get_partition_keys()
        present = existing(_positions(answer.partitions_subset, upstream), upstream, now).present
        return Upstream(present=present, absent=tuple(absent[:NAMED]), absent_count=len(absent))

    def downstream(self, chosen: Subset, upstream: KeySpace, downstream: KeySpace, now: float) -> Subset:
        """What the user's mapping answers.

        Raises:
            UserCodeError: It is no `PartitionsSubset`.
        """
        if self._downstream is None:
            return Subset()
        answer: object = self._mapping.get_downstream_partitions_for_partitions(
            PartitionsSubset(self._upstream, upstream, chosen),
            self._upstream,
            self._downstream,
            datetime.fromtimestamp(now, UTC),
            store_or_current(None),
        )
        if not isinstance(answer, PartitionsSubset):
            raise self._broken("get_downstream_partitions_for_partitions", answer, PartitionsSubset)
        return existing(_positions(answer, downstream), downstream, now).present

    def _broken(self, method: str, answer: object, kind: type) -> UserCodeError:
        return UserCodeError(
            f"{type(self._mapping).__name__}.{method} answered {answer!r}; "
            f"it must answer {with_article(kind.__name__)}."
        )


def closed(
    mapping: PartitionMapping, downstream: PartitionsDefinition | None, upstream: PartitionsDefinition
) -> ClosedMapping:
    """A mapping in terms of positions, whether it is one of Penstock or of the user."""
    return mapping if isinstance(mapping, ClosedMapping) else UsersMapping(mapping, downstream, upstream)


def _positions(chosen: PartitionsSubset, space: KeySpace) -> Subset:
    if same_positions(chosen.space, space):
        return chosen.positions
    return subset_of(space, chosen.get_partition_keys())[0]
