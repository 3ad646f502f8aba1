"""Run config that follows from the partition: a partition set with a function from its keys to config."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeAlias

from ..config.run_config import RunConfig, plain_run_config
from ..errors import DefinitionError, UserCodeError
from ..partitions.definition import (
    DynamicPartitionsDefinition,
    Partition,
    PartitionsDefinition,
    StaticPartitionsDefinition,
)
from ..partitions.multi import as_partition_key
from ..partitions.time_window import (
    DailyPartitionsDefinition,
    Exclusion,
    HourlyPartitionsDefinition,
    MonthlyPartitionsDefinition,
    TimeWindowPartitionsDefinition,
    WeeklyPartitionsDefinition,
)
from .names import normalize_tags

__all__ = [
    "PartitionedConfig",
    "daily_partitioned_config",
    "dynamic_partitioned_config",
    "hourly_partitioned_config",
    "monthly_partitioned_config",
    "partitioned_config",
    "static_partitioned_config",
    "weekly_partitioned_config",
]

GivenConfig: TypeAlias = Mapping[str, Any] | RunConfig
KeyConfig: TypeAlias = Callable[[str], GivenConfig]
KeyTags: TypeAlias = Callable[[str], Mapping[str, str]]
WindowConfig: TypeAlias = Callable[[datetime, datetime], GivenConfig]
WindowTags: TypeAlias = Callable[[datetime, datetime], Mapping[str, str]]


class PartitionedConfig:
    """Run config and tags for each partition of a set; give it to a job as its `config`.

    Calling it calls the function that it was made of.

    Args:
        partitions_def: The set.
        run_config_for_partition_fn: Gives the config of a `Partition`.
        decorated_fn: The function that it was made of.
        tags_for_partition_fn: Gives the tags of a `Partition`.
        run_config_for_partition_key_fn: Gives the config of a key; in place of that of a `Partition`.
        tags_for_partition_key_fn: Gives the tags of a key; likewise.

    Raises:
        DefinitionError: There is no function for the config, or there are two for one thing.
    """

    def __init__(
        self,
        partitions_def: PartitionsDefinition,
        run_config_for_partition_fn: Callable[[Partition], GivenConfig] | None = None,
        decorated_fn: Callable[..., GivenConfig] | None = None,
        tags_for_partition_fn: Callable[[Partition], Mapping[str, str]] | None = None,
        run_config_for_partition_key_fn: KeyConfig | None = None,
        tags_for_partition_key_fn: KeyTags | None = None,
    ) -> None:
        given: object = partitions_def
        if not isinstance(given, PartitionsDefinition):
            raise DefinitionError(f"A PartitionedConfig needs a partition set, not {given!r}.")
        if (run_config_for_partition_fn is None) == (run_config_for_partition_key_fn is None):
            raise DefinitionError(
                "A PartitionedConfig needs one function for the run config; give run_config_for_partition_key_fn."
            )
        if tags_for_partition_fn is not None and tags_for_partition_key_fn is not None:
            raise DefinitionError("A PartitionedConfig has two functions for tags; give tags_for_partition_key_fn.")
        self.partitions_def = partitions_def
        self.decorated_fn = decorated_fn
        self.run_config_for_partition_fn = run_config_for_partition_fn
        self.run_config_for_partition_key_fn = run_config_for_partition_key_fn
        self.tags_for_partition_fn = tags_for_partition_fn
        self.tags_for_partition_key_fn = tags_for_partition_key_fn

    def get_partition_keys(self, current_time: datetime | None = None) -> Sequence[str]:
        """All keys of the set, in order."""
        return self.partitions_def.get_partition_keys(current_time)

    def get_run_config_for_partition_key(self, partition_key: str) -> dict[str, Any]:
        """The run config of a partition.

        Raises:
            UserCodeError: The function failed, or gave no run config.
        """
        given = self._call(
            self.run_config_for_partition_key_fn, self.run_config_for_partition_fn, partition_key, "run config"
        )
        try:
            return plain_run_config(given, f"the partition {partition_key!r}")
        except DefinitionError as error:
            raise UserCodeError(f"The function for the run config of partitions failed: {error}") from error

    def get_tags_for_partition_key(self, partition_key: str) -> dict[str, str]:
        """The tags that the run of a partition gets beside those of its job.

        Raises:
            UserCodeError: The function failed, or gave no tags.
        """
        if self.tags_for_partition_key_fn is None and self.tags_for_partition_fn is None:
            return {}
        given = self._call(self.tags_for_partition_key_fn, self.tags_for_partition_fn, partition_key, "tags")
        try:
            return normalize_tags(given, f"The run of partition {partition_key!r}")
        except DefinitionError as error:
            raise UserCodeError(
                f"The function for the tags of partitions raised {type(error).__name__}: {error}"
            ) from error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives that it was made of."""
        if self.decorated_fn is None:
            raise DefinitionError("This PartitionedConfig was not made of a function, so it cannot be called.")
        return self.decorated_fn(*args, **kwargs)

    def _call(
        self,
        by_key: Callable[[str], Any] | None,
        by_partition: Callable[[Partition], Any] | None,
        partition_key: str,
        what: str,
    ) -> Any:
        key = as_partition_key(self.partitions_def, partition_key)
        try:
            if by_key is not None:
                return by_key(key)
            assert by_partition is not None
            return by_partition(Partition(key, str(key)))
        except Exception as error:
            raise UserCodeError(
                f"The function for the {what} of partition {partition_key!r} raised {type(error).__name__}: {error}"
            ) from error


