"""Partition sets as records: what a code location's description carries and all arithmetic starts from."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = [
    "Dimension",
    "DynamicSpec",
    "MultiSpec",
    "PartitionsSpec",
    "SingleSpec",
    "StaticSpec",
    "TimeWindowSpec",
    "dynamic_names",
]


class StaticSpec(msgspec.Struct, frozen=True, kw_only=True, tag="static"):
    """A fixed list of keys, in order."""

    keys: tuple[str, ...]


class TimeWindowSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="time_window"):
    """One key for each window of time.

    Args:
        cron: When windows begin; each ends where the text is next due.
        start: Wall time, ISO 8601 without a zone: the first window is the first one that begins at or after it.
        end: Wall time likewise: no window ends after it. None for no end.
        timezone: IANA name of the zone of all wall times.
        fmt: How a key is written, in the words of `datetime.strftime`, from the wall time of the window's beginning.
        end_offset: By how many windows the last key lies after (or, negative, before) the last complete window.
        excluded_crons: Windows that begin when one of these texts is due are left out.
        excluded_times: So are those that begin within one of these stretches, in seconds since the epoch.
    """

    cron: str
    start: str
    fmt: str
    end: str | None = None
    timezone: str = "UTC"
    end_offset: int = 0
    excluded_crons: tuple[str, ...] = ()
    excluded_times: tuple[tuple[int, int], ...] = ()


class DynamicSpec(msgspec.Struct, frozen=True, kw_only=True, tag="dynamic"):
    """Keys that are added and removed at run time, kept in storage under a name."""

    name: str


SingleSpec: TypeAlias = StaticSpec | TimeWindowSpec | DynamicSpec
"""A set of one dimension."""


class Dimension(msgspec.Struct, frozen=True, kw_only=True):
    """One of the sets whose keys a set of several dimensions combines."""

    name: str
    partitions: SingleSpec


class MultiSpec(msgspec.Struct, frozen=True, kw_only=True, tag="multi"):
    """Each combination of one key of each dimension. A key joins theirs with `|`, in the order of the names.

    Args:
        dimensions: The dimensions, in the order of their names.
    """

    dimensions: tuple[Dimension, ...]


PartitionsSpec: TypeAlias = SingleSpec | MultiSpec


def dynamic_names(spec: PartitionsSpec | None) -> tuple[str, ...]:
    """The names of the dynamic sets that a set draws its keys from."""
    match spec:
        case DynamicSpec():
            return (spec.name,)
        case MultiSpec():
            return tuple(name for each in spec.dimensions for name in dynamic_names(each.partitions))
        case _:
            return ()
