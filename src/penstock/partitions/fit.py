"""Whether a mapping can relate two sets of partitions at all, asked while definitions are tied together."""

from __future__ import annotations

from ..wording import did_you_mean
from .definition import PartitionsDefinition, StaticPartitionsDefinition
from .mapping import PartitionMapping, StaticPartitionMapping, TimeWindowPartitionMapping
from .time_window import TimeWindowPartitionsDefinition

__all__ = ["misfit"]


def misfit(mapping: PartitionMapping, upstream: PartitionsDefinition, downstream: PartitionsDefinition) -> str | None:
    """Why a mapping cannot relate the partitions of two assets, as a sentence with the way out; None where it may."""
    match mapping:
        case TimeWindowPartitionMapping():
            for which, each in (("upstream", upstream), ("downstream", downstream)):
                if not isinstance(each, TimeWindowPartitionsDefinition):
                    return (
                        f"a TimeWindowPartitionMapping relates partitions of time, and the {which} asset has a "
                        f"{type(each).__name__}; "
                        "use another mapping."
                    )
        case StaticPartitionMapping():
            pairs = mapping.downstream_partition_keys_by_upstream_partition_key
            named = {"upstream": list(pairs), "downstream": [key for keys in pairs.values() for key in keys]}
            for which, each in (("upstream", upstream), ("downstream", downstream)):
                if isinstance(each, StaticPartitionsDefinition):
                    known = dict.fromkeys(each.spec.keys)
                    for key in named[which]:
                        if key not in known:
                            return (
                                f'the StaticPartitionMapping names "{key}", which is no partition of the {which} asset'
                                f"{did_you_mean(key, known)}"
                            )
    return None
