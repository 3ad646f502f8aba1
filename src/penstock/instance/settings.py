"""What `penstock.yaml` says, as typed records. Each field is a key of the file; what is not given has its default."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from ..engine.alerts import AlertRule, AlertWhere, target_names
from ..engine.instigators import DEFAULT_CATCHUP
from ..engine.limits import TagLimit
from ..engine.loss import DEFAULT_RESUMES
from ..engine.pools import Granularity, PoolRules
from ..engine.queue import QueueLimits
from ..engine.retention import Rule
from ..logs.gaps import MOST_BYTES
from ..records.alert import AlertKind
from ..records.automation import InstigatorKind, TickStatus
from ..records.pool import LARGEST_LIMIT
from ..records.retention import RetentionKind

__all__ = [
    "FILE_NAME",
    "AlertRuleSettings",
    "AlertSettings",
    "AlertTarget",
    "CodeServerSettings",
    "Component",
    "ConcurrencySettings",
    "EmailTarget",
    "HeldRunsSettings",
    "LocalLogSettings",
    "LogSettings",
    "ObjectLogSettings",
    "PoolSettings",
    "PostgresSettings",
    "RunMonitoringSettings",
    "RunQueueSettings",
    "RunRetrySettings",
    "RunWorkerSettings",
    "ScheduleSettings",
    "SensorSettings",
    "Settings",
    "SlackTarget",
    "StorageSettings",
    "TagConcurrencyLimit",
    "WebhookSettings",
    "WebhookTarget",
    "WorkerSettings",
    "render_settings",
]

FILE_NAME = "penstock.yaml"
"""The file of an instance's home that has its settings."""

_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Count = Annotated[int, msgspec.Meta(ge=0)]
_Days = Annotated[int, msgspec.Meta(ge=-1)]
_Secret = Annotated[str, msgspec.Meta(extra={"secret": True})]
_Workers = Annotated[int, msgspec.Meta(ge=1, le=1000)]
_Timeout = Annotated[float, msgspec.Meta(ge=0.1, le=86_400)]


_StreamBytes = Annotated[int, msgspec.Meta(ge=0)]


class _Block(msgspec.Struct, frozen=True, kw_only=True):
    """What all blocks of the file share."""


class Component(_Block, frozen=True, kw_only=True, rename={"cls": "class"}):
    """A class of anybody's that stands in for one of ours; `config` are its keyword arguments."""

    module: str
    cls: str
    config: dict[str, Any] = {}


class FolderSettings(_Block, frozen=True, kw_only=True):
    """A folder, absolute or relative to the home."""

    base_dir: str


class PostgresParts(_Block, frozen=True, kw_only=True):
    """A Postgres database, part by part; `params` are further parameters of the connection by libpq's names."""

    username: str
    password: _Secret = ""
    hostname: str
    db_name: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 5432
    params: dict[str, Any] = {}


class PostgresSettings(_Block, frozen=True, kw_only=True):
    """A Postgres database: its URL or its parts, and how many connections a process uses at once."""

    postgres_url: _Secret | None = None
    postgres_db: PostgresParts | None = None
    pool_size: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    pool_wait_seconds: Annotated[float, msgspec.Meta(ge=0.1, le=3600)] = 30.0


class StorageSettings(_Block, frozen=True, kw_only=True):
    """Exactly one of the kinds of storage."""

    sqlite: FolderSettings | None = None
    postgres: PostgresSettings | None = None
    custom: Component | None = None


class LocalLogSettings(_Block, frozen=True, kw_only=True):
    """A folder of this machine, and how much of each stream is kept; 0 for all."""

    base_dir: str = "logs"
    max_stream_bytes: _StreamBytes = MOST_BYTES


class ObjectLogSettings(_Block, frozen=True, kw_only=True):
    """An address that fsspec knows, and the folder in which output waits for its way there."""

    url: str
    storage_options: dict[str, Any] = {}
    upload_interval_seconds: Annotated[float, msgspec.Meta(ge=1)] = 30.0
    base_dir: str = "logs"
    max_stream_bytes: _StreamBytes = MOST_BYTES


class LogSettings(_Block, frozen=True, kw_only=True):
    """Exactly one of the places for the stdout and stderr of steps."""

    local: LocalLogSettings | None = None
    object_store: ObjectLogSettings | None = None
    custom: Component | None = None


