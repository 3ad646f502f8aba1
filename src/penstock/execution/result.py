"""What an execution in this process came to: its events, and the values that it gave."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from ..definitions.events import AssetCheckEvaluation, AssetMaterialization, AssetObservation
from ..definitions.ops.graph import GraphDefinition
from ..definitions.ops.job import JobDefinition
from ..definitions.ops.ports import DEFAULT_OUTPUT
from ..errors import UsageError
from ..records import event as facts
from ..records.event import (
    Event,
    RunFailure,
    RunSuccess,
    StepFailure,
    StepSkipped,
    StepSuccess,
    StepUpForRetry,
)
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..records.run import Run, RunStatus
from .reported import evaluations, materializations, observations

__all__ = ["ExecuteInProcessResult", "ExecutionResult"]


class ExecutionResult:
    """What is known of a run that a program has executed: its events, and by subclass the values that it gave.

    Args:
        run: The run as it ended.
        job_def: The job.
        events: Its events in order.
    """

    def __init__(self, *, run: Run, job_def: JobDefinition, events: Sequence[Event]) -> None:
        self.run = run
        self.job_def = job_def
        self._events = list(events)

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.run.run_id

    @property
    def success(self) -> bool:
        """Whether the run succeeded."""
        return self.run.status is RunStatus.SUCCESS

    # -- events -------------------------------------------------------------------------------------------------------

    @property
    def all_events(self) -> list[Event]:
        """The run's events in order; the lines that user code logged are among them, of the type LOG."""
        return list(self._events)

    @property
    def all_node_events(self) -> list[Event]:
        """The events of steps, in order, without the lines that they logged."""
        return [event for event in self._events if event.is_step_event]

    def filter_events(self, event_filter: Callable[[Event], bool]) -> list[Event]:
        """The events for which the filter says yes."""
        return [event for event in self._events if event_filter(event)]

    def events_for_node(self, node_name: str) -> list[Event]:
        """The events of a step, or of all steps of a graph inside the job, without the lines that they logged."""
        return [event for event in self._events if event.is_step_event and _belongs(event.step_key, node_name)]

    def is_node_success(self, node_name: str) -> bool:
        """Whether the step succeeded."""
        return any(isinstance(event.fact, StepSuccess) for event in self.events_for_node(node_name))

    def is_node_failed(self, node_name: str) -> bool:
        """Whether the step failed."""
        return any(isinstance(event.fact, StepFailure) for event in self.events_for_node(node_name))

    def is_node_skipped(self, node_name: str) -> bool:
        """Whether the step was skipped."""
        return any(isinstance(event.fact, StepSkipped) for event in self.events_for_node(node_name))

    def is_node_untouched(self, node_name: str) -> bool:
        """Whether nothing was heard of the step."""
        return not self.events_for_node(node_name)

    def retry_attempts_for_node(self, node_name: str) -> int:
        """How many times the step was tried again."""
        return sum(isinstance(event.fact, StepUpForRetry) for event in self.events_for_node(node_name))

    def get_failed_step_keys(self) -> frozenset[str]:
        """The steps that failed."""
        return frozenset(
            event.step_key
            for event in self._events
            if isinstance(event.fact, StepFailure) and event.step_key is not None
        )

    def get_step_failure_events(self) -> list[Event]:
        """The failures of steps."""
        return self._of_kind(StepFailure)

    def get_step_success_events(self) -> list[Event]:
        """The ends of steps that succeeded."""
        return self._of_kind(StepSuccess)

    def get_step_skipped_events(self) -> list[Event]:
        """The steps that were skipped."""
        return self._of_kind(StepSkipped)

    def failure_data_for_node(self, node_str: str) -> StepFailure | None:
        """What a step failed with; None if it did not fail."""
        return next((e.fact for e in self.events_for_node(node_str) if isinstance(e.fact, StepFailure)), None)

    def get_run_success_event(self) -> Event:
        """The event that says that the run succeeded; raises `UsageError` if there is none."""
        return self._the_one(RunSuccess)

    def get_run_failure_event(self) -> Event:
        """The event that says that the run failed; raises `UsageError` if there is none."""
        return self._the_one(RunFailure)

    def _of_kind(self, kind: type) -> list[Event]:
        return [event for event in self._events if isinstance(event.fact, kind)]

    def _the_one(self, kind: type) -> Event:
        found = self._of_kind(kind)
        if not found:
            raise UsageError(f"The run {self.run_id} ended as {self.run.status}, so it has no such event.")
        return found[0]

    # -- assets -------------------------------------------------------------------------------------------------------

    def asset_materializations_for_node(self, node_name: str) -> list[AssetMaterialization]:
        """What a step said that it made."""
        return materializations(self.events_for_node(node_name))

    def asset_observations_for_node(self, node_name: str) -> list[AssetObservation]:
        """What a step observed of assets."""
        return observations(self.events_for_node(node_name))

    def get_asset_materialization_events(self) -> list[Event]:
        """The events that say that an asset was made."""
        return self._of_kind(facts.AssetMaterialization)

    def get_asset_materialization_planned_events(self) -> list[Event]:
        """The events that say which assets the run was to make; a run without an instance announces nothing."""
        return self._of_kind(facts.AssetMaterializationPlanned)

    def get_asset_observation_events(self) -> list[Event]:
        """The events that say that an asset was observed."""
        return self._of_kind(facts.AssetObservation)

    def get_asset_check_evaluations(self) -> list[AssetCheckEvaluation]:
        """The outcomes of checks."""
        return evaluations(self._events)

    # -- values -------------------------------------------------------------------------------------------------------

    def output_for_node(self, node_str: str, output_name: str = DEFAULT_OUTPUT) -> Any:
        """The value that a step gave; of a dynamic output, or of a mapped step, a dict by mapping key.

        Args:
            node_str: Names from the job's graph inwards, joined by `.`: of a step, or of a graph; of an asset the name
                of its op.
            output_name: The output.

        Raises:
            UsageError: It gave none, for example since it failed or was skipped.
        """
        step, output = self._place(node_str, output_name)
        found: dict[str | None, Any] = {}
        for key in self._given():
            base, _, instance = key[0].partition("[")
            if key[1] == output and step in (key[0], base):
                found[key[2] if not instance or key[0] == step else instance.removesuffix("]")] = self._value(key)
        if not found:
            given = ", ".join(sorted({f"{step}.{output}" for step, output, _ in self._given()})) or "none"
            raise UsageError(f"Step {step!r} gave no value for its output {output!r}; given were: {given}.")
        return found.get(None, found)

    def output_value(self, output_name: str = DEFAULT_OUTPUT) -> Any:
        """The value of an output of the job's graph.

        Raises:
            UsageError: The job makes assets, or its graph has no such output, or gave none.
        """
        graph = self.job_def.graph
        if graph is None:
            raise UsageError(f"{self.job_def!r} makes assets; use asset_value.")
        place = graph.wiring.returns.get(output_name)
        if place is None:
            known = ", ".join(graph.outs) or "none"
            raise UsageError(f"{self.job_def!r} has no output {output_name!r}; its outputs are: {known}.")
        return self.output_for_node(place.node, place.output)

    def _place(self, node: str, output: str) -> tuple[str, str]:
        """The step and output behind an output of a node, which may be a graph."""
        path = node.split(".")
        graph, inward = self.job_def.graph, path
        if graph is None and self.job_def.asset_layer is not None:
            made = self.job_def.asset_layer.graph.definitions.get(path[0])
            graph = made.node if made is not None and isinstance(made.node, GraphDefinition) else None
            inward = path[1:]
        for name in inward:
            if graph is None or name not in graph.nodes:
                return node, output
            inner = graph.nodes[name].definition
            graph = inner if isinstance(inner, GraphDefinition) else None
        while graph is not None:
            place = graph.wiring.returns.get(output)
            if place is None:
                known = ", ".join(graph.outs) or "none"
                raise UsageError(f"The graph {node!r} has no output {output!r}; its outputs are: {known}.")
            path.append(place.node)
            output = place.output
            inner = graph.nodes[place.node].definition
            graph = inner if isinstance(inner, GraphDefinition) else None
        return ".".join(path), output

    def _given(self) -> Collection[tuple[str, str, str | None]]:
        """The values that there are: (step, output, mapping key)."""
        raise NotImplementedError

    def _value(self, key: tuple[str, str, str | None]) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(run_id={self.run_id!r}, success={self.success})"


