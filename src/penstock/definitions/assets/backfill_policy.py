"""How many partitions of an asset one run of a backfill makes."""

from __future__ import annotations

import msgspec

from ...errors import DefinitionError

__all__ = ["BackfillPolicy"]


class BackfillPolicy(msgspec.Struct, frozen=True):
    """How a backfill cuts a stretch of partitions into runs.

    Args:
        max_partitions_per_run: At most this many in one run; None for all in one.

    Raises:
        DefinitionError: The number is below 1.
    """

    max_partitions_per_run: int | None = 1

    def __post_init__(self) -> None:
        if self.max_partitions_per_run is not None and self.max_partitions_per_run < 1:
            raise DefinitionError(
                f"A BackfillPolicy has max_partitions_per_run={self.max_partitions_per_run}; give 1 or more, or "
                "None for "
                "all at once."
            )

    @staticmethod
    def single_run() -> BackfillPolicy:
        """All partitions in one run, which sees them as a range."""
        return BackfillPolicy(None)

    @staticmethod
    def multi_run(max_partitions_per_run: int = 1) -> BackfillPolicy:
        """As many runs as it takes, each of at most this many partitions."""
        return BackfillPolicy(max_partitions_per_run)
