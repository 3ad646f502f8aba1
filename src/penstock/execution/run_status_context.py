"""What the functions of run status sensors see as `context`: one run, and the event that brought it into its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..clock import Clock
from ..definitions.definitions import Definitions
from ..definitions.repository import RepositoryDefinition
from ..errors import UsageError
from ..records.event import Event
from ..records.run import Run
from .sensor_context import SensorEvaluationContext
from .tick_context import TickContext, given_definitions, given_resources

if TYPE_CHECKING:
    from .log import ContextLogger
    from .resources import Resources

__all__ = ["RunFailureSensorContext", "RunStatusSensorContext", "build_run_status_sensor_context"]


class RunStatusSensorContext(TickContext):
    """The context of a run status sensor's function.

    Args:
        sensor_name: The sensor's name.
        run: The run.
        event: The event that brought it into its state.
        evaluation: The evaluation that it is a part of; resources and log are those of it.
        partition_key: The partition that the run works on; the one that its tags name if not given.
        shared: What all contexts of ticks take.
    """

    def __init__(
        self,
        *,
        sensor_name: str,
        run: Run,
        event: Event,
        evaluation: SensorEvaluationContext | None = None,
        partition_key: str | None = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.sensor_name = sensor_name
        self.run = run
        self.event = event
        self._evaluation = evaluation
        self._partition_key = partition_key

    @property
    def partition_key(self) -> str | None:
        """The partition that the run works on, if any."""
        return self.run.partition if self._partition_key is None else self._partition_key

    @property
    def resources(self) -> Resources:
        """The resources that the function requires, by key as attributes."""
        return super().resources if self._evaluation is None else self._evaluation.resources

    @property
    def log(self) -> ContextLogger:
        """A logger whose lines are kept with the tick."""
        return super().log if self._evaluation is None else self._evaluation.log

    def for_run_failure(self) -> RunFailureSensorContext:
        """This context for the function of a run failure sensor."""
        return RunFailureSensorContext(
            sensor_name=self.sensor_name,
            run=self.run,
            event=self.event,
            evaluation=self._evaluation,
            partition_key=self._partition_key,
            **self.shared(),
        )


class RunFailureSensorContext(RunStatusSensorContext):
    """The context of a run failure sensor's function. It takes what `RunStatusSensorContext` takes."""

    @property
    def failure_event(self) -> Event:
        """The event that tells the failure; its `message` says why."""
        return self.event

    def get_step_failure_events(self) -> list[Event]:
        """The failures of the run's steps, in order."""
        found = []
        after = 0
        while page := self.instance.storage.events.of_run(self.run.run_id, after=after, types=["STEP_FAILURE"]):
            found += [each.event for each in page]
            after = page[-1].id
        return found


def build_run_status_sensor_context(
    sensor_name: str,
    event: Event,
    instance: Any,
    run: Run,
    context: SensorEvaluationContext | None = None,
    resources: Mapping[str, Any] | None = None,
    partition_key: str | None = None,
    *,
    repository_def: Definitions | RepositoryDefinition | None = None,
    clock: Clock | None = None,
) -> RunStatusSensorContext:
    """A context for calling a run status sensor directly; `for_run_failure()` makes one for a run failure sensor of it.

    Args:
        sensor_name: The sensor's name.
        event: The event that brought the run into its state.
        instance: The instance.
        run: The run.
        context: A context that `build_sensor_context` has made, whose resources and log it uses.
        resources: By key, what `Definitions` takes as resources; those of the definitions if not given.
        partition_key: The partition that the run works on; the one that its tags name if not given.
        repository_def: The definitions of the code location.
        clock: Tells the time; the instance's if not given.

    Raises:
        UsageError: Both a context and resources are given.
    """
    if context is not None and resources is not None:
        raise UsageError("Give resources to build_sensor_context, which made the context, or leave the context out.")
    found = given_definitions(repository_def)
    return RunStatusSensorContext(
        sensor_name=sensor_name,
        run=run,
        event=event,
        evaluation=context,
        partition_key=partition_key,
        instance=instance,
        clock=clock,
        **given_resources(resources, found),
    )
