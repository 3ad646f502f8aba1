"""Assets with automation conditions, evaluated as the code server does, over a storage in which much happens between
two of its calls."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock import (
    AssetSpec,
    AutomationCondition,
    AutomationConditionSensorDefinition,
    DefaultSensorStatus,
    Definitions,
    StaticPartitionsDefinition,
    asset,
)
from penstock.definitions.describe import describe
from penstock.execution.automation import evaluate_automation_sensor
from penstock.plan.automation import prepared_graph
from penstock.records.location import LocationDescription
from penstock.records.wire import EvaluateSensor, Evaluation
from penstock.storage.protocols import Storage
from simulation.virtual import Simulation

__all__ = [
    "CONDITIONS",
    "DEPS",
    "EACH",
    "EAGER",
    "LETTERS",
    "MISSING",
    "ON_CRON",
    "SOURCES",
    "conditioned",
    "evaluated",
]

CONDITIONS = "conditions"
"""The sensor that evaluates them."""

SOURCES = ("raw", "rates")
"""Made by something else."""

DEPS = {
    "clean": ("raw",),
    "joined": ("clean", "stamped"),
    "priced": ("joined", "rates"),
    "letters": ("raw",),
    "stamped": (),
    "summed": ("raw",),
}
LETTERS = ("a", "b", "c")
EACH = {"stamped": 300, "summed": 600}
"""The assets with `on_cron`, and how many seconds there are between two of its times."""

EAGER, ON_CRON, MISSING = ("clean", "joined", "priced"), tuple(EACH), ("letters",)


def _definitions() -> Definitions:
    def made(key: str, condition: AutomationCondition, **more: Any) -> Any:
        return asset(name=key, deps=DEPS[key], automation_condition=condition, **more)(lambda: None)

    on_cron = {key: AutomationCondition.on_cron(f"*/{seconds // 60} * * * *") for key, seconds in EACH.items()}
    return Definitions(
        assets=[
            *map(AssetSpec, SOURCES),
            *(made(key, AutomationCondition.eager()) for key in EAGER),
            *(made(key, condition) for key, condition in on_cron.items()),
            *(
                made(key, AutomationCondition.on_missing(), partitions_def=StaticPartitionsDefinition(LETTERS))
                for key in MISSING
            ),
        ],
        sensors=[
            AutomationConditionSensorDefinition(
                CONDITIONS, target="*", default_status=DefaultSensorStatus.RUNNING, minimum_interval_seconds=10
            )
        ],
    )


_DEFINITIONS = _definitions()
_SENSOR = _DEFINITIONS.get_sensor_def(CONDITIONS)
_GRAPH = prepared_graph(_DEFINITIONS.resolved)


def conditioned(location: LocationDescription) -> LocationDescription:
    """The location with these assets and their sensor beside what it has."""
    own = describe(_DEFINITIONS, location.name)
    return msgspec.structs.replace(
        own,
        jobs=(*location.jobs, *own.jobs),
        schedules=location.schedules,
        sensors=(*location.sensors, *own.sensors),
        assets=(*own.assets, *location.assets),
    )


def evaluated(simulation: Simulation, storage: Storage, work: EvaluateSensor) -> Evaluation:
    """What the sensor's tick comes to."""
    assert isinstance(_SENSOR, AutomationConditionSensorDefinition)
    tick = evaluate_automation_sensor(
        _SENSOR, _DEFINITIONS.resolved, _GRAPH, storage=storage, cursor=work.cursor, now=simulation.now()
    )
    return Evaluation(
        run_requests=tick.run_requests,
        backfill=tick.backfill,
        skip_reason=None if tick.run_requests or tick.backfill else "nothing is requested",
        cursor=tick.cursor,
        evaluations=tick.evaluations,
        until=tick.until,
    )