class PythonLogSettings(_Block, frozen=True, kw_only=True):
    """Python's loggers: which go to the run's log, from which level on, and what else takes a run's lines."""

    managed_python_loggers: tuple[str, ...] = ()
    python_log_level: str | None = None
    handler_config: dict[str, Any] = {}


class PurgeSettings(_Block, frozen=True, kw_only=True):
    """After how many days something is removed; -1 for never."""

    purge_after_days: _Days


class TickDays(_Block, frozen=True, kw_only=True):
    """After how many days a tick that ended so is removed; -1 for never."""

    skipped: _Days = 30
    success: _Days = 30
    failure: _Days = 30


class TickPurgeSettings(_Block, frozen=True, kw_only=True):
    """The same for ticks, by how they ended."""

    purge_after_days: TickDays = TickDays()

    def rules(self, of: InstigatorKind) -> tuple[Rule, ...]:
        """What holds for the ticks of schedules, or of sensors: a rule for each number of days."""
        given: dict[int, list[TickStatus]] = {}
        for status in (TickStatus.SKIPPED, TickStatus.SUCCESS, TickStatus.FAILURE):
            given.setdefault(getattr(self.purge_after_days, status.lower()), []).append(status)
        return tuple(
            Rule(kind=RetentionKind.TICKS, days=days, of=of, statuses=tuple(statuses))
            for days, statuses in given.items()
        )


class RetentionSettings(_Block, frozen=True, kw_only=True):
    """How long what grows is kept."""

    events: PurgeSettings = PurgeSettings(purge_after_days=90)
    runs: PurgeSettings = PurgeSettings(purge_after_days=-1)
    schedule: TickPurgeSettings = TickPurgeSettings()
    sensor: TickPurgeSettings = TickPurgeSettings()
    evaluations: PurgeSettings = PurgeSettings(purge_after_days=30)
    compute_logs: PurgeSettings = PurgeSettings(purge_after_days=30)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """What holds for each kind."""
        return (
            Rule(kind=RetentionKind.EVENTS, days=self.events.purge_after_days),
            Rule(kind=RetentionKind.RUNS, days=self.runs.purge_after_days),
            *self.schedule.rules(InstigatorKind.SCHEDULE),
            *self.sensor.rules(InstigatorKind.SENSOR),
            Rule(kind=RetentionKind.EVALUATIONS, days=self.evaluations.purge_after_days),
            Rule(kind=RetentionKind.COMPUTE_LOGS, days=self.compute_logs.purge_after_days),
        )


class TagConcurrencyLimit(_Block, frozen=True, kw_only=True):
    """At most `limit` active runs with this tag: with any value, with one value, or with each distinct value."""

    key: str
    limit: Annotated[int, msgspec.Meta(ge=0)]
    value: str | None = None
    apply_limit_per_unique_value: bool = False


class HeldRunsSettings(_Block, frozen=True, kw_only=True):
    """Whether a run stays in the queue while it could do nothing but wait for slots of pools."""

    enabled: bool = True
    op_concurrency_slot_buffer: _Count | None = None


class RunQueueSettings(_Block, frozen=True, kw_only=True):
    """How many runs may be active at once: -1 for any number, 0 for none."""

    max_concurrent_runs: Annotated[int, msgspec.Meta(ge=-1)] = 10
    tag_concurrency_limits: tuple[TagConcurrencyLimit, ...] = ()
    job_limits: dict[str, _Count] = {}
    location_limits: dict[str, _Count] = {}
    fair_share: bool = True
    block_op_concurrency_limited_runs: HeldRunsSettings = HeldRunsSettings()

    @property
    def limits(self) -> QueueLimits:
        """What is said here, as the queue's decider takes it."""
        return QueueLimits(
            max_concurrent_runs=self.max_concurrent_runs,
            tag_limits=tuple(
                TagLimit(key=each.key, limit=each.limit, value=each.value, per_value=each.apply_limit_per_unique_value)
                for each in self.tag_concurrency_limits
            ),
            job_limits=self.job_limits,
            location_limits=self.location_limits,
            fair_share=self.fair_share,
        )


