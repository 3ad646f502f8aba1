"""A code location described: all that web server and daemon know of user code, as data.

The code server makes it once per load; it is hashed by content, stored, and used also while no code server answers.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from ..config.schema import ConfigType
from ..partitions.cron import Fold, Gap
from ..partitions.mapping_multi import PartitionMappingRecord
from ..partitions.spec import PartitionsSpec
from .automation import InstigatorStatus
from .conditions.nodes import ConditionRecord
from .freshness import AnyFreshnessPolicy
from .metadata import Metadata

__all__ = [
    "REPOSITORY",
    "AssetDescription",
    "AssetJobName",
    "CheckDescription",
    "InputDescription",
    "JobDescription",
    "LocationDescription",
    "MappedPart",
    "OutputDescription",
    "ResourceDescription",
    "RunsWatched",
    "ScheduleDescription",
    "SensorDescription",
    "SourceRef",
    "StepDescription",
    "StepRef",
    "job_in_words",
]

REPOSITORY = "__repository__"
"""The name of the one repository that each location has, for who knows locations that hold several."""

AssetJobName = "__ASSET_JOB"
"""The job that every location with assets has: all of its assets, run by selection."""


def job_in_words(name: str) -> str:
    """A job as messages name it; that of all assets has no name that its users know."""
    return "the assets" if name == AssetJobName else f'job "{name}"'


MappedPart: TypeAlias = Literal["", "ops", "all"]


class SourceRef(msgspec.Struct, frozen=True, kw_only=True):
    """Where a definition is written."""

    file: str
    line: int


class StepRef(msgspec.Struct, frozen=True, kw_only=True):
    """An output of a step."""

    step: str
    output: str = "result"


class InputDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An input of a step: the outputs that feed it (none: config, a default, or an asset loaded from storage)."""

    name: str
    type_name: str = "Any"
    description: str | None = None
    sources: tuple[StepRef, ...] = ()
    asset: str | None = None  # loaded from this asset when no step of the plan makes it
    passes_value: bool = True  # false where it only sets the order


class OutputDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An output of a step."""

    name: str = "result"
    type_name: str = "Any"
    description: str | None = None
    required: bool = True
    dynamic: bool = False
    asset: str | None = None
    observes: bool = False  # the asset is looked at, not made


class StepDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A step of a job's plan: one op where it is used.

    `key` is the path of names from the job's outer graph inwards, joined by `.`. `kind` is COMPUTE, UNRESOLVED_MAPPED
    (runs once per mapping key, as `key[mapping]`) or UNRESOLVED_COLLECT.
    """

    key: str
    op: str
    kind: str = "COMPUTE"
    description: str | None = None
    inputs: tuple[InputDescription, ...] = ()
    outputs: tuple[OutputDescription, ...] = ()
    assets: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()  # `asset/key:name`
    tags: dict[str, str] = {}
    compute_kind: str | None = None
    pool: str | None = None
    timeout: float | None = None  # seconds
    max_retries: int = 0
    can_subset: bool = False  # whether it can make some of its assets and leave out others
    graph: str | None = None  # the graph that makes assets, for a step inside one
    resources: tuple[str, ...] = ()
    source: SourceRef | None = None


class JobDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A job: its steps in an order that respects their dependencies, and the schema of its run config.

    `maps_config` says of which part of the run config a config mapping makes the rest: "ops" where the job's graph has
    one, "all" where the job itself has one; such a part has no entries by step.
    """

    name: str
    description: str | None = None
    tags: dict[str, str] = {}
    run_tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    metadata: Metadata = {}
    steps: tuple[StepDescription, ...] = ()
    config_schema: ConfigType
    maps_config: MappedPart = ""
    default_config: dict[str, Any] = {}
    config_by_partition: bool = False  # user code gives it for a partition
    is_asset_job: bool = False
    assets: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    partitions: PartitionsSpec | None = None
    executor: str = "multiprocess"
    condition: int | None = None
    source: SourceRef | None = None


class AssetDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An asset: what it is, what it needs, and how it is made. Keys are in text form."""

    key: str
    description: str | None = None
    group: str = "default"
    kinds: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    metadata: Metadata = {}
    deps: tuple[str, ...] = ()
    mapped_deps: tuple[str, ...] = ()  # those of them whose partitions it maps by a rule of its own
    mappings: dict[str, PartitionMappingRecord] = {}  # these rules, but for those that are the user's code
    jobs: tuple[str, ...] = ()
    op: str | None = None  # None: nothing in this location makes or observes it (an external or source asset)
    observable: bool = False  # whether the op looks at it instead of making it
    partitions: PartitionsSpec | None = None
    max_partitions_per_run: int | None = 1  # of a backfill's run; None: all of them in one
    code_version: str | None = None
    freshness: AnyFreshnessPolicy | None = None
    is_virtual: bool = False  # a view: it holds no data of its own
    io_manager: str | None = None
    checks: tuple[str, ...] = ()  # names of its checks
    condition: int | None = None  # its automation condition, by its place in the location's conditions
    source: SourceRef | None = None

    @property
    def executable(self) -> bool:
        """Whether this location can make or observe the asset."""
        return self.op is not None

    @property
    def materializable(self) -> bool:
        """Whether this location can make the asset."""
        return self.op is not None and not self.observable


class CheckDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A check on an asset."""

    asset: str
    name: str
    description: str | None = None
    blocking: bool = False
    jobs: tuple[str, ...] = ()
    op: str | None = None
    partitions: PartitionsSpec | None = None  # where it looks at one partition at a time
    condition: int | None = None

    @property
    def key(self) -> str:
        """The text form, `asset/key:name`."""
        return f"{self.asset}:{self.name}"


class ScheduleDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A schedule. `max_catchup` is how many missed instants are made up."""

    name: str
    cron: tuple[str, ...]
    timezone: str = "UTC"
    job: str
    dst_gap: Gap = "after"
    dst_fold: Fold = "first"
    max_catchup: int | None = None
    follows_partitions: bool = False  # each tick is for the partitions whose window has ended
    description: str | None = None
    default_status: InstigatorStatus = InstigatorStatus.STOPPED
    timeout: float | None = None  # seconds that an evaluation may take; None: as the instance says
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    metadata: Metadata = {}
    source: SourceRef | None = None


class RunsWatched(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Runs that a sensor watches: those of a code location (None: its own, unless `anywhere`), of a job or of all."""

    location: str | None = None
    job: str | None = None
    anywhere: bool = False


class SensorDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A sensor. `kind` is STANDARD, ASSET, MULTI_ASSET, RUN_STATUS, WEBHOOK or AUTOMATION.

    `interval` is the least time between two evaluations, in seconds: 0 where something new is evaluated at once.
    """

    name: str
    kind: str = "STANDARD"
    jobs: tuple[str, ...] = ()
    interval: float = 30.0
    description: str | None = None
    default_status: InstigatorStatus = InstigatorStatus.STOPPED
    assets: tuple[str, ...] = ()  # those that it watches
    event_type: str | None = None  # and, of a sensor on runs, the event that each of these tells
    runs: tuple[RunsWatched, ...] = ()
    timeout: float | None = None  # seconds that an evaluation may take; None: as the instance says
    headers: tuple[str, ...] = ()  # those that are kept of requests to it
    tags: dict[str, str] = {}
    owners: tuple[str, ...] = ()
    metadata: Metadata = {}
    source: SourceRef | None = None

    @property
    def is_pushed(self) -> bool:
        """Whether it is evaluated when something happens that it watches, and not only after some time."""
        return self.kind in {"ASSET", "MULTI_ASSET", "WEBHOOK"} or self.event_type is not None


class ResourceDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A resource: its type, and its settings with secrets masked."""

    name: str
    type_name: str
    description: str | None = None
    config_schema: ConfigType | None = None
    config: dict[str, Any] = {}
    used_by: tuple[str, ...] = ()


class LocationDescription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A code location as described by one load of its code."""

    name: str
    jobs: tuple[JobDescription, ...] = ()
    assets: tuple[AssetDescription, ...] = ()
    checks: tuple[CheckDescription, ...] = ()
    schedules: tuple[ScheduleDescription, ...] = ()
    sensors: tuple[SensorDescription, ...] = ()
    resources: tuple[ResourceDescription, ...] = ()
    metadata: Metadata = {}
    dynamic_partitions: tuple[str, ...] = ()
    conditions: tuple[ConditionRecord, ...] = ()  # each different automation condition once
    python_version: str = ""
    penstock_version: str = ""
