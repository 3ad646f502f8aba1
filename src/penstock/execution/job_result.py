"""The outcome of `execute_job`: its values are loaded from where the IO managers of the run stored them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from typing import Any, Self

from ..definitions.ops.ports import In
from ..engine.step_messages import OutputRef
from ..errors import UsageError
from ..plan.model import FromAsset, FromOutput, InputSource, Step, StepInput, StepOutput
from ..plan.selection import base_step_key
from ..records.event import Event, HandledOutput
from ..records.run import Run
from .attempt import Attempt
from .inputs import load_input
from .prepared import InputSlot
from .resources import OpenResources
from .result import ExecutionResult
from .scope import RunScope

__all__ = ["JobExecutionResult"]


class JobExecutionResult(ExecutionResult):
    """The outcome of `execute_job`.

    Values are loaded inside `with result:`, at whose end the resources that this needs are torn down.

    Args:
        run: The run as it ended.
        events: Its events in order.
        scope: The run as its steps saw it.
    """

    def __init__(self, *, run: Run, events: Sequence[Event], scope: RunScope) -> None:
        super().__init__(run=run, job_def=scope.job, events=events)
        self._scope = scope
        self._stack = ExitStack()
        self._opened: OpenResources | None = None
        self._stored = [
            (event.step_key, event.fact.output, event.fact.mapping_key)
            for event in events
            if isinstance(event.fact, HandledOutput) and event.step_key is not None
        ]

    def __enter__(self) -> Self:
        scope = self._scope
        managers = {
            output.io_manager_key
            for step in scope.plan.steps.values()
            for output in step.outputs
            if not output.definition.is_nothing
        }
        self._opened = self._stack.enter_context(scope.open_resources(managers, lambda _: None))
        return self

    def __exit__(self, *failure: object) -> None:
        self._opened = None
        self._stack.close()

    def _given(self) -> Collection[tuple[str, str, str | None]]:
        return self._stored

    def _value(self, key: tuple[str, str, str | None]) -> Any:
        if self._opened is None:
            raise UsageError(
                "The values of this run are where its IO managers stored them; load them inside a with block: "
                "`with execute_job(...) as result:`."
            )
        scope, (step_key, name, mapping_key) = self._scope, key
        step = scope.plan.steps[base_step_key(step_key)]
        output = next(each for each in step.outputs if each.name == name)
        given = StepInput(name=name, source=_source(step, output), definition=In())
        attempt = Attempt(
            op=step.op,
            run=scope.run,
            key=step_key,
            record=lambda _: None,
            now=scope.environment.clock.now,
            opened=self._opened,
            inputs={},
            outputs={},
            partitions=step.partitions,
            dynamic=scope.dynamic,
            job=scope.job,
            instance=scope.environment.instance,
            artifacts=scope.environment.artifacts,
            tags=step.tags,
        )
        return load_input(
            attempt, InputSlot(given, None), (OutputRef(step_key, name, mapping_key),), scope.plan, scope.config
        )


def _source(step: Step, output: StepOutput) -> InputSource:
    made_by = FromOutput(step.key, output.name)
    if output.asset_key is None:
        return made_by
    return FromAsset(
        asset_key=output.asset_key,
        io_manager_key=output.io_manager_key,
        made_by=made_by,
        partitions=step.partitions,
        metadata=output.metadata,
    )
