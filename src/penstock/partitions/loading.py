"""The time and the store of dynamic keys that partition sets are read with where a call names none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

import msgspec

from ..clock import SYSTEM_CLOCK

__all__ = [
    "DynamicPartitionsStore",
    "PartitionLoadingContext",
    "partition_loading_context",
    "seconds",
    "store_or_current",
]


class DynamicPartitionsStore(Protocol):
    """Knows the keys of dynamic partition sets; an instance is one."""

    def get_dynamic_partitions(self, partitions_def_name: str) -> Sequence[str]:
        """The keys of the set of that name, in the order in which they were added."""
        ...


class PartitionLoadingContext(msgspec.Struct, frozen=True, kw_only=True):
    """What partition sets are read with.

    Args:
        effective_dt: The time that counts as now; the clock's where it is None. Without a zone it is read as UTC.
        dynamic_partitions_store: Knows the keys of dynamic sets.
    """

    effective_dt: datetime | None = None
    dynamic_partitions_store: DynamicPartitionsStore | None = None


_NONE = PartitionLoadingContext()
_CURRENT: ContextVar[PartitionLoadingContext] = ContextVar("partition_loading_context", default=_NONE)


@contextmanager
def partition_loading_context(
    effective_dt: datetime | None = None,
    dynamic_partitions_store: DynamicPartitionsStore | None = None,
    *,
    new_ctx: PartitionLoadingContext | None = None,
) -> Iterator[PartitionLoadingContext]:
    """Within the block, read partition sets with this time and this store of dynamic keys.

    What is not given stays as it is around the block.

    Args:
        effective_dt: The time that counts as now.
        dynamic_partitions_store: Knows the keys of dynamic sets.
        new_ctx: Both at once, in place of what is around the block.
    """
    around = _CURRENT.get() if new_ctx is None else new_ctx
    context = PartitionLoadingContext(
        effective_dt=around.effective_dt if effective_dt is None else effective_dt,
        dynamic_partitions_store=(
            around.dynamic_partitions_store if dynamic_partitions_store is None else dynamic_partitions_store
        ),
    )
    token = _CURRENT.set(context)
    try:
        yield context
    finally:
        _CURRENT.reset(token)


def seconds(moment: datetime | None) -> float:
    """The instant that a `current_time` means, in seconds since the epoch."""
    if moment is None:
        moment = _CURRENT.get().effective_dt
    if moment is None:
        return SYSTEM_CLOCK.now()
    if moment.tzinfo is None:
        return (moment - datetime(1970, 1, 1)).total_seconds()  # noqa: DTZ001 - read as UTC, as promised
    return moment.timestamp()


def store_or_current(store: DynamicPartitionsStore | None) -> DynamicPartitionsStore | None:
    """The store that a call names, or that of the block around it."""
    return _CURRENT.get().dynamic_partitions_store if store is None else store
