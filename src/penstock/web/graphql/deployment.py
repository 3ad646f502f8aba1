"""The deployment: its settings, storage, daemon duties and processes."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import msgspec

from ...instance.settings import render_settings
from ...records.errors import ErrorInfo
from ...records.lease import Lease, ProcessInfo
from ...records.run import ACTIVE, RunStatus
from ...storage.protocols import RunFilter
from ...version import __version__
from .context import Context
from .failures import Result
from .fields import Fields
from .keys import Pair, pairs
from .run_config import as_yaml

__all__ = ["TABLES", "Deployment"]

_HEARD_OF_WITHIN = 60.0
_DUTIES = {
    "schedules": "SCHEDULER",
    "sensors": "SENSOR",
    "queue": "QUEUED_RUN_COORDINATOR",
    "backfills": "BACKFILL",
    "monitor": "MONITORING",
    "freshness": "FRESHNESS_DAEMON",
}

_QUERY = Fields("Query", source=type(None))


class Deployment:
    """Leases and processes of one request, loaded when asked for."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @cached_property
    def leases(self) -> dict[str, list[Lease]]:
        """Leases by duty."""
        by_duty: dict[str, list[Lease]] = {}
        for lease in self._context.storage.leases.all():
            by_duty.setdefault(lease.duty, []).append(lease)
        return by_duty

    @cached_property
    def processes(self) -> list[ProcessInfo]:
        """Processes heard of in the last minute."""
        return self._context.storage.leases.processes(seen_after=self._context.now - _HEARD_OF_WITHIN)


_INSTANCE = Fields("Instance", source=Deployment)


class RunQueueConfig(Result, frozen=True, kw_only=True):
    """The limits of the run queue."""

    max_concurrent_runs: int
    tag_concurrency_limits_yaml: str | None
    job_limits_yaml: str | None
    location_limits_yaml: str | None
    fair_share: bool


class DaemonHealth(Result, frozen=True, kw_only=True):
    """How each duty of the daemon does."""

    id: str
    all_daemon_statuses: tuple[DaemonStatus, ...]


class DaemonStatus(Result, frozen=True, kw_only=True):
    """How one duty does: whether daemons that are heard of hold all parts of it."""

    id: str
    daemon_type: str
    required: bool
    healthy: bool
    last_heartbeat_time: float | None
    holder: str | None
    last_heartbeat_errors: tuple[ErrorInfo, ...]


_PROCESS = Fields("Process", source=ProcessInfo)

TABLES = (_QUERY, _INSTANCE, _PROCESS)


@_QUERY.field
def version(_source: None, _: Context) -> str:
    return __version__


@_QUERY.field
def instance(_source: None, context: Context) -> Deployment:
    return Deployment(context)


@_INSTANCE.named("id")
def instance_id(_deployment: Deployment, context: Context) -> str:
    return str(context.instance.home or "ephemeral")


@_INSTANCE.field
def info(_deployment: Deployment, context: Context) -> str:
    return render_settings(context.instance.settings)


@_INSTANCE.field
def storage(_deployment: Deployment, context: Context) -> list[Pair]:
    return list(pairs(context.storage.describe()))


@_INSTANCE.field
def daemon_health(deployment: Deployment, context: Context) -> DaemonHealth:
    by_id = {process.id: process for process in deployment.processes}
    statuses = []
    for duty, kind in _DUTIES.items():
        leases = deployment.leases.get(duty, [])
        holders = sorted({lease.holder for lease in leases})
        processes = [by_id[holder] for holder in holders if holder in by_id]
        errors = [error for process in processes if (error := _error_of(duty, process)) is not None]
        held = bool(leases) and all(lease.until > context.now for lease in leases)
        statuses.append(
            DaemonStatus(
                id=duty,
                daemon_type=kind,
                required=True,
                healthy=held and not errors,
                last_heartbeat_time=min((process.seen for process in processes), default=None),
                holder=", ".join(holders) or None,
                last_heartbeat_errors=tuple(ErrorInfo(cls=duty, message=error) for error in errors),
            )
        )
    return DaemonHealth(id="daemons", all_daemon_statuses=tuple(statuses))


def _error_of(duty: str, process: ProcessInfo) -> str | None:
    """What a daemon says is wrong with one of its duties; it tells `duty: error` for each, joined by semicolons."""
    told = process.error or ""
    _, found, after = f"; {told}".partition(f"; {duty}: ")
    return after if found else None


@_INSTANCE.field
def run_queue_config(_deployment: Deployment, context: Context) -> RunQueueConfig:
    queue = context.instance.settings.run_queue

    def shown(limits: Any) -> str | None:
        return as_yaml(msgspec.to_builtins(limits)) if limits else None

    return RunQueueConfig(
        max_concurrent_runs=queue.max_concurrent_runs,
        tag_concurrency_limits_yaml=shown(queue.tag_concurrency_limits),
        job_limits_yaml=shown(queue.job_limits),
        location_limits_yaml=shown(queue.location_limits),
        fair_share=queue.fair_share,
    )


@_INSTANCE.field
def run_queuing_supported(_deployment: Deployment, _: Context) -> bool:
    return True


@_INSTANCE.field
def queued_runs(_deployment: Deployment, context: Context) -> int:
    return context.storage.runs.count(RunFilter(statuses=(RunStatus.QUEUED,)))


@_INSTANCE.field
def active_runs(_deployment: Deployment, context: Context) -> int:
    return context.storage.runs.count(RunFilter(statuses=tuple(ACTIVE)))
