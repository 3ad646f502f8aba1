"""Which sensors an event of the log is news for: an index of what each of them watches."""

from __future__ import annotations

from collections.abc import Iterable

from ..records.automation import InstigatorKind, instigator_id
from ..records.event import AssetMaterialization, Event
from ..records.location import RunsWatched, SensorDescription

__all__ = ["AUTOMATION", "AUTOMATION_KIND", "MADE", "Watched"]

AUTOMATION_KIND = "AUTOMATION"
"""The kind of the sensors that evaluate automation conditions."""

MADE = "ASSET_MATERIALIZATION"
"""The type of the events of which sensors on assets are told."""

AUTOMATION = (
    "ASSET_MATERIALIZATION_PLANNED",
    MADE,
    "ASSET_OBSERVATION",
    "ASSET_CHECK_EVALUATION_PLANNED",
    "ASSET_CHECK_EVALUATION",
    "ASSET_WIPED",
    "RUN_SUCCESS",
    "RUN_FAILURE",
    "RUN_CANCELED",
)
"""The types of the events that automation conditions look at."""

_Runs = tuple[str, str | None, str | None]
"""Event type, code location and job; None stands for all."""


class Watched:
    """What some sensors watch, given as (code location, description)."""

    def __init__(self, sensors: Iterable[tuple[str, SensorDescription]]) -> None:
        self.assets: dict[str, tuple[str, ...]] = {}
        """The ids of the sensors that watch each asset."""
        self.of_type: dict[str, tuple[str, ...]] = {}
        """And of those that watch runs, by the type of their events."""
        self.automations: tuple[str, ...] = ()
        """And of those that evaluate automation conditions: every event of their types is news for them."""
        self._runs: dict[_Runs, tuple[str, ...]] = {}
        self.ids: set[str] = set()
        """The ids of all that watch anything."""
        for location, sensor in sensors:
            key = instigator_id(location, InstigatorKind.SENSOR, sensor.name)
            if sensor.kind in {"ASSET", "MULTI_ASSET"}:
                for asset in sensor.assets:
                    self.assets[asset] = (*self.assets.get(asset, ()), key)
                    self.ids.add(key)
            if sensor.kind == AUTOMATION_KIND:
                self.automations += (key,)
                self.ids.add(key)
            if sensor.event_type is not None:
                self.of_type[sensor.event_type] = (*self.of_type.get(sensor.event_type, ()), key)
                for runs in sensor.runs:
                    place = _place(sensor.event_type, location, runs)
                    self._runs[place] = (*self._runs.get(place, ()), key)
                self.ids.add(key)

    @property
    def types(self) -> tuple[str, ...]:
        """The types of events to read."""
        of_assets = (MADE,) if self.assets else ()
        return tuple(dict.fromkeys((*self.of_type, *of_assets, *(AUTOMATION if self.automations else ()))))

    def of_asset(self, event: Event) -> tuple[str, ...]:
        """The sensors that watch what was materialized."""
        return self.assets.get(event.fact.asset, ()) if isinstance(event.fact, AssetMaterialization) else ()

    def of_run(self, event_type: str, location: str, job: str) -> set[str]:
        """The sensors that watch events of this type of runs of this job."""
        places = ((event_type, None, None), (event_type, location, None), (event_type, location, job))
        return {key for place in places for key in self._runs.get(place, ())}


def _place(event_type: str, own: str, runs: RunsWatched) -> _Runs:
    return (event_type, None if runs.anywhere else runs.location or own, runs.job)