class ExecuteInProcessResult(ExecutionResult):
    """The outcome of `execute_in_process`, `materialize` and their kin, with the values that the run gave.

    Args:
        run: The run as it ended.
        job_def: The job.
        events: Its events in order.
        values: (step, output, mapping key) -> the value given.
        makers: By asset key in text form, the step and output that made it.
    """

    def __init__(
        self,
        *,
        run: Run,
        job_def: JobDefinition,
        events: Sequence[Event],
        values: Mapping[tuple[str, str, str | None], Any],
        makers: Mapping[str, tuple[str, str]],
    ) -> None:
        super().__init__(run=run, job_def=job_def, events=events)
        self._values = values
        self._makers = makers

    def _given(self) -> Collection[tuple[str, str, str | None]]:
        return self._values

    def _value(self, key: tuple[str, str, str | None]) -> Any:
        return self._values[key]

    def asset_value(self, asset_key: CoercibleToAssetKey) -> Any:
        """The value of an asset that the run made.

        Raises:
            UsageError: The run made no such asset, or made it without a value.
        """
        key = AssetKey.from_coercible(asset_key).to_user_string()
        if key not in self._makers:
            raise UsageError(f"The run did not make the asset {key}; it was to make: {', '.join(self._makers)}.")
        return self.output_for_node(*self._makers[key])


def _belongs(step_key: str | None, node: str) -> bool:
    return step_key is not None and (step_key == node or step_key.startswith((f"{node}.", f"{node}[")))
