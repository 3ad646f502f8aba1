"""How fresh an asset shall be: as a stretch of time since its last materialization, or by a deadline."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeAlias

import msgspec

from ..errors import DefinitionError
from ..partitions.cron import parse
from ..partitions.wall_time import zone_named

__all__ = [
    "AnyFreshnessPolicy",
    "CronFreshnessPolicy",
    "FreshnessPolicy",
    "TimeWindowFreshnessPolicy",
]

_LEAST = timedelta(minutes=1)


class FreshnessPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh an asset shall be. Make one with `time_window` or `cron`."""

    @staticmethod
    def time_window(*, fail_window: timedelta, warn_window: timedelta | None = None) -> TimeWindowFreshnessPolicy:
        """The asset is made again within this time.

        Args:
            fail_window: It is not fresh when it was last made longer ago than this.
            warn_window: It is about to be no longer fresh when it was last made longer ago than this.

        Raises:
            DefinitionError: A window is below a minute, or the warning comes after the failure.
        """
        return TimeWindowFreshnessPolicy(fail_window=fail_window, warn_window=warn_window)

    @staticmethod
    def cron(*, deadline_cron: str, lower_bound_delta: timedelta, timezone: str = "UTC") -> CronFreshnessPolicy:
        """The asset is made before each deadline, at most so long before it.

        Args:
            deadline_cron: The deadlines, as a cron line.
            lower_bound_delta: How long before a deadline a materialization counts for it.
            timezone: The time zone of the cron line.

        Raises:
            DefinitionError: The cron line, the time zone or the length of time is not valid.
        """
        return CronFreshnessPolicy(deadline_cron=deadline_cron, lower_bound_delta=lower_bound_delta, timezone=timezone)


class TimeWindowFreshnessPolicy(FreshnessPolicy, frozen=True, kw_only=True, tag="time_window"):
    """The asset is made again within a stretch of time."""

    fail_window: timedelta
    warn_window: timedelta | None = None

    def __post_init__(self) -> None:
        for given in (self.fail_window, self.warn_window):
            if given is not None and not isinstance(given, timedelta):
                raise DefinitionError(
                    f"A window of a FreshnessPolicy is {given!r}; give a timedelta, for example timedelta(hours=2)."
                )
        if self.fail_window < _LEAST or (self.warn_window is not None and self.warn_window < _LEAST):
            raise DefinitionError(
                f"A FreshnessPolicy has the fail_window {self.fail_window} and the warn_window {self.warn_window}; "
                "give a minute or more."
            )
        if self.warn_window is not None and self.warn_window >= self.fail_window:
            raise DefinitionError(
                f"A FreshnessPolicy has the warn_window {self.warn_window} and the fail_window {self.fail_window}; "
                "the warning comes before the failure, so give a shorter warn_window."
            )


class CronFreshnessPolicy(FreshnessPolicy, frozen=True, kw_only=True, tag="cron"):
    """The asset is made before each deadline, at most `lower_bound_delta` before it."""

    deadline_cron: str
    lower_bound_delta: timedelta
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        zone_named(self.timezone)
        parse(self.deadline_cron)
        if not isinstance(self.lower_bound_delta, timedelta):
            raise DefinitionError(
                f"A FreshnessPolicy has the lower_bound_delta {self.lower_bound_delta!r}; give a timedelta, for "
                "example timedelta(hours=2)."
            )
        if self.lower_bound_delta < _LEAST:
            raise DefinitionError(
                f"A FreshnessPolicy has the lower_bound_delta {self.lower_bound_delta}; give a minute or more."
            )


AnyFreshnessPolicy: TypeAlias = TimeWindowFreshnessPolicy | CronFreshnessPolicy
