"""Cuts part of a partition set into runs: single partitions, and ranges that one run works on."""

from __future__ import annotations

from collections.abc import Iterator

from ..partitions.space import KeySpace, pieces
from ..partitions.subset import Subset
from ..records.run import Tag

__all__ = ["runs_over"]


def runs_over(space: KeySpace, chosen: Subset, at_most: int | None) -> Iterator[tuple[str | None, dict[str, str]]]:
    """The partition and the tags of each run; a run over a range has no partition, and tags that say the range.

    Args:
        space: The set.
        chosen: The part.
        at_most: How many partitions a run may work on; None for any number.
    """
    for first, last in pieces(space, chosen, at_most):
        if first == last:
            yield space.key(first), {}
        else:
            yield None, {Tag.PARTITION_RANGE_START: space.key(first), Tag.PARTITION_RANGE_END: space.key(last)}