def partitioned_config(
    partitions_def: PartitionsDefinition, tags_for_partition_key_fn: KeyTags | None = None
) -> Callable[[KeyConfig], PartitionedConfig]:
    """Make a `PartitionedConfig` of a function that gives the run config of a key.

    Args:
        partitions_def: The partition set.
        tags_for_partition_key_fn: Gives the tags of a key.
    """

    def define(fn: KeyConfig) -> PartitionedConfig:
        return PartitionedConfig(
            partitions_def,
            decorated_fn=fn,
            run_config_for_partition_key_fn=fn,
            tags_for_partition_key_fn=tags_for_partition_key_fn,
        )

    return define


def static_partitioned_config(
    partition_keys: Sequence[str],
    tags_for_partition_fn: KeyTags | None = None,
    tags_for_partition_key_fn: KeyTags | None = None,
) -> Callable[[KeyConfig], PartitionedConfig]:
    """Make a `PartitionedConfig` for a fixed list of keys of a function that gives the run config of a key.

    Args:
        partition_keys: The keys.
        tags_for_partition_fn: Gives the tags of a key.
        tags_for_partition_key_fn: The same.

    Raises:
        DefinitionError: Both functions for tags are given, or a key is not valid.
    """
    tags = _one_of(tags_for_partition_fn, tags_for_partition_key_fn)
    return partitioned_config(StaticPartitionsDefinition(partition_keys), tags)


def dynamic_partitioned_config(
    partition_fn: Callable[[datetime | None], Sequence[str]],
    tags_for_partition_fn: KeyTags | None = None,
    tags_for_partition_key_fn: KeyTags | None = None,
) -> Callable[[KeyConfig], PartitionedConfig]:
    """Make a `PartitionedConfig` for keys that a function gives of a function that gives the run config of a key.

    Args:
        partition_fn: Gives the keys; it gets the time that counts as now, or None.
        tags_for_partition_fn: Gives the tags of a key.
        tags_for_partition_key_fn: The same.

    Raises:
        DefinitionError: Both functions for tags are given.
    """
    tags = _one_of(tags_for_partition_fn, tags_for_partition_key_fn)
    return partitioned_config(DynamicPartitionsDefinition(partition_fn), tags)


def hourly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: WindowTags | None = None,
    exclusions: Sequence[Exclusion] | None = None,
) -> Callable[[WindowConfig], PartitionedConfig]:
    """Make a `PartitionedConfig` by hour of a function that gives the run config for start and end of a window.

    Args:
        start_date: See `HourlyPartitionsDefinition` for this and the next ones.
        minute_offset: Likewise.
        timezone: Likewise.
        fmt: Likewise.
        end_offset: Likewise.
        tags_for_partition_fn: Gives the tags for start and end of a window.
        exclusions: Windows to leave out.
    """
    partitions = HourlyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(partitions, tags_for_partition_fn)


def daily_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: WindowTags | None = None,
    exclusions: Sequence[Exclusion] | None = None,
) -> Callable[[WindowConfig], PartitionedConfig]:
    """The same by day; see `hourly_partitioned_config` and `DailyPartitionsDefinition` for the arguments."""
    partitions = DailyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(partitions, tags_for_partition_fn)


def weekly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 0,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: WindowTags | None = None,
    exclusions: Sequence[Exclusion] | None = None,
) -> Callable[[WindowConfig], PartitionedConfig]:
    """The same by week; see `hourly_partitioned_config` and `WeeklyPartitionsDefinition` for the arguments."""
    partitions = WeeklyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        day_offset=day_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(partitions, tags_for_partition_fn)


def monthly_partitioned_config(
    start_date: datetime | str,
    minute_offset: int = 0,
    hour_offset: int = 0,
    day_offset: int = 1,
    timezone: str | None = None,
    fmt: str | None = None,
    end_offset: int = 0,
    tags_for_partition_fn: WindowTags | None = None,
    exclusions: Sequence[Exclusion] | None = None,
) -> Callable[[WindowConfig], PartitionedConfig]:
    """The same by month; see `hourly_partitioned_config` and `MonthlyPartitionsDefinition` for the arguments."""
    partitions = MonthlyPartitionsDefinition(
        start_date,
        minute_offset=minute_offset,
        hour_offset=hour_offset,
        day_offset=day_offset,
        timezone=timezone,
        fmt=fmt,
        end_offset=end_offset,
        exclusions=exclusions,
    )
    return _by_window(partitions, tags_for_partition_fn)


def _by_window(
    partitions: TimeWindowPartitionsDefinition, tags: WindowTags | None
) -> Callable[[WindowConfig], PartitionedConfig]:
    def define(fn: WindowConfig) -> PartitionedConfig:
        return PartitionedConfig(
            partitions,
            decorated_fn=fn,
            run_config_for_partition_key_fn=lambda key: fn(*partitions.time_window_for_partition_key(key)),
            tags_for_partition_key_fn=(
                None if tags is None else lambda key: tags(*partitions.time_window_for_partition_key(key))
            ),
        )

    return define


def _one_of(tags: KeyTags | None, same: KeyTags | None) -> KeyTags | None:
    if tags is not None and same is not None:
        raise DefinitionError("Both tags_for_partition_fn and tags_for_partition_key_fn are given; they are the same.")
    return same if tags is None else tags
