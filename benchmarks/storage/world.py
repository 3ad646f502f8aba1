"""The history that both subjects are given: which runs, tags, assets and partitions there are. Pure.

Run `i` made one asset in one step. Every tenth made the next hour of the one asset that has partitions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

__all__ = ["COMMON_TAG", "PARTITIONED", "RARE", "RARE_TAG", "RunOf", "World"]

FIRST_HOUR = datetime(2015, 1, 1, tzinfo=UTC)
HOUR_FORMAT = "%Y-%m-%d-%H:%M"
PARTITIONED = "hourly"
COMMON_TAG = ("team", "team-1")
RARE = ("backport", "incident")  # keys of tags that few runs have
RARE_TAG = ("incident", "incident-1")

_DAYS = 120
_JOBS = 40
_LARGE = 100_003  # a prime, so that a value does not go in step with another


@dataclass(frozen=True)
class RunOf:
    """One ended run: what it was of, and how it ended (SUCCESS, FAILURE or CANCELED)."""

    number: int
    job: str
    status: str
    created: float
    tags: dict[str, str]
    asset: str
    partition: str | None


@dataclass(frozen=True)
class World:
    """A history of so many runs with ten events each, which ends at `now` (seconds since the epoch)."""

    runs: int
    assets: int
    partitions: int
    long_run: int
    now: float

    @classmethod
    def of_scale(cls, scale: float, now: float) -> World:
        """The whole of it is 1,000,000 runs, 10,000,000 events, 10,000 assets, and 100,000 partitions of one asset."""
        return cls(
            runs=max(200, int(1_000_000 * scale)),
            assets=max(20, int(10_000 * scale)),
            partitions=max(20, int(100_000 * scale)),
            long_run=max(100, int(10_000 * min(1.0, scale * 10))),
            now=now,
        )

    @property
    def jobs(self) -> list[str]:
        """The names of the runs' jobs."""
        return [f"job_{number}" for number in range(_JOBS)]

    def run(self, number: int) -> RunOf:
        """The run of that number, from 0 on."""
        mixed = number * 7919 % _LARGE
        made = number // 10 if number % 10 == 0 else None
        chance = number * 6421 % _LARGE % 97
        status = "SUCCESS" if chance < 90 else "FAILURE" if chance < 95 else "CANCELED"
        tags = {
            "team": f"team-{mixed % 8}",
            "env": "production" if mixed % 10 else "staging",
            "region": f"region-{mixed % 5}",
            "owner": f"owner-{mixed % 50}",
            "tier": f"tier-{mixed % 3}",
            "release": f"release-{number // 5000}",
            "shard": f"shard-{mixed % 1000}",
            "batch": f"batch-{number // 100}",
        }
        if mixed % 997 == 0:
            tags["backport"] = f"backport-{mixed % 7}"
        incident, place = divmod(number, self.runs // 20)
        if place == 1:
            tags["incident"] = f"incident-{incident % 2}"
        return RunOf(
            number=number,
            job=f"job_{mixed % _JOBS}",
            status=status,
            created=self.now - 600 - (self.runs - number) * _DAYS * 86400 / self.runs,
            tags=tags,
            asset=PARTITIONED if made is not None else f"asset_{number % (self.assets - 1)}",
            partition=None if made is None else self.hour(made % self.partitions),
        )

    @staticmethod
    def hour(number: int) -> str:
        """The key of an hour, from 0 on."""
        return (FIRST_HOUR + timedelta(hours=number)).strftime(HOUR_FORMAT)
