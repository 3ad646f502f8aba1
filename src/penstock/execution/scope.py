"""One run as all its steps see it: plan, config, resources by definition, environment."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager

from ..definitions.ops.job import JobDefinition
from ..definitions.resources.resource import ResourceDefinition, ValueResource
from ..definitions.resources.stores import FilesystemIOManager, InMemoryIOManager, mem_io_manager
from ..engine.step_messages import FeedKind, Past, Source, StepInputSpec, StepSpec
from ..plan.model import ExecutionPlan, FromCollect, FromMapped, FromOutput, OrderOnly, Step
from ..records.event import Fact
from ..records.run import Run
from .configuration import Configuration
from .environment import Environment
from .loggers import LoggedRecorder, make_loggers
from .prepared import PreparedStep
from .python_logs import made_handlers
from .recorder import Recorder
from .resources import OpenResources, closure, set_up
from .step_partitions import StoredDynamicPartitions

__all__ = ["DEFAULT_IO_MANAGER", "RunScope", "is_in_memory", "specs_of", "with_default_io_manager"]

DEFAULT_IO_MANAGER = "io_manager"
"""The key of the IO manager of outputs that name none."""


class RunScope:
    """What the steps of one run share.

    Args:
        run: The run.
        job: Its job.
        plan: What it runs.
        config: Its config.
        environment: The world.
        resources: All resources that the job knows, by key.
        chance: Gives numbers in [0, 1) for the jitter of retries.
        past: How far steps had come before: what is inherited from earlier runs.

    Attributes:
        retries: Whether steps that failed are tried again as their policies say.
        past: How far steps had come before, under earlier workers of the run too.
    """

    def __init__(
        self,
        *,
        run: Run,
        job: JobDefinition,
        plan: ExecutionPlan,
        config: Configuration,
        environment: Environment,
        resources: Mapping[str, ResourceDefinition],
        chance: Callable[[], float] = random.random,
        past: Past | None = None,
    ) -> None:
        self.run = run
        self.job = job
        self.plan = plan
        self.config = config
        self.environment = environment
        self.resources = with_default_io_manager(resources, environment)
        self.chance = chance
        self.retries = True
        self.past: Past = past or {}
        self.dynamic = None if environment.storage is None else StoredDynamicPartitions(environment.storage)
        self._prepared: dict[str, PreparedStep] = {}
        self._closures: dict[frozenset[str], frozenset[str]] = {}

    def logged(self, onward: Recorder) -> Recorder:
        """A recorder that writes to the loggers of the run's config too, which are made for this process now.

        Raises:
            UserCodeError: A logger could not be made.
            SettingsError: A handler of the instance's settings could not.
        """
        loggers = make_loggers(self.job, self.config.values, self.run)
        handlers = made_handlers(self.environment.python_logs.handlers)
        if handlers:
            own = logging.Logger("penstock", logging.DEBUG)
            own.handlers = handlers
            loggers.append(own)
        return LoggedRecorder(onward, loggers, self.run, self.environment.clock) if loggers else onward

    def prepared(self, key: str) -> PreparedStep:
        """A step of the plan, taken apart once for all its attempts."""
        prepared = self._prepared.get(key)
        if prepared is None:
            step = self.plan.steps[key]
            prepared = self._prepared[key] = PreparedStep(step, self.config, self._closure(self._used_by(step)))
        return prepared

    def open_resources(
        self, keys: Iterable[str], emit: Callable[[Fact], None]
    ) -> AbstractContextManager[OpenResources]:
        """Set these resources up, and those that they need; see `resources.set_up`."""
        environment = self.environment
        return set_up(
            keys,
            self.resources,
            self.config.resources,
            clock=environment.clock,
            emit=emit,
            run=self.run,
            instance=environment.instance,
            artifacts=environment.artifacts,
        )

    def _used_by(self, step: Step) -> frozenset[str]:
        loading = {
            self.plan.io_manager_of(source)
            for given in step.inputs
            if given.io_manager_key is None and not isinstance(given.source, OrderOnly)
            for source in given.upstream()
        }
        return step.used_resources | loading if loading else step.used_resources

    def _closure(self, keys: frozenset[str]) -> frozenset[str]:
        """These resources and all that they need; many steps use the same."""
        closed = self._closures.get(keys)
        if closed is None:
            closed = self._closures[keys] = frozenset(closure(keys, self.resources))
        return closed


def with_default_io_manager(
    resources: Mapping[str, ResourceDefinition], environment: Environment
) -> Mapping[str, ResourceDefinition]:
    """The resources with an IO manager for outputs that name none, where there is none yet."""
    if DEFAULT_IO_MANAGER in resources:
        return resources
    default = InMemoryIOManager() if environment.artifacts is None else FilesystemIOManager()
    return {**resources, DEFAULT_IO_MANAGER: ValueResource(default)}


def is_in_memory(definition: ResourceDefinition | None) -> bool:
    """Whether an IO manager keeps values in the memory of its process alone."""
    return definition is mem_io_manager or (
        isinstance(definition, ValueResource) and isinstance(definition.value, InMemoryIOManager)
    )


def specs_of(plan: ExecutionPlan, pools_of: Callable[[Step], tuple[str, ...]] | None = None) -> list[StepSpec]:
    """The plan as the scheduler of steps sees it; `pools_of` gives the pools that a step claims a slot of."""
    return [
        StepSpec(
            key=step.key,
            inputs=tuple(
                StepInputSpec(given.name, tuple(_source(each) for each in given.upstream())) for given in step.inputs
            ),
            priority=step.priority,
            tags=step.tags,
            pools=() if pools_of is None else pools_of(step),
        )
        for step in (*plan.inherited.values(), *plan.steps.values())
    ]


def _source(source: FromOutput | FromMapped | FromCollect) -> Source:
    kind = {FromMapped: FeedKind.MAPPED, FromCollect: FeedKind.COLLECT}.get(type(source), FeedKind.DIRECT)
    return Source(source.step, source.output, kind)
