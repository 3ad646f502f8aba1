"""What operators say in place of the code: whether it can hold, and what a schedule or sensor is with it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from ..errors import ConfigurationError
from ..partitions.cron import parse
from ..partitions.wall_time import zone_named
from ..records.automation import BackfillRequestRecord, InstigatorKind, Override, RunRequestRecord
from ..records.location import ScheduleDescription, SensorDescription

__all__ = ["as_overridden", "backfill_as_overridden", "check_override", "overridden", "paused"]

_Described = TypeVar("_Described", ScheduleDescription, SensorDescription)

_SHORTEST_INTERVAL = 1.0  # seconds


def check_override(kind: InstigatorKind, override: Override, *, now: float) -> None:
    """Refuse an override that cannot hold.

    Raises:
        ConfigurationError: It says nothing, or something that its kind does not have, or a value is not valid.
    """
    if override == Override(by=override.by, since=override.since):
        raise ConfigurationError(
            "The override sets nothing; give a time to pause until, a cron text, a time zone, an interval, a run "
            "config or tags. To have the code count again, withdraw it."
        )
    if kind is InstigatorKind.SENSOR and (override.cron or override.timezone is not None):
        raise ConfigurationError("A sensor has no cron text and no time zone; give an interval.")
    if kind is InstigatorKind.SCHEDULE and override.interval is not None:
        raise ConfigurationError("A schedule has no interval; give a cron text.")
    for text in override.cron:
        parse(text)
    if override.timezone is not None:
        zone_named(override.timezone)
    if override.interval is not None and not _SHORTEST_INTERVAL <= override.interval < float("inf"):
        raise ConfigurationError(f"The interval of {override.interval:g} s is too short; give a second or more.")
    if override.paused_until is not None and not now < override.paused_until < float("inf"):
        raise ConfigurationError(
            f"The pause until {override.paused_until:g} (seconds since the epoch) is over already; give a time to come."
        )


def overridden(described: _Described, override: Override | None) -> _Described:
    """The schedule or sensor with what the override says of when it is due."""
    if override is None:
        return described
    if isinstance(described, SensorDescription):
        interval = described.interval if override.interval is None else override.interval
        return msgspec.structs.replace(described, interval=interval)
    return msgspec.structs.replace(
        described, cron=override.cron or described.cron, timezone=override.timezone or described.timezone
    )


def as_overridden(request: RunRequestRecord, override: Override | None) -> RunRequestRecord:
    """A run that is asked for, with what the override says of its config and tags."""
    if override is None:
        return request
    config = request.run_config if override.run_config is None else override.run_config
    return msgspec.structs.replace(request, run_config=config, tags={**request.tags, **override.tags})


def backfill_as_overridden(request: BackfillRequestRecord, override: Override | None) -> BackfillRequestRecord:
    """A backfill that is asked for, with the tags that the override adds."""
    return request if override is None else msgspec.structs.replace(request, tags={**request.tags, **override.tags})


def paused(override: Override | None, at: float) -> float:
    """`at`, or the end of the pause if that is later."""
    return at if override is None or override.paused_until is None else max(at, override.paused_until)
