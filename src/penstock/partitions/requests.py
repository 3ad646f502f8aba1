"""Wishes to change a dynamic partition set, as sensors give them and as they are stored with a tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError
from .space import DynamicKeys

__all__ = ["AddDynamicPartitionsRequest", "DeleteDynamicPartitionsRequest", "PartitionsRequest", "keys_after"]


class _Request(msgspec.Struct, frozen=True):
    partitions_def_name: str
    partition_keys: Sequence[str]

    def __post_init__(self) -> None:
        if isinstance(self.partition_keys, str) or not all(isinstance(each, str) for each in self.partition_keys):
            raise DefinitionError(
                f"A {type(self).__name__} has partition_keys={self.partition_keys!r}; give a list of texts."
            )
        msgspec.structs.force_setattr(
            self, "partition_keys", list(self.partition_keys)
        )  # as it comes back from a store


class AddDynamicPartitionsRequest(_Request, frozen=True, tag="add"):
    """Asks that these keys be added to a dynamic partition set; those that are there already change nothing.

    Args:
        partitions_def_name: The name of the set.
        partition_keys: The keys.

    Raises:
        DefinitionError: The keys are no texts.
    """


class DeleteDynamicPartitionsRequest(_Request, frozen=True, tag="delete"):
    """Asks that these keys be removed from a dynamic partition set; those that are not there change nothing.

    Args:
        partitions_def_name: The name of the set.
        partition_keys: The keys.

    Raises:
        DefinitionError: The keys are no texts.
    """


PartitionsRequest: TypeAlias = AddDynamicPartitionsRequest | DeleteDynamicPartitionsRequest


def keys_after(requests: Iterable[PartitionsRequest], keys: DynamicKeys) -> DynamicKeys:
    """The keys of dynamic sets as they will be once these requests are fulfilled, in order."""
    asked = list(requests)
    if not asked:
        return keys

    def changed(name: str) -> Sequence[str]:
        found = dict.fromkeys(keys(name))
        for request in asked:
            if request.partitions_def_name != name:
                continue
            for key in request.partition_keys:
                if isinstance(request, AddDynamicPartitionsRequest):
                    found.setdefault(key)
                else:
                    found.pop(key, None)
        return list(found)

    return changed
