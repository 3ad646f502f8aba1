"""Sensors that evaluate the automation conditions of assets, checks and jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from ...errors import DefinitionError, NotFoundError, UsageError
from ...records.conditions.condition import AutomationCondition, checked
from ...records.conditions.entity import check_id
from ...records.metadata import Metadata, normalize_metadata
from ..assets.graph import AssetGraph
from ..assets.selection import AssetSelection, CoercibleToAssetSelection
from ..names import check_name, normalize_tags
from ..seconds import check_seconds
from ..source import Source, source_of_call
from .run_request import Requested
from .sensor import SensorDefinition
from .target import DefaultSensorStatus, Target

__all__ = [
    "DEFAULT_AUTOMATION_SENSOR",
    "AutomationConditionSensorDefinition",
    "automation_targets",
    "default_automation_sensor",
]

DEFAULT_AUTOMATION_SENSOR = "default_automation_condition_sensor"
"""The sensor that evaluates those conditions that no other sensor does."""


class AutomationConditionSensorDefinition(SensorDefinition):
    """A sensor that evaluates the automation conditions of a selection of assets and checks, and requests runs.

    A code location with conditions that none of its sensors evaluates has one for them that is called
    `default_automation_condition_sensor`.

    Args:
        name: Its name.
        target: The assets and checks whose conditions it evaluates: a selection, its text, or keys or definitions.
        tags: Its tags.
        run_tags: Tags of the runs that it requests.
        default_status: Whether it is on until somebody turns it.
        minimum_interval_seconds: The least time between two evaluations; 30 seconds if not given.
        description: What it is for.
        metadata: Facts about it.
        emit_backfills: Ask for one backfill where several partitions of an asset are to be made, instead of single
            runs.
        default_condition: The condition of those targeted assets that have none.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "AUTOMATION"

    def __init__(
        self,
        name: str,
        *,
        target: CoercibleToAssetSelection,
        tags: Mapping[str, Any] | None = None,
        run_tags: Mapping[str, Any] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        emit_backfills: bool = True,
        default_condition: AutomationCondition | None = None,
    ) -> None:
        self.source: Source | None = source_of_call()
        self.name = check_name(name, "a sensor")
        self.what = f'Sensor "{self.name}"'
        self.target = Target((), ())
        self.selection = AssetSelection.from_coercible(target)
        self.tags = normalize_tags(tags, self.what)
        self.run_tags = normalize_tags(run_tags, self.what)
        self.default_status = DefaultSensorStatus(default_status)
        interval = check_seconds(minimum_interval_seconds, "minimum_interval_seconds", self.what, self.source)
        self.minimum_interval_seconds = self._interval if interval is None else interval
        self.timeout_seconds = None
        self.description = description
        self.metadata: Metadata = normalize_metadata(metadata)
        self.emit_backfills = emit_backfills
        self.default_condition = (
            None if default_condition is None else checked(default_condition, f"{self.what}: default_condition")
        )
        self.required_resource_keys: frozenset[str] = frozenset()
        self.owners: tuple[str, ...] = ()

    def evaluate(self, context: Any, resources: Mapping[str, Any]) -> Requested:
        """Refused: it has no function; `evaluate_automation_conditions` evaluates conditions in tests."""
        raise UsageError(
            f"{self.what} evaluates automation conditions and has no function to call; in a test, use "
            "evaluate_automation_conditions."
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refused, as `evaluate` is."""
        return self.evaluate(None, {})


def default_automation_sensor() -> AutomationConditionSensorDefinition:
    """The sensor of the conditions that no other sensor evaluates."""
    made = AutomationConditionSensorDefinition(
        DEFAULT_AUTOMATION_SENSOR,
        target=AssetSelection.all(),
        description="Evaluates the automation conditions that no other sensor evaluates.",
    )
    made.source = None
    return made


def automation_targets(
    sensors: Iterable[SensorDefinition], graph: AssetGraph, conditions: dict[str, AutomationCondition]
) -> dict[str, frozenset[str]]:
    """The ids of what each sensor evaluates, by the sensor's name, the default sensor included where it is needed.

    Args:
        sensors: All sensors.
        graph: The assets and checks.
        conditions: The conditions that there are, by entity id; the default conditions of sensors are added.

    Raises:
        DefinitionError: A selection names what there is not, or two sensors evaluate the same condition.
    """
    owner: dict[str, AutomationConditionSensorDefinition] = {}
    found: dict[str, frozenset[str]] = {}
    for sensor in sensors:
        if not isinstance(sensor, AutomationConditionSensorDefinition):
            continue
        try:
            selected = {key for key in sensor.selection.keys_in(graph) if graph.assets[key].definition is not None}
            checks = {check_id(key) for key in sensor.selection.resolve_checks(graph)}
        except NotFoundError as error:
            raise DefinitionError(f"{sensor.what} ({sensor.source}): {error}") from error
        if sensor.default_condition is not None:
            for key in selected:
                conditions.setdefault(key, sensor.default_condition)
        own = frozenset(key for key in selected | checks if key in conditions)
        for key in sorted(own):
            if key in owner:
                raise DefinitionError(
                    f"{sensor.what} ({sensor.source}) and {owner[key].what} ({owner[key].source}) both evaluate the "
                    f"condition of {key}; take it out of one of their targets."
                )
            owner[key] = sensor
        found[sensor.name] = own
    rest = frozenset(key for key in conditions if key not in owner)
    if rest:
        found[DEFAULT_AUTOMATION_SENSOR] = found.get(DEFAULT_AUTOMATION_SENSOR, frozenset()) | rest
    return found
