"""What the functions of sensors see as `context`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..clock import Clock
from ..definitions.automation.run_request import Requested
from ..definitions.definitions import Definitions
from ..definitions.repository import RepositoryDefinition
from ..errors import UsageError
from ..records.webhook import WebhookRequest
from .tick_context import TickContext, given_definitions, given_resources

__all__ = ["SensorEvaluationContext", "build_sensor_context"]


class SensorEvaluationContext(TickContext):
    """The context of a sensor's evaluation.

    Args:
        cursor: What the last evaluation left.
        last_run_key: The last run key that it gave.
        last_tick_completion_time: When the last evaluation ended, in seconds since the epoch.
        last_sensor_start_time: When the sensor was last turned on, in seconds since the epoch.
        sensor_name: The sensor's name.
        location: The code location that the sensor is of; None where that does not matter.
        webhook_requests: What has been sent to a webhook sensor.
        limit: Seconds that the evaluation may take; None for any time.
        hand_over: Called with what has come of each event, so that it counts also if the evaluation comes to no end.
        shared: What all contexts of ticks take.
    """

    def __init__(
        self,
        *,
        cursor: str | None = None,
        last_run_key: str | None = None,
        last_tick_completion_time: float | None = None,
        last_sensor_start_time: float | None = None,
        sensor_name: str | None = None,
        location: str | None = None,
        webhook_requests: Sequence[WebhookRequest] = (),
        limit: float | None = None,
        hand_over: Callable[[Requested], None] | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self._cursor = cursor
        self._updated = False
        self.last_run_key = last_run_key
        self.last_tick_completion_time = last_tick_completion_time
        self.last_sensor_start_time = last_sensor_start_time
        self.sensor_name = sensor_name
        self.location = location
        self.webhook_requests = tuple(webhook_requests)
        self.limit = limit
        self.hand_over = hand_over

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

    @property
    def is_first_tick_since_sensor_start(self) -> bool:
        """Whether the sensor was not evaluated before since it was last turned on."""
        if self.last_tick_completion_time is None:
            return True
        return self.last_sensor_start_time is not None and self.last_tick_completion_time < self.last_sensor_start_time

    def update_cursor(self, cursor: str | None) -> None:
        """Set what the next evaluation shall get as its cursor; it is kept if this evaluation succeeds."""
        if cursor is not None and not isinstance(cursor, str):
            raise UsageError(f"A cursor is a text, not {cursor!r}; turn it into one, for example with json.dumps.")
        self._cursor = cursor
        self._updated = True


def build_sensor_context(
    instance: Any = None,
    cursor: str | None = None,
    repository_name: str | None = None,
    repository_def: Definitions | RepositoryDefinition | None = None,
    sensor_name: str | None = None,
    resources: Mapping[str, Any] | None = None,
    definitions: Definitions | None = None,
    last_sensor_start_time: float | None = None,
    *,
    last_run_key: str | None = None,
    last_tick_completion_time: float | None = None,
    webhook_requests: Sequence[WebhookRequest] = (),
    clock: Clock | None = None,
) -> SensorEvaluationContext:
    """A context for calling a sensor directly, or for `evaluate_tick`.

    Args:
        instance: The instance.
        cursor: What the last evaluation left.
        repository_name: The name of the code location's repository.
        repository_def: The definitions of the code location, by the name that older code uses.
        sensor_name: The sensor's name.
        resources: By key, what `Definitions` takes as resources; those of the definitions if not given.
        definitions: The definitions of the code location.
        last_sensor_start_time: When the sensor was last turned on, in seconds since the epoch.
        last_run_key: The last run key that it gave.
        last_tick_completion_time: When the last evaluation ended, in seconds since the epoch.
        webhook_requests: What has been sent to a webhook sensor.
        clock: Tells the time; the instance's if not given.
    """
    found = given_definitions(repository_def if definitions is None else definitions)
    return SensorEvaluationContext(
        cursor=cursor,
        last_run_key=last_run_key,
        last_tick_completion_time=last_tick_completion_time,
        last_sensor_start_time=last_sensor_start_time,
        sensor_name=sensor_name,
        repository_name=repository_name,
        webhook_requests=webhook_requests,
        instance=instance,
        clock=clock,
        **given_resources(resources, found),
    )
