"""What the functions of schedules and sensors see as `context`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self
from zoneinfo import ZoneInfo

from ..clock import SYSTEM_CLOCK
from ..definitions.resources.resource import ResourceDefinition, to_resources
from ..errors import UserCodeError
from ..records.event import Fact, LogLine
from .configuration import resource_configs
from .resources import OpenResources, Resources, closure, set_up

if TYPE_CHECKING:
    from .log import ContextLogger

__all__ = [
    "ScheduleEvaluationContext",
    "SensorEvaluationContext",
    "build_schedule_context",
    "build_sensor_context",
]


class _TickContext:
    """What both contexts share: resources, set up when first used; the log; the instance.

    It is a context manager, which tears its resources down.
    """

    def __init__(
        self,
        *,
        definitions: Mapping[str, ResourceDefinition],
        keys: Iterable[str],
        instance: Any = None,
    ) -> None:
        self._definitions = definitions
        self._keys = frozenset(keys)
        self._instance = instance
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
            needed = closure(self._keys, self._definitions)
            config = resource_configs({key: self._definitions[key] for key in needed}, {})
            self._opened = self._stack.enter_context(
                set_up(
                    self._keys,
                    self._definitions,
                    config,
                    clock=SYSTEM_CLOCK,
                    emit=self._take,
                    instance=self._instance,
                )
            )
        return self._opened.view(self._keys)

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
            raise UserCodeError("This evaluation has no instance; pass one to the function that made its context.")
        return self._instance

    def _take(self, fact: Fact) -> None:
        if isinstance(fact, LogLine):
            self.lines.append(f"{fact.level} {fact.message}")
            if fact.error is not None:
                self.lines.append(fact.error.render())


class ScheduleEvaluationContext(_TickContext):
    """The context of a schedule's tick.

    Args:
        scheduled: The scheduled time, in seconds since the epoch; None outside of a tick.
        timezone: The schedule's time zone.
        schedule_name: The schedule's name.
        definitions: All resources.
        keys: Those that the function requires.
        instance: The instance.
    """

    def __init__(
        self,
        *,
        scheduled: float | None = None,
        timezone: str = "UTC",
        schedule_name: str | None = None,
        definitions: Mapping[str, ResourceDefinition] | None = None,
        keys: Iterable[str] = (),
        instance: Any = None,
    ) -> None:
        super().__init__(definitions=definitions or {}, keys=keys, instance=instance)
        self._scheduled = scheduled
        self._timezone = timezone
        self.schedule_name = schedule_name

    @property
    def scheduled_execution_time(self) -> datetime:
        """The time that the tick is for, in the schedule's time zone."""
        if self._scheduled is None:
            raise UserCodeError(
                "This context has no scheduled time; give scheduled_execution_time to build_schedule_context."
            )
        return datetime.fromtimestamp(self._scheduled, ZoneInfo(self._timezone))


class SensorEvaluationContext(_TickContext):
    """The context of a sensor's evaluation.

    Args:
        cursor: What the last evaluation left.
        last_run_key: The last run key that it gave.
        last_tick: When the last evaluation ended, in seconds since the epoch.
        sensor_name: The sensor's name.
        definitions: All resources.
        keys: Those that the function requires.
        instance: The instance.
    """

    def __init__(
        self,
        *,
        cursor: str | None = None,
        last_run_key: str | None = None,
        last_tick: float | None = None,
        sensor_name: str | None = None,
        definitions: Mapping[str, ResourceDefinition] | None = None,
        keys: Iterable[str] = (),
        instance: Any = None,
    ) -> None:
        super().__init__(definitions=definitions or {}, keys=keys, instance=instance)
        self._cursor = cursor
        self._updated = False
        self.last_run_key = last_run_key
        self.last_tick_completion_time = last_tick
        self.sensor_name = sensor_name

    @property
    def cursor(self) -> str | None:
        """What the last evaluation left, or what this one has set."""
        return self._cursor

    @property
    def cursor_updated(self) -> bool:
        """Whether this evaluation has set the cursor."""
        return self._updated

    @property
    def is_first_tick(self) -> bool:
        """Whether the sensor was never evaluated before."""
        return self.last_tick_completion_time is None

    def update_cursor(self, cursor: str | None) -> None:
        """Set what the next evaluation shall get as its cursor; it is kept if this evaluation succeeds."""
        if cursor is not None and not isinstance(cursor, str):
            raise UserCodeError(f"A cursor is a text, not {cursor!r}; turn it into one, for example with json.dumps.")
        self._cursor = cursor
        self._updated = True


def build_schedule_context(
    instance: Any = None,
    scheduled_execution_time: datetime | None = None,
    resources: Mapping[str, Any] | None = None,
) -> ScheduleEvaluationContext:
    """A context for calling a schedule directly.

    Args:
        instance: The instance.
        scheduled_execution_time: The time that the tick is for; without a time zone it is read as UTC.
        resources: By key, what `Definitions` takes as resources.
    """
    definitions = to_resources(resources, "The resources of the context")
    moment = scheduled_execution_time
    if moment is not None and moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    zone = getattr(moment.tzinfo, "key", "UTC") if moment is not None else "UTC"
    return ScheduleEvaluationContext(
        scheduled=None if moment is None else moment.timestamp(),
        timezone=zone,
        definitions=definitions,
        keys=definitions,
        instance=instance,
    )


def build_sensor_context(
    instance: Any = None,
    cursor: str | None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    last_run_key: str | None = None,
    last_tick_completion_time: float | None = None,
) -> SensorEvaluationContext:
    """A context for calling a sensor directly.

    Args:
        instance: The instance.
        cursor: What the last evaluation left.
        sensor_name: The sensor's name.
        resources: By key, what `Definitions` takes as resources.
        last_run_key: The last run key that it gave.
        last_tick_completion_time: When the last evaluation ended, in seconds since the epoch.
    """
    definitions = to_resources(resources, "The resources of the context")
    return SensorEvaluationContext(
        cursor=cursor,
        last_run_key=last_run_key,
        last_tick=last_tick_completion_time,
        sensor_name=sensor_name,
        definitions=definitions,
        keys=definitions,
        instance=instance,
    )
