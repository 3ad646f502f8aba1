"""What an execution in this process came to: its events, and the values that it gave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..definitions.ops.graph import GraphDefinition
from ..definitions.ops.job import JobDefinition
from ..errors import UserCodeError
from ..records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetObservation,
    Event,
    StepFailure,
    StepSkipped,
    StepSuccess,
    StepUpForRetry,
)
from ..records.keys import AssetKey, CoercibleToAssetKey
from ..records.run import Run, RunStatus

__all__ = ["ExecuteInProcessResult"]

F = TypeVar("F")


class ExecuteInProcessResult:
    """The outcome of `execute_in_process`, `materialize` and their kin.

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
        self.run = run
        self.job_def = job_def
        self._events = list(events)
        self._values = values
        self._makers = makers

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
        """The run's events in order."""
        return list(self._events)

    def filter_events(self, event_filter: Callable[[Event], bool]) -> list[Event]:
        """The events for which the filter says yes."""
        return [event for event in self._events if event_filter(event)]

    def events_for_node(self, node_name: str) -> list[Event]:
        """The events of a step, or of all steps of a graph inside the job."""
        return [event for event in self._events if _belongs(event.step_key, node_name)]

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
        return [event for event in self._events if isinstance(event.fact, StepFailure)]

    # -- assets -------------------------------------------------------------------------------------------------------

    def asset_materializations_for_node(self, node_name: str) -> list[AssetMaterialization]:
        """What a step said that it made."""
        return _facts(self.events_for_node(node_name), AssetMaterialization)

    def asset_observations_for_node(self, node_name: str) -> list[AssetObservation]:
        """What a step observed of assets."""
        return _facts(self.events_for_node(node_name), AssetObservation)

    def get_asset_materialization_events(self) -> list[Event]:
        """The events that say that an asset was made."""
        return [event for event in self._events if isinstance(event.fact, AssetMaterialization)]

    def get_asset_observation_events(self) -> list[Event]:
        """The events that say that an asset was observed."""
        return [event for event in self._events if isinstance(event.fact, AssetObservation)]

    def get_asset_check_evaluations(self) -> list[AssetCheckEvaluation]:
        """The outcomes of checks."""
        return _facts(self._events, AssetCheckEvaluation)

    # -- values -------------------------------------------------------------------------------------------------------

    def output_for_node(self, node_str: str, output_name: str = "result") -> Any:
        """The value that a step gave; of a dynamic output, or of a mapped step, a dict by mapping key.

        Args:
            node_str: The step's key: names from the job's graph inwards, joined by `.`; of an asset its op's name.
            output_name: The output.

        Raises:
            UserCodeError: It gave none, for example since it failed or was skipped.
        """
        found: dict[str | None, Any] = {}
        for (step, output, mapping_key), value in self._values.items():
            base, _, instance = step.partition("[")
            if output == output_name and (step == node_str or base == node_str):
                found[mapping_key if not instance or step == node_str else instance.removesuffix("]")] = value
        if not found:
            given = ", ".join(sorted({f"{step}.{output}" for step, output, _ in self._values})) or "none"
            raise UserCodeError(f"Step {node_str!r} gave no value for its output {output_name!r}; given were: {given}.")
        return found.get(None, found)

    def output_value(self, output_name: str = "result") -> Any:
        """The value of an output of the job's graph.

        Raises:
            UserCodeError: The graph has no such output, or it was not given.
        """
        graph = self.job_def.graph
        path: list[str] = []
        while graph is not None:
            mapped = graph.output_mappings.get(output_name)
            if mapped is None:
                known = ", ".join(graph.output_mappings) or "none"
                raise UserCodeError(f"{self.job_def!r} has no output {output_name!r}; its outputs are: {known}.")
            path.append(mapped.node)
            output_name = mapped.output
            inner = graph.nodes[mapped.node].definition
            graph = inner if isinstance(inner, GraphDefinition) else None
        if not path:
            raise UserCodeError(f"{self.job_def!r} makes assets; use asset_value.")
        return self.output_for_node(".".join(path), output_name)

    def asset_value(self, asset_key: CoercibleToAssetKey) -> Any:
        """The value of an asset that the run made.

        Raises:
            UserCodeError: The run made no such asset, or made it without a value.
        """
        key = AssetKey.from_coercible(asset_key).to_user_string()
        if key not in self._makers:
            raise UserCodeError(f"The run did not make the asset {key}; it was to make: {', '.join(self._makers)}.")
        return self.output_for_node(*self._makers[key])

    def __repr__(self) -> str:
        return f"ExecuteInProcessResult(run_id={self.run_id!r}, success={self.success})"


def _belongs(step_key: str | None, node: str) -> bool:
    return step_key is not None and (step_key == node or step_key.startswith((f"{node}.", f"{node}[")))


def _facts(events: Sequence[Event], kind: type[F]) -> list[F]:
    return [event.fact for event in events if isinstance(event.fact, kind)]
