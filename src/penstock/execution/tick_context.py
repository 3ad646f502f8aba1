"""What the functions of schedules see as `context`, and what that shares with sensors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from ..clock import SYSTEM_CLOCK, Clock
from ..definitions.definitions import Definitions
from ..definitions.repository import RepositoryDefinition
from ..definitions.resources.resource import ResourceDefinition, to_resources
from ..errors import UsageError
from ..partitions.wall_time import zone_named
from ..records.event import Fact, LogLine
from ..records.location import REPOSITORY
from .configuration import resource_configs
from .resources import OpenResources, Resources, closure, set_up

if TYPE_CHECKING:
    from .log import ContextLogger

__all__ = [
    "ScheduleEvaluationContext",
    "TickContext",
    "build_schedule_context",
    "given_definitions",
    "given_resources",
]


class TickContext:
    """What the contexts of schedules and sensors share: resources, set up when first used; the log; the instance.

    It is a context manager, which tears its resources down.

    Args:
        resources: All resources.
        keys: Those that the function requires; None means all, until `require` says which.
        instance: The instance.
        definitions: The definitions of the code location.
        repository_name: The name of the code location's repository.
        clock: Tells the time; the instance's if not given.
        told: Called with each line that is logged.
    """

    def __init__(
        self,
        *,
        resources: Mapping[str, ResourceDefinition] | None = None,
        keys: Iterable[str] | None = (),
        instance: Any = None,
        definitions: Definitions | None = None,
        repository_name: str | None = None,
        clock: Clock | None = None,
        told: Callable[[str], None] | None = None,
    ) -> None:
        self._told = told
        self._resources = resources or {}
        self._required = None if keys is None else frozenset(keys)
        self._instance = instance
        self._definitions = definitions
        self._repository_name = repository_name
        self.clock: Clock = getattr(instance, "clock", SYSTEM_CLOCK) if clock is None else clock
        self._opened: OpenResources | None = None
        self._stack = ExitStack()
        self._log: ContextLogger | None = None
        self.lines: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self._stack.close()

    @property
    def resources(self) -> Resources:
        """The resources that the function requires, by key as attributes."""
        if self._opened is None:
            needed = closure(self._keys, self._resources)
            config = resource_configs({key: self._resources[key] for key in needed}, {})
            self._opened = self._stack.enter_context(
                set_up(
                    self._keys,
                    self._resources,
                    config,
                    clock=self.clock,
                    emit=self._take,
                    instance=self._instance,
                )
            )
        return self._opened.view(self._keys)

    @property
    def _keys(self) -> frozenset[str]:
        return frozenset(self._resources) if self._required is None else self._required

    def require(self, keys: Iterable[str]) -> None:
        """Say which resources are needed, so that no others are set up; where that has been said, it stays."""
        if self._required is None:
            self._required = frozenset(keys)

    @property
    def log(self) -> ContextLogger:
        """A logger whose lines are kept with the tick."""
        if self._log is None:
            from .log import ContextLogger

            self._log = ContextLogger(self._take)
        return self._log

    @property
    def instance(self) -> Any:
        """The instance."""
        if self._instance is None:
            raise UsageError("This evaluation has no instance; pass one to the function that made its context.")
        return self._instance

    @property
    def definitions(self) -> Definitions:
        """The definitions of the code location."""
        if self._definitions is None:
            raise UsageError(
                "This evaluation knows no definitions; pass definitions= to the function that made its context."
            )
        return self._definitions

    @property
    def repository_def(self) -> RepositoryDefinition:
        """The definitions of the code location in the form that older code knows."""
        return RepositoryDefinition(self._repository_name or REPOSITORY, definitions=self.definitions)

    @property
    def repository_name(self) -> str | None:
        """The name of the code location's repository."""
        return self._repository_name

    def shared(self) -> dict[str, Any]:
        """What a further context of the same evaluation takes."""
        return {
            "resources": self._resources,
            "keys": self._required,
            "instance": self._instance,
            "definitions": self._definitions,
            "repository_name": self._repository_name,
            "clock": self.clock,
        }

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, LogLine):
            self._say(f"{fact.level} {fact.message}")
            if fact.error is not None:
                self._say(fact.error.render())

    def _say(self, line: str) -> None:
        self.lines.append(line)
        if self._told is not None:
            self._told(line)


class ScheduleEvaluationContext(TickContext):
    """The context of a schedule's tick.

    Args:
        scheduled: The scheduled time, in seconds since the epoch; None outside of a tick.
        timezone: The schedule's time zone.
        schedule_name: The schedule's name.
        shared: What all contexts of ticks take.
    """

    def __init__(
        self,
        *,
        scheduled: float | None = None,
        timezone: str = "UTC",
        schedule_name: str | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self._scheduled = scheduled
        self._timezone = timezone
        self.schedule_name = schedule_name

    @property
    def scheduled_execution_time(self) -> datetime:
        """The time that the tick is for, in the schedule's time zone."""
        if self._scheduled is None:
            raise UsageError(
                "This context has no scheduled time; give scheduled_execution_time to build_schedule_context."
            )
        return datetime.fromtimestamp(self._scheduled, zone_named(self._timezone))


def build_schedule_context(
    instance: Any = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, Any] | None = None,
    repository_def: Definitions | RepositoryDefinition | None = None,
    *,
    clock: Clock | None = None,
) -> ScheduleEvaluationContext:
    """A context for calling a schedule directly.

    Args:
        instance: The instance.
        scheduled_execution_time: The time that the tick is for; without a time zone it is read as UTC.
        resources: By key, what `Definitions` takes as resources; those of the definitions if not given.
        repository_def: The definitions of the code location.
        clock: Tells the time; the instance's if not given.
    """
    found = given_definitions(repository_def)
    moment = scheduled_execution_time
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    zone = getattr(moment.tzinfo, "key", "UTC") if moment is not None else "UTC"
    return ScheduleEvaluationContext(
        scheduled=None if moment is None else moment.timestamp(),
        timezone=zone,
        instance=instance,
        clock=clock,
        **given_resources(resources, found),
    )


def given_definitions(given: Any) -> Definitions | None:
    """The definitions that a user means: themselves, or a repository of them.

    Raises:
        UsageError: It is neither.
    """
    if given is None or isinstance(given, Definitions):
        return given
    if isinstance(given, RepositoryDefinition):
        return given.definitions
    raise UsageError(f"The context is to know the definitions {given!r}; give Definitions.")


def given_resources(resources: Mapping[str, Any] | None, definitions: Definitions | None) -> dict[str, Any]:
    """What a context that a test makes takes of resources and definitions."""
    if resources is None and definitions is not None:
        return {"resources": definitions.resolved.resources, "keys": None, "definitions": definitions}
    found = to_resources(resources, "The resources of the context")
    return {"resources": found, "keys": found, "definitions": definitions}
