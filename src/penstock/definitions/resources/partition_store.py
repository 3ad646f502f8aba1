"""What IO managers that keep one value for each partition have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from ...errors import ConfigurationError, EnvironmentalError
from ...wording import kind_of
from .io_manager import IOManager

__all__ = ["MissingValueError", "PartitionStore", "has_partitions", "may_miss", "subject_of"]

ALLOW_MISSING = "allow_missing_partitions"
"""The label in an input's metadata that lets partitions be left out whose values are not stored."""


class MissingValueError(EnvironmentalError, FileNotFoundError):
    """No value is stored where one was looked for."""


class PartitionStore(IOManager):
    """Stores a value for an output, an asset or each partition of an asset.

    A run that works on several partitions gives and takes a dict by partition key. An input whose metadata has
    `allow_missing_partitions` leaves out those that are not stored.
    """

    @abstractmethod
    def put(self, context: Any, partition: str | None, obj: Any) -> None:
        """Store a value, for a partition if one is given."""

    @abstractmethod
    def get(self, context: Any, partition: str | None) -> Any:
        """Load a value; raises `FileNotFoundError` if there is none."""

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a value; for an asset with several partitions in one run, a dict of partition key to value."""
        if not has_partitions(context):
            self.put(context, None, obj)
            return
        keys = list(context.asset_partition_keys)
        if len(keys) == 1:
            self.put(context, keys[0], obj)
            return
        if not isinstance(obj, dict) or set(obj) != set(keys):
            raise ConfigurationError(
                f"This run makes {len(keys)} partitions of {context.asset_key}, so its value must be a dict with "
                f"exactly these partition keys, not {kind_of(obj)}; "
                "return one, or run one partition at a time."
            )
        for key in keys:
            self.put(context, key, obj[key])

    def load_input(self, context: Any) -> Any:
        """Load a value; for an asset with several partitions, a dict of partition key to value; for none, None."""
        if not has_partitions(context):
            return self.get(context, None)
        keys = list(context.asset_partition_keys)
        if not keys:
            return None  # the first partition of an asset that needs its own previous one
        if len(keys) == 1:
            return self.get_stored(context, keys).get(keys[0])
        return self.get_stored(context, keys)

    def get_stored(self, context: Any, keys: Sequence[str]) -> dict[str, Any]:
        """The values of these partitions; those that are not stored are left out where the input allows it."""
        if not may_miss(context):
            return {key: self.get(context, key) for key in keys}
        found = {}
        for key in keys:
            try:
                found[key] = self.get(context, key)
            except FileNotFoundError:
                self.tell_missing(context, key)
        return found

    def tell_missing(self, context: Any, partition: str) -> None:
        """Say that a partition is left out."""
        context.log.debug(f"Partition {partition} of {subject_of(context)} is not stored and is left out.")


def has_partitions(context: Any) -> bool:
    """Whether a context is of one or more partitions of an asset."""
    return bool(context.has_asset_key and context.has_asset_partitions)


def may_miss(context: Any) -> bool:
    """Whether an input may do without partitions that are not stored."""
    return bool(context.definition_metadata.get(ALLOW_MISSING, False))


def subject_of(context: Any) -> str:
    """What a context is of, as messages name it."""
    if context.has_asset_key:
        return f"asset {context.asset_key}"
    output = getattr(context, "upstream_output", None) or context
    return f'output "{output.name}" of step {output.step_key}'