class PoolSettings(_Block, frozen=True, kw_only=True):
    """What holds for concurrency pools; the limit of a single pool is kept in the storage."""

    default_limit: Annotated[int, msgspec.Meta(ge=0, le=LARGEST_LIMIT)] | None = None
    granularity: Granularity = "op"
    op_granularity_run_buffer: _Count | None = None


class ConcurrencySettings(_Block, frozen=True, kw_only=True):
    """Limits beside those of the run queue."""

    pools: PoolSettings = PoolSettings()


class RunMonitoringSettings(_Block, frozen=True, kw_only=True):
    """After how many seconds a run is given up in each state; 0 for never. And how often it outlives its worker."""

    start_timeout_seconds: _Seconds = 180.0
    cancel_timeout_seconds: _Seconds = 180.0
    max_runtime_seconds: _Seconds = 0.0
    max_resume_run_attempts: _Count = DEFAULT_RESUMES


class RunRetrySettings(_Block, frozen=True, kw_only=True):
    """Whether a run that failed is run again by itself, how often, and whether also when it was a step that failed."""

    enabled: bool = False
    max_retries: _Count = 0
    retry_on_asset_or_op_failure: bool = True


class WorkerSettings(_Block, frozen=True, kw_only=True):
    """How many evaluations go on at once, and how many more of those that take long."""

    num_workers: _Workers = 8
    max_slow_evaluations: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 100


class ScheduleSettings(WorkerSettings, frozen=True, kw_only=True):
    """How schedules are evaluated, and how many missed ticks are made up of those that follow partitions; none
    that is older than so many seconds, unless these are 0."""

    timeout_seconds: _Timeout = 60.0
    max_catchup_runs: Annotated[int, msgspec.Meta(ge=1, le=1000)] = DEFAULT_CATCHUP
    max_catchup_age_seconds: _Seconds = 0.0


class SensorSettings(WorkerSettings, frozen=True, kw_only=True):
    """How sensors are evaluated, and how many of a sensor's runs may wait in the queue; -1 for any number."""

    timeout_seconds: _Timeout = 60.0
    max_queued_runs: Annotated[int, msgspec.Meta(ge=-1)] = 1000


class WebhookSettings(_Block, frozen=True, kw_only=True):
    """How many requests a webhook sensor takes, and how many of them may wait for it."""

    requests_per_second: Annotated[float, msgspec.Meta(gt=0, le=100_000)] = 100.0
    max_pending_requests: Annotated[int, msgspec.Meta(ge=1)] = 10_000


class RunWorkerSettings(_Block, frozen=True, kw_only=True):
    """How run workers and evaluations reach the storage: with its credentials, or through a server with a token."""

    storage: Literal["direct", "gateway"] = "direct"
    gateway_url: str | None = None


class CodeServerSettings(_Block, frozen=True, kw_only=True):
    """How many seconds the user's code may take to load, and in what processes it works."""

    local_startup_timeout: _Seconds = 180.0
    reload_timeout: _Seconds = 180.0
    start_method: Literal["fork", "spawn"] = "fork"
    ready_processes: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 2
    ready_memory_mb: Annotated[int, msgspec.Meta(ge=0)] = 1024
    evaluations_per_process: Annotated[int, msgspec.Meta(ge=1)] = 500
    renew_after_forks: Annotated[int, msgspec.Meta(ge=0)] = 10_000
    renew_after_growth_mb: Annotated[int, msgspec.Meta(ge=0)] = 256


class EmailTarget(_Block, frozen=True, kw_only=True):
    """Addresses that get a mail, and the mail server that takes it."""

    recipients: tuple[str, ...]
    sender: str
    host: str
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str | None = None
    password: _Secret | None = None


class SlackTarget(_Block, frozen=True, kw_only=True):
    """An address that takes messages as Slack's incoming webhooks do."""

    url: _Secret


class WebhookTarget(_Block, frozen=True, kw_only=True):
    """An address that takes alerts as JSON, and the headers that are sent with them."""

    url: _Secret
    headers: dict[str, Any] = {}


class AlertTarget(_Block, frozen=True, kw_only=True):
    """Exactly one of the ways in which somebody is told."""

    email: EmailTarget | None = None
    slack: SlackTarget | None = None
    webhook: WebhookTarget | None = None

    @property
    def kind(self) -> str:
        """Which way it is, by its key in the file."""
        return next(name for name in self.__struct_fields__ if getattr(self, name) is not None)


