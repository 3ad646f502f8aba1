"""One tick of the sensors that react to events: every event since their cursor, once, in order.

The cursor is the place in the event log up to which they have looked. A tick takes a bounded number of events and of
seconds, and says when there is more, so that it is evaluated again at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from ..definitions.automation.asset_sensor import AssetSensorDefinition, MultiAssetSensorDefinition
from ..definitions.automation.run_request import AT_MOST, Requested, join_outcomes
from ..definitions.automation.run_status_sensor import RunFailureSensorDefinition, RunStatusSensorDefinition
from ..errors import DefinitionError, UsageError
from ..records.asset import AssetEvent
from ..records.event import StoredEvent
from ..records.run import Run
from ..storage.protocols import RunFilter, Storage
from .event_log import read_records
from .multi_asset_context import MultiAssetSensorEvaluationContext
from .run_status_context import RunStatusSensorContext
from .sensor_context import SensorEvaluationContext

__all__ = ["look_at_assets", "react_to_asset", "react_to_runs"]

_E = TypeVar("_E", StoredEvent, AssetEvent)

_PAGE = 100
_MOST_READ = 2000
_MOST_SECONDS = 20.0


def react_to_runs(sensor: RunStatusSensorDefinition, context: SensorEvaluationContext) -> Requested:
    """Call the sensor's function for each run that has reached the state since the cursor.

    Without a cursor it begins where the sensor was turned on, or now if that is not known. What the function raises for
    a run ends the tick with that error, and the run is passed over.
    """
    storage: Storage = context.instance.storage
    newest = storage.events.last_id()
    begins = None
    place = 0
    if context.cursor is not None:
        place = _place(context.cursor, sensor.what)
    else:
        begins = context.last_sensor_start_time
        if begins is None:
            return Requested(skip_reason="Watching runs from now on.", cursor=str(newest))

    def page(after: int) -> list[StoredEvent]:
        return storage.events.of_types([sensor.event_type], after=after, before=newest + 1, since=begins, limit=_PAGE)

    def react(event: StoredEvent, run: Run) -> Requested:
        one = RunStatusSensorContext(
            sensor_name=sensor.name, run=run, event=event.event, evaluation=context, **context.shared()
        )
        given = one.for_run_failure() if isinstance(sensor, RunFailureSensorDefinition) else one
        return _without_cursor(sensor.read([given], resources), sensor.what)

    resources = context.resources.original_resource_dict
    outcomes: list[Requested] = []
    reading = _Reading(context)
    for event, run in _with_runs(storage, reading.pages(page, place)):
        if sensor.monitored.holds(run, context.location):
            try:
                outcomes.append(react(event, run))
            except Exception as error:  # noqa: BLE001 - the tick tells it
                context.log.error("The function raised for the run %s.", run.run_id)
                return _joined(outcomes, cursor=event.id, acted=True, more=True, error=error)
            reading.acted(outcomes[-1])
            _hand_over(context, outcomes[-1], event.id)
        reading.place = event.id
        if reading.is_enough():
            return _joined(outcomes, cursor=event.id, acted=bool(outcomes), more=True)
    end = reading.place if reading.more else newest
    return _joined(
        outcomes,
        cursor=max(end, place),
        acted=bool(outcomes),
        more=reading.more,
        skip="No run has reached the state." if not outcomes and not reading.more else None,
    )


def react_to_asset(sensor: AssetSensorDefinition, context: SensorEvaluationContext) -> Requested:
    """Call the sensor's function for each materialization of its asset since the cursor.

    Without a cursor it begins with the newest one. What the function raises ends the tick with that error; the
    materialization is the first one of the next tick.
    """
    storage: Storage = context.instance.storage
    asset = sensor.asset_key.to_user_string()
    made = ("ASSET_MATERIALIZATION",)
    newest = storage.events.last_id()
    if context.cursor is None:
        pages: Iterable[list[AssetEvent]] = [storage.assets.history(asset, types=made, before=newest + 1, limit=1)]
        place = None
    else:
        place = _place(context.cursor, sensor.what)
    reading = _Reading(context)
    if place is not None:
        pages = reading.pages(
            lambda after: storage.assets.history(asset, types=made, after=after, ascending=True, limit=_PAGE), place
        )
    resources = context.resources.original_resource_dict
    outcomes: list[Requested] = []
    for page in pages:
        for record in read_records(storage, page):
            try:
                one = sensor.read([context, record.event_log_entry], resources)
            except Exception as error:
                if not outcomes:
                    raise
                return _joined(outcomes, cursor=reading.place, acted=True, more=False, error=error)
            outcomes.append(_without_cursor(one, sensor.what))
            reading.place = record.storage_id
            context.update_cursor(str(record.storage_id))
            reading.acted(outcomes[-1])
            _hand_over(context, outcomes[-1], record.storage_id)
            if reading.is_enough():
                return _joined(outcomes, cursor=record.storage_id, acted=True, more=True)
    if outcomes:
        return _joined(outcomes, cursor=reading.place, acted=False, more=False)
    start = newest if place is None else place
    return Requested(skip_reason=f"Nothing new was made of {asset}.", cursor=str(start))


def look_at_assets(sensor: MultiAssetSensorDefinition, context: SensorEvaluationContext) -> Requested:
    """Call a multi-asset sensor's function.

    Raises:
        UsageError: The context is that of another kind of sensor.
        DefinitionError: The function asks for runs and does not say what it has seen, or sets a cursor of its own.
    """
    if not isinstance(context, MultiAssetSensorEvaluationContext):
        raise UsageError(f"{sensor.what} takes a context that build_multi_asset_sensor_context has made.")
    requested = _without_cursor(sensor.read([context], context.resources.original_resource_dict), sensor.what)
    if requested.run_requests and not context.cursor_advanced:
        raise DefinitionError(
            f"{sensor.what} ({sensor.source}) asks for runs and does not say what it has seen, so it would ask again; "
            "call context.advance_cursor(...) or context.advance_all_cursors()."
        )
    return requested


class _Reading:
    """How much of the log a tick has read, and whether that is enough for one tick."""

    def __init__(self, context: SensorEvaluationContext) -> None:
        self._monotonic = context.clock.monotonic
        longest = _MOST_SECONDS if context.limit is None else min(_MOST_SECONDS, context.limit / 2)
        self._until = self._monotonic() + longest
        self._acted = 0
        self._asked = 0
        self.place = 0
        self.more = False

    def pages(self, page: Callable[[int], list[_E]], place: int) -> Iterator[list[_E]]:
        """Pages of events from a place on, until there are no more or it is enough."""
        read = 0
        self.place = place
        while found := page(place):
            yield found
            place = found[-1].id
            read += len(found)
            if read >= _MOST_READ:
                self.more = True
                return

    def acted(self, outcome: Requested) -> None:
        """Count an event that the sensor's function was called for, and what came of it."""
        self._acted += 1
        self._asked += len(outcome.run_requests) + len(outcome.asset_events)

    def is_enough(self) -> bool:
        """Whether the tick should end here, though there may be more."""
        return self._acted >= _PAGE or self._asked >= AT_MOST or self._monotonic() > self._until


