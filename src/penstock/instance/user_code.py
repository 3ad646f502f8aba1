"""User code as the processes of a code server hold it: loaded once, then evaluated or executed in forks.

The storage is opened in the fork alone; what opening needs (the settings) was read before.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from ..definitions.definitions import Definitions
from ..definitions.describe import describe
from ..definitions.load import load_definitions
from ..engine.automation.graph import AutomationGraph
from ..errors import InternalError
from ..execution.environment import Environment
from ..execution.evaluate import check_run_config, evaluate_partitions, evaluate_schedule, evaluate_sensor
from ..execution.step_order import Elsewhere, LocationSource
from ..execution.worker import execute_run
from ..locations.user_code import LoadCode
from ..plan.automation import prepared_graph
from ..records.location import LocationDescription
from ..records.wire import (
    Answer,
    Asked,
    CheckRunConfig,
    EvaluatePartitions,
    EvaluateSchedule,
    EvaluateSensor,
    Evaluation,
    ExecuteRun,
    StorageAccess,
)
from .instance import Instance
from .reference import InstanceRef

__all__ = ["LoadedCode"]


class LoadedCode:
    """One load of user code."""

    def __init__(self) -> None:
        self._definitions: Definitions | None = None
        self._instance: InstanceRef | None = None
        self._automation: AutomationGraph | None = None
        self._location: str | None = None
        self._source: LocationSource | None = None

    def load(self, order: LoadCode, progress: Callable[[str], None]) -> LocationDescription:
        """Import the user's code and describe it."""
        self._location = order.name
        self._instance = InstanceRef.decode(order.environment)
        self._instance.import_components()
        self._source = LocationSource(target=order.target)
        self._definitions = load_definitions(order.target, progress=progress)
        progress("describing the definitions")
        description = describe(self._definitions, order.name)
        if self._definitions.resolved.conditions:
            progress("relating the automation conditions")
            self._automation = prepared_graph(self._definitions.resolved)
        return description

    def evaluate(self, work: Asked, storage: StorageAccess | None, tell: Callable[[Evaluation], None]) -> Answer:
        """Evaluate a schedule or sensor, check a run config, or give that of partitions."""
        definitions, reference = self._loaded()
        match work:
            case CheckRunConfig():
                return check_run_config(definitions, work)
            case EvaluatePartitions():
                return evaluate_partitions(definitions, work)
            case EvaluateSchedule():
                with reference.through(storage).open() as instance:
                    return evaluate_schedule(definitions, work, instance, tell)
            case EvaluateSensor():
                with reference.through(storage).open() as instance:
                    return evaluate_sensor(definitions, work, instance, self._location, self._automation, tell)

    def execute_run(self, work: ExecuteRun, channel: socket.socket, storage: StorageAccess | None) -> int:
        """Be the run's worker; gives the exit code."""
        definitions, reference = self._loaded()
        with reference.through(storage).open() as instance:
            environment = Environment(
                storage=instance.storage,
                logs=instance.logs,
                artifacts=instance.artifacts,
                clock=instance.clock,
                instance=instance,
                python_logs=instance.python_logs,
                pools=instance.pool_rules,
                elsewhere=self._elsewhere(instance),
            )
            return execute_run(definitions, work.run, environment, channel)

    def _elsewhere(self, instance: Instance) -> Elsewhere | None:
        """How another process comes to what this one works with."""
        where = instance.reference
        return None if self._source is None or where is None else Elsewhere(code=self._source, instance=where)

    def _loaded(self) -> tuple[Definitions, InstanceRef]:
        if self._definitions is None or self._instance is None:
            raise InternalError("No user code is loaded.")
        return self._definitions, self._instance