class AlertWhereSettings(_Block, frozen=True, kw_only=True):
    """What an alert must be about."""

    job: str | None = None
    location: str | None = None
    asset: str | None = None
    tags: dict[str, Any] = {}


class AlertRuleSettings(_Block, frozen=True, kw_only=True):
    """Who is told of what."""

    name: str
    when: tuple[AlertKind, ...]
    where: AlertWhereSettings = AlertWhereSettings()
    to: tuple[AlertTarget, ...]
    throttle_seconds: _Seconds = 300.0

    @property
    def targets(self) -> dict[str, AlertTarget]:
        """Its targets by name."""
        return dict(zip(target_names(each.kind for each in self.to), self.to, strict=True))


class AlertSettings(_Block, frozen=True, kw_only=True):
    """Who is told of what, where the pages are that messages lead to, and when something takes too long."""

    rules: tuple[AlertRuleSettings, ...] = ()
    web_url: str | None = None
    late_after_seconds: _Seconds = 1800.0
    stuck_after_seconds: _Seconds = 86400.0

    @property
    def decided(self) -> tuple[AlertRule, ...]:
        """The rules as they are decided by."""
        return tuple(
            AlertRule(
                name=each.name,
                kinds=frozenset(each.when),
                where=AlertWhere(
                    job=each.where.job, location=each.where.location, asset=each.where.asset, tags=each.where.tags
                ),
                targets=tuple(each.targets),
                throttle=each.throttle_seconds,
            )
            for each in self.rules
        )


class Settings(_Block, frozen=True, kw_only=True):
    """The whole file."""

    storage: StorageSettings = StorageSettings()
    run_storage: Component | None = None
    event_log_storage: Component | None = None
    schedule_storage: Component | None = None
    local_artifact_storage: FolderSettings | None = None
    compute_logs: LogSettings = LogSettings()
    python_logs: PythonLogSettings = PythonLogSettings()
    retention: RetentionSettings = RetentionSettings()
    run_coordinator: Component | None = None
    run_launcher: Component | None = None
    run_queue: RunQueueSettings = RunQueueSettings()
    concurrency: ConcurrencySettings = ConcurrencySettings()
    run_monitoring: RunMonitoringSettings = RunMonitoringSettings()
    run_retries: RunRetrySettings = RunRetrySettings()
    schedules: ScheduleSettings = ScheduleSettings()
    sensors: SensorSettings = SensorSettings()
    webhooks: WebhookSettings = WebhookSettings()
    code_servers: CodeServerSettings = CodeServerSettings()
    run_workers: RunWorkerSettings = RunWorkerSettings()
    alerts: AlertSettings = AlertSettings()

    @property
    def followers(self) -> dict[str, Component]:
        """The stores of the user's own that follow the storage, by their keys."""
        named = {
            "run_storage": self.run_storage,
            "event_log_storage": self.event_log_storage,
            "schedule_storage": self.schedule_storage,
        }
        return {key: component for key, component in named.items() if component is not None}

    @property
    def pool_rules(self) -> PoolRules:
        """What holds for concurrency pools."""
        pools, held = self.concurrency.pools, self.run_queue.block_op_concurrency_limited_runs
        return PoolRules(
            default_limit=pools.default_limit,
            granularity=pools.granularity,
            holds_runs=held.enabled,
            run_buffer=pools.op_granularity_run_buffer or held.op_concurrency_slot_buffer or 0,
        )


_HIDDEN = frozenset({"config", "params", "password", "postgres_url", "slack", "storage_options", "webhook"})


def render_settings(settings: Settings) -> str:
    """The settings in force as YAML. Secrets are hidden, and the texts in a component's config, which may be some."""
    import yaml

    text: str = yaml.safe_dump(_shown(msgspec.to_builtins(settings)), sort_keys=False)
    return text


def _shown(value: Any, *, hidden: bool = False) -> Any:
    if isinstance(value, dict):
        return {key: _shown(item, hidden=hidden or key in _HIDDEN) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_shown(item, hidden=hidden) for item in value]
    return "..." if hidden and isinstance(value, str) else value
