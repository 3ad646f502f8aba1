"""All duties of a daemon, as the settings of its instance have them."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TypeAlias

from ..clock import Clock
from ..engine.retry import RetryPolicyOfRuns
from ..instance.alerts.post import Post, outbox_of
from ..instance.alerts.watch import Watch
from ..instance.instance import Instance
from ..instance.retention import Sweeper
from ..instance.settings import AlertSettings, WorkerSettings
from ..launch.coordinators import ImmediateRunCoordinator
from ..locations.catalog import Catalog
from ..storage.following import Followed
from ..storage.inbox import Receiving
from ..storage.outbox import Outbox
from .alerts import SENDERS, AlertsDuty
from .backfills import MOST_OPEN, BackfillsDuty
from .event_watch import EventWatch
from .followers import FollowersDuty
from .freshness import FreshnessDuty
from .instigators import CHANGES
from .loop import Duty
from .monitor import MonitorDuty, MonitorLimits
from .one_offs import OneOffsDuty
from .places import Places
from .queue import LAUNCHES_AT_ONCE, QueueDuty
from .retention import RetentionDuty
from .retries import RetriesDuty
from .schedules import SchedulesDuty
from .sensors import SensorsDuty
from .ticks import TickRunner

__all__ = ["all_duties"]

Listen: TypeAlias = Callable[[frozenset[str]], threading.Event]


def all_duties(
    instance: Instance,
    listen: Listen,
    catalog: Catalog | None = None,
    workers: Callable[[int, str], Executor] = ThreadPoolExecutor,
    post: Callable[[Outbox, AlertSettings, Clock], Post] = Post,
) -> list[tuple[Duty, threading.Event]]:
    """The duties, each with the event that wakes it.

    Args:
        instance: What they work on.
        listen: Gives an event that is set when one of these topics is published.
        catalog: What the code locations define; by default that which the storage tells.
        workers: Gives so many workers of that name, for what is done side by side.
        post: Gives what sends alerts.
    """
    settings, storage, clock = instance.settings, instance.storage, instance.clock
    known = Catalog(storage.locations) if catalog is None else catalog

    def runner(name: str, asked: WorkerSettings) -> TickRunner:
        number, slow = asked.num_workers, asked.max_slow_evaluations
        return TickRunner(
            storage.instigators,
            instance.coordinator,
            known,
            clock,
            assets=storage.assets,
            places=Places(workers(number + slow, name), number=number, slow=slow, clock=clock),
        )

    schedules_woken, sensors_woken = listen(SchedulesDuty.topics), listen(SensorsDuty.topics)
    duties: list[tuple[Duty, threading.Event]] = [
        (
            QueueDuty(
                storage.runs,
                storage.backfills,
                instance.launcher,
                settings.run_queue.limits,
                clock,
                catalog=known,
                slots=storage.slots,
                rules=instance.pool_rules,
                workers=workers(LAUNCHES_AT_ONCE, "launch"),
            ),
            listen(QueueDuty.topics),
        ),
        (
            MonitorDuty(
                storage,
                instance.logs,
                instance.launcher,
                instance.coordinator,
                MonitorLimits(
                    start_timeout=settings.run_monitoring.start_timeout_seconds,
                    cancel_timeout=settings.run_monitoring.cancel_timeout_seconds,
                    max_runtime=settings.run_monitoring.max_runtime_seconds,
                    resumes=settings.run_monitoring.max_resume_run_attempts,
                ),
                clock,
            ),
            listen(MonitorDuty.topics),
        ),
        (
            SchedulesDuty(
                storage.instigators,
                known,
                runner("schedule", settings.schedules),
                clock,
                schedules_woken,
                listen(CHANGES),
                settings.schedules.timeout_seconds,
                max_catchup=settings.schedules.max_catchup_runs,
                max_age=settings.schedules.max_catchup_age_seconds or math.inf,
            ),
            schedules_woken,
        ),
        (
            SensorsDuty(
                storage.instigators,
                known,
                runner("sensor", settings.sensors),
                clock,
                sensors_woken,
                listen(CHANGES),
                settings.sensors.timeout_seconds,
                watch=EventWatch(storage, clock),
                runs=storage.runs,
                inbox=storage.inbox if isinstance(storage, Receiving) else None,
                max_queued_runs=settings.sensors.max_queued_runs,
            ),
            sensors_woken,
        ),
        (OneOffsDuty(storage, instance.coordinator, known, clock), listen(OneOffsDuty.topics)),
        (
            FreshnessDuty(storage, known, clock),
            listen(FreshnessDuty.topics),
        ),
        (
            RetentionDuty(Sweeper(storage, instance.logs, clock), settings.retention.rules, storage, clock=clock),
            listen(RetentionDuty.topics),
        ),
    ]
    policy = None
    if settings.run_retries.enabled:
        policy = RetryPolicyOfRuns(
            max_retries=settings.run_retries.max_retries,
            on_step_failure=settings.run_retries.retry_on_asset_or_op_failure,
        )
        retries = RetriesDuty(storage, instance.coordinator, known, policy, clock)
        duties.append((retries, listen(RetriesDuty.topics)))
    backfills = BackfillsDuty(
        storage, instance.coordinator, known, clock, retries=policy, most_open=_most_open(instance)
    )
    duties.append((backfills, listen(BackfillsDuty.topics)))
    if settings.alerts.rules:
        woken, outbox = listen(AlertsDuty.topics), outbox_of(storage)
        alerts = AlertsDuty(
            Watch(storage, known, settings.alerts, clock),
            settings.alerts.decided,
            outbox,
            post(outbox, settings.alerts, clock),
            clock,
            workers=workers(SENDERS, "alerts"),
            woken=woken,
        )
        duties.append((alerts, woken))
    if isinstance(storage, Followed):
        duties.append((FollowersDuty(storage.followers), listen(FollowersDuty.topics)))
    return duties


def _most_open(instance: Instance) -> int:
    """How many runs a backfill may have open: where no queue holds them back, no more than may be active."""
    limit = instance.settings.run_queue.max_concurrent_runs
    if isinstance(instance.coordinator, ImmediateRunCoordinator) and 0 < limit < MOST_OPEN:
        return limit
    return MOST_OPEN
