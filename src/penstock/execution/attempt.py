"""One attempt of one step while it runs: what the contexts show to user code, and what user code left on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..definitions.ops.op import OpDefinition
from ..errors import UsageError, UserCodeError
from ..partitions.definition import PartitionsDefinition
from ..partitions.loading import DynamicPartitionsStore
from ..plan.model import FromAsset, StepInput, StepOutput
from ..records.event import Fact
from ..records.metadata import Metadata
from ..records.run import Run
from .interrupt import INTERRUPTS
from .resources import OpenResources
from .step_partitions import own_partitions, upstream_partitions

if TYPE_CHECKING:
    from ..definitions.assets.definition import AssetsDefinition
    from .log import ContextLogger

__all__ = ["Attempt"]


class Attempt:
    """The attempt behind the contexts of one step.

    Args:
        op: The op whose function runs.
        run: The run that it is of.
        key: The step's key, of a mapped step with its mapping key.
        record: Takes the step's facts.
        now: The time, in seconds since the epoch.
        config: The op's config: plain values, or an instance of its config class.
        resources: What the op may use, by key.
        opened: Every resource that is set up, IO managers included.
        inputs: The step's inputs by name.
        outputs: The step's outputs by name.
        asset_keys: The assets that it makes, in text form.
        check_keys: The checks that it evaluates, as `asset/key:name`.
        partitions: The partitions of its assets.
        dynamic: Knows the keys of dynamic partition sets.
        job: The job's definition.
        instance: The instance, for user code.
        artifacts: The folder where values are stored that no place is named for.
        retry: 0 for the first attempt.
        mapping_key: Of a mapped step, its key.
        tags: The step's tags.
        log_level: The lowest level of its logger.
    """

    __slots__ = (
        "_log",
        "_partition_keys",
        "artifacts",
        "asset_keys",
        "asset_metadata",
        "assets_def",
        "check_keys",
        "config",
        "dynamic",
        "inputs",
        "instance",
        "job",
        "key",
        "log_level",
        "mapping_key",
        "now",
        "op",
        "opened",
        "output_metadata",
        "outputs",
        "partitions",
        "record",
        "resources",
        "retry",
        "run",
        "tags",
    )

    def __init__(
        self,
        *,
        op: OpDefinition | None,
        run: Run,
        key: str,
        record: Callable[[Fact], None],
        now: Callable[[], float],
        config: Any = None,
        resources: Any = None,
        opened: OpenResources,
        inputs: Mapping[str, StepInput],
        outputs: Mapping[str, StepOutput],
        asset_keys: tuple[str, ...] = (),
        check_keys: tuple[str, ...] = (),
        partitions: PartitionsDefinition | None = None,
        dynamic: DynamicPartitionsStore | None = None,
        job: Any = None,
        instance: Any = None,
        artifacts: Path | None = None,
        retry: int = 0,
        mapping_key: str | None = None,
        tags: Mapping[str, str],
        log_level: int = 0,
    ) -> None:
        self.op = op
        self.run = run
        self.key = key
        self.record = record
        self.now = now
        self.config = config
        self.resources = resources
        self.opened = opened
        self.inputs = inputs
        self.outputs = outputs
        self.asset_keys = asset_keys
        self.check_keys = check_keys
        self.partitions = partitions
        self.dynamic = dynamic
        self._partition_keys: tuple[str, ...] | None = None
        self.job = job
        self.instance = instance
        self.artifacts = artifacts
        self.retry = retry
        self.mapping_key = mapping_key
        self.tags = tags
        self.log_level = log_level
        self.output_metadata: dict[tuple[str, str | None], Metadata] = {}
        self.assets_def: AssetsDefinition | None = None  # of a function that is called outside of a run
        self.asset_metadata: dict[tuple[str, str | None], Metadata] = {}  # (asset, partition or None: each)
        self._log: ContextLogger | None = None

    def emit(self, fact: Fact) -> None:
        """Record a fact; a request to stop does not tear it."""
        with INTERRUPTS.our_code:
            self.record(fact)

    @property
    def log(self) -> ContextLogger:
        """The step's logger."""
        if self._log is None:
            from .log import ContextLogger

            self._log = ContextLogger(self.emit, level=self.log_level)
        return self._log

    @property
    def partition_keys(self) -> tuple[str, ...]:
        """The partitions that the run works on; none if it works on none."""
        if self._partition_keys is None:
            keys = own_partitions(self.run, self.partitions_def, self.dynamic)
            if self.partitions_def is None:
                return keys  # a context outside of a run may learn of the set later
            self._partition_keys = keys
        return self._partition_keys

    @property
    def partition_key(self) -> str | None:
        """The one partition that the run works on, if it works on one."""
        return self.partition_keys[0] if self.run.partition is not None else None

    @property
    def partitions_def(self) -> PartitionsDefinition | None:
        """The set of which the run's partitions are: that of the step's assets, or of the job."""
        return self.partitions or getattr(self.job, "partitions_def", None)

    def asset_partitions(self) -> tuple[str | None, ...]:
        """The partitions that a materialization of the step is of; `(None,)` if its assets have none."""
        return (None,) if self.partitions is None else self.partition_keys or (None,)

    def upstream_partitions(self, source: FromAsset) -> Sequence[str] | None:
        """The partitions of an asset to load; None if it has none."""
        return upstream_partitions(source, self.partitions, self.partition_keys, self.now(), self.dynamic)

    @property
    def what(self) -> str:
        """The step as messages name it."""
        if self.op is None:
            return f'Step "{self.key}"'
        return f"{self.op.what} ({self.op.source})" if self.op.source else self.op.what

    def fault(self, text: str) -> UsageError:
        """The error for code that breaks a rule of its step; it names the step and where its op is written."""
        return UsageError(f"{self.what} {text}")

    def broken(self, text: str) -> UserCodeError:
        """The error to raise from one that the user's code raised; it says what the step was about."""
        return UserCodeError(f"{self.what} {text}")