def _hand_over(context: SensorEvaluationContext, outcome: Requested, place: int) -> None:
    """Say what has come of an event: should a later one bring the process to its end, this one has been seen."""
    if context.hand_over is not None:
        context.hand_over(_joined([outcome], cursor=place, acted=True, more=True))


def _with_runs(storage: Storage, pages: Iterable[list[StoredEvent]]) -> Iterator[tuple[StoredEvent, Run]]:
    """Each event with its run; those of runs that were deleted meanwhile are left out."""
    for page in pages:
        wanted = tuple({each.run_id for each in page if each.run_id is not None})
        runs = {run.run_id: run for run in storage.runs.page(RunFilter(run_ids=wanted), limit=len(wanted) or 1)}
        for event in page:
            run = runs.get(event.run_id or "")
            if run is not None:
                yield event, run


def _place(cursor: str, what: str) -> int:
    try:
        return int(cursor)
    except ValueError as error:
        raise UsageError(
            f'{what} has the cursor "{cursor}", which is no place in the event log; clear it, and it begins anew.'
        ) from error


def _without_cursor(requested: Requested, what: str) -> Requested:
    if requested.cursor is not None:
        raise UsageError(f"{what} gave a cursor; its cursor is the place in the event log, so leave it out.")
    return requested


def _joined(
    outcomes: list[Requested],
    *,
    cursor: int,
    acted: bool,
    more: bool,
    error: Exception | None = None,
    skip: str | None = None,
) -> Requested:
    joined = join_outcomes(outcomes)
    return Requested(
        run_requests=joined.run_requests,
        skip_reason=joined.skip_reason or skip,
        cursor=str(cursor),
        dynamic_partitions_requests=joined.dynamic_partitions_requests,
        asset_events=joined.asset_events,
        acted=acted,
        more=more,
        error=error,
    )
