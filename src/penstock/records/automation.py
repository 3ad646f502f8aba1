"""Schedules and sensors as stored: their switch and cursor (an instigator), and each evaluation (a tick)."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import msgspec

from ..partitions.cron import Fold, Gap
from ..partitions.requests import PartitionsRequest
from .errors import ErrorInfo

__all__ = [
    "NOBODY",
    "BackfillRequestRecord",
    "By",
    "InstigatorKind",
    "InstigatorState",
    "InstigatorStatus",
    "Override",
    "PartitionChoice",
    "RunRequestRecord",
    "Tick",
    "TickStatus",
    "instigator_id",
    "instigator_parts",
]


class InstigatorKind(StrEnum):
    """What kind of thing requests runs."""

    SCHEDULE = "SCHEDULE"
    SENSOR = "SENSOR"


class InstigatorStatus(StrEnum):
    """The switch: as the code says (until somebody turns it), on, or off."""

    DECLARED_IN_CODE = "DECLARED_IN_CODE"
    RUNNING = "RUNNING"
    STOPPED = "STOPPED"


def instigator_id(location: str, kind: InstigatorKind, name: str) -> str:
    """The id of a schedule or sensor over all code locations: `location/schedule/name`."""
    return f"{location}/{kind.value.lower()}/{name}"


def instigator_parts(instigator: str) -> tuple[str, InstigatorKind, str]:
    """(location, kind, name) of an id that `instigator_id` has made."""
    location, kind, name = instigator.rsplit("/", 2)
    parts = location, InstigatorKind(kind.upper()), name
    assert instigator_id(*parts) == instigator
    return parts


class By(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who does something, and why.

    Args:
        actor: The name of an account, or what a command says; None where nobody logs in.
        reason: Why, in words.
        via: How it was done: "command", or "token 3" of the account; None on pages where nobody logs in.
    """

    actor: str | None = None
    reason: str | None = None
    via: str | None = None


NOBODY = By()
"""Who acts where nobody is known."""


class Override(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an operator says of a schedule or sensor in place of its code, until it is withdrawn.

    Until `paused_until` it is not evaluated. `cron`, `timezone`, `dst_gap` and `dst_fold` are for schedules, `interval`
    (seconds) is for sensors. `run_config` takes the place of that of each run it asks for; `tags` are added to theirs.
    """

    paused_until: float | None = None
    cron: tuple[str, ...] = ()
    timezone: str | None = None
    dst_gap: Gap | None = None
    dst_fold: Fold | None = None
    interval: float | None = None
    run_config: dict[str, Any] | None = None
    tags: dict[str, str] = {}
    by: By = NOBODY
    since: float = 0.0


class InstigatorState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored of a schedule or sensor: operator intent, kept also while its code is absent.

    `next_due` is when it is evaluated next (seconds since the epoch). `fingerprint` is that of the definition which
    `next_due` was computed for; another one means: compute it again from now.
    """

    id: str
    location: str
    kind: InstigatorKind
    name: str
    status: InstigatorStatus = InstigatorStatus.DECLARED_IN_CODE
    cursor: str | None = None
    last_run_key: str | None = None
    last_tick: float | None = None
    next_due: float | None = None
    fingerprint: str | None = None
    updated: float = 0.0
    turned_on: float | None = None  # since when it is on without a break, as far as known
    override: Override | None = None
    retired: float | None = None  # when somebody removed it; it is off until it is restored or turned


class TickStatus(StrEnum):
    """Where a tick stands."""

    STARTED = "STARTED"
    SUCCESS = "SUCCESS"
    SKIPPED = "SKIPPED"
    FAILURE = "FAILURE"


class Tick(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One evaluation; (instigator, `due`) is unique.

    A schedule's `due` is its scheduled time, a sensor's the planned one.
    """

    id: int = 0
    instigator: str
    due: float
    status: TickStatus = TickStatus.STARTED
    started: float = 0.0
    ended: float | None = None
    attempt: int = 1
    run_ids: tuple[str, ...] = ()
    run_keys: tuple[str, ...] = ()  # asked for, also those that had a run before
    skip_reason: str | None = None
    error: ErrorInfo | None = None
    cursor: str | None = None
    log: tuple[str, ...] = ()  # what the function logged, one line each
    partitions: tuple[PartitionsRequest, ...] = ()  # changes of dynamic partition sets
    webhooks: tuple[int, ...] = ()  # the requests that it was given
    backfill_id: str | None = None  # the backfill that it made

    @property
    def left_nothing(self) -> bool:
        """Whether it is over and did nothing but look, so that doing it again would harm nobody."""
        return self.status is TickStatus.SKIPPED and self.cursor is None and not (self.partitions or self.webhooks)

    @property
    def lateness(self) -> float:
        """How many seconds after its due time it was begun; of one that was begun again, the last time."""
        return max(0.0, self.started - self.due)


class RunRequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run that a schedule or sensor asks for, as it leaves the evaluation."""

    job: str | None = None  # None: the instigator's own job
    run_key: str | None = None
    run_config: dict[str, Any] = {}
    tags: dict[str, str] = {}
    partition: str | None = None
    assets: tuple[str, ...] | None = None
    checks: tuple[str, ...] | None = None
    only_stale: bool = False  # leave out the assets that are fresh; no run if all are


class PartitionChoice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Assets of one partition set, and which of its partitions are to be made of each.

    Args:
        assets: The assets, in text form.
        keys: The partitions: keys, and ranges `first...last` with both ends; ('',) for assets without partitions.
        count: How many partitions these are, 1 for assets without any.
    """

    assets: tuple[str, ...]
    keys: tuple[str, ...]
    count: int = 1


class BackfillRequestRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A backfill that a sensor asks for, as it leaves the evaluation; `tags` are those of its runs."""

    choices: tuple[PartitionChoice, ...]
    tags: dict[str, str] = {}

    @property
    def assets(self) -> tuple[str, ...]:
        """All assets, in text form."""
        return tuple(asset for choice in self.choices for asset in choice.assets)

    @property
    def size(self) -> int:
        """How many (asset, partition) are to be made."""
        return sum(len(choice.assets) * choice.count for choice in self.choices)
