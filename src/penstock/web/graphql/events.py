"""Events of a run's log; each kind of fact is one GraphQL type, those without data of their own are engine events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ...records.errors import ErrorInfo
from ...records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    EngineNote,
    Fact,
    HandledOutput,
    LoadedInput,
    LogLine,
    LogsCaptured,
    ResourceInitSuccess,
    RunFailure,
    StepFailure,
    StepInput,
    StepOutput,
    StepUpForRetry,
    StoredEvent,
)
from ...records.metadata import FloatMetadataValue, Metadata
from ...records.phrases import level_of, phrase
from ...records.run import StepStats
from .context import Context
from .failures import Result
from .fields import Fields
from .find import run_of_id
from .keys import Pair, pairs
from .metadata import Entry, entries
from .pages import page_size

__all__ = ["TABLES", "EventConnection", "events_page", "type_of_event"]

_TYPES: Mapping[type[Fact], str] = {
    AssetCheckEvaluation: "AssetCheckEvaluationEvent",
    AssetMaterialization: "MaterializationEvent",
    AssetMaterializationPlanned: "AssetMaterializationPlannedEvent",
    AssetObservation: "ObservationEvent",
    HandledOutput: "HandledOutputEvent",
    LoadedInput: "LoadedInputEvent",
    LogLine: "LogMessageEvent",
    LogsCaptured: "LogsCapturedEvent",
    RunFailure: "RunFailureEvent",
    StepFailure: "ExecutionStepFailureEvent",
    StepOutput: "ExecutionStepOutputEvent",
    StepUpForRetry: "ExecutionStepUpForRetryEvent",
}
_SCANNED = 5000  # events looked at for one filtered page; the cursor says where to go on

_QUERY = Fields("Query", source=type(None))
_ALL = Fields("EngineEvent", *_TYPES.values(), source=StoredEvent)
_EVALUATION = Fields("AssetCheckEvaluation", source=AssetCheckEvaluation)


class EventConnection(Result, frozen=True, kw_only=True):
    """A page of a run's log; `cursor` is the id of the last event looked at."""

    events: tuple[StoredEvent, ...]
    cursor: str
    has_more: bool


def type_of_event(event: StoredEvent) -> str:
    """The name of the GraphQL type of an event."""
    return _TYPES.get(type(event.event.fact), "EngineEvent")


def events_page(
    context: Context,
    run_id: str,
    cursor: str | None,
    limit: int | None,
    *,
    step_keys: Sequence[str] | None = None,
    types: Sequence[str] | None = None,
    levels: Sequence[str] | None = None,
    text: str | None = None,
) -> EventConnection:
    """Events after the cursor that pass the filters, in order."""
    size = page_size(limit, 1000)
    after = int(cursor) if cursor and cursor.isdecimal() else 0
    wanted = text.casefold() if text else None
    found: list[StoredEvent] = []
    scanned = 0
    more = True
    while len(found) < size and scanned < _SCANNED:
        batch = context.storage.events.of_run(
            run_id, after=after, limit=size + 1, types=types or None, step_keys=step_keys or None
        )
        more = len(batch) > size
        for stored in batch[:size]:
            if len(found) == size:
                more = True
                break
            after = stored.id
            scanned += 1
            if levels and level_of(stored.event) not in levels:
                continue
            if wanted and not _mentions(stored, wanted):
                continue
            found.append(stored)
        if not more:
            break
    return EventConnection(events=tuple(found), cursor=str(after), has_more=more)


def _mentions(stored: StoredEvent, wanted: str) -> bool:
    event = stored.event
    if wanted in phrase(event).casefold() or wanted in (event.step_key or "").casefold():
        return True
    error: ErrorInfo | None = getattr(event.fact, "error", None)
    return error is not None and wanted in error.render().casefold()


@_QUERY.field
def logs_for_run(
    _source: None,
    context: Context,
    run_id: str,
    after_cursor: str | None = None,
    limit: int | None = None,
    step_keys: list[str] | None = None,
    types: list[str] | None = None,
    levels: list[str] | None = None,
    text: str | None = None,
) -> EventConnection:
    run_of_id(context, run_id)
    return events_page(context, run_id, after_cursor, limit, step_keys=step_keys, types=types, levels=levels, text=text)


# -- what all events have ----------------------------------------------------------------------------------------------

_ALL.rename(step_key="event.step_key")


@_ALL.field
def event_id(stored: StoredEvent, _: Context) -> str:
    return str(stored.id)


@_ALL.field
def run_id(stored: StoredEvent, _: Context) -> str:
    return stored.run_id or ""


@_ALL.field
def message(stored: StoredEvent, _: Context) -> str:
    return phrase(stored.event)


@_ALL.field
def timestamp(stored: StoredEvent, _: Context) -> str:
    return str(int(stored.event.time * 1000))


@_ALL.field
def level(stored: StoredEvent, _: Context) -> str:
    return level_of(stored.event)


@_ALL.field
def event_type(stored: StoredEvent, _: Context) -> str | None:
    return None if type(stored.event.fact) is LogLine else stored.event.type


# -- what some have ----------------------------------------------------------------------------------------------------

_ENGINE = Fields("EngineEvent", source=StoredEvent)
_TOLD = Fields(
    *(
        _TYPES[fact]
        for fact in (StepFailure, StepOutput, HandledOutput, LoadedInput, AssetMaterialization, AssetObservation)
    ),
    source=StoredEvent,
)
_OF_ASSETS = Fields(_TYPES[AssetMaterialization], _TYPES[AssetObservation], source=StoredEvent)


def _own(fact: type[Fact], **attributes: str) -> Fields[StoredEvent]:
    """The fields that are plain attributes of one kind of fact."""
    fields = Fields(_TYPES[fact], source=StoredEvent)
    fields.rename(**{name: f"event.fact.{attribute}" for name, attribute in attributes.items()})
    return fields


_MADE = _own(AssetMaterialization, asset_key="asset", partition="partition", description="description")
_CAPTURED = _own(LogsCaptured, log_key="log_key", step_keys="steps")
_EVALUATED = Fields(_TYPES[AssetCheckEvaluation], source=StoredEvent)
_EVALUATED.rename(evaluation="event.fact")
_EVALUATION.rename(check_name="check", asset_key="asset", success="passed")

TABLES = (
    _QUERY,
    _ALL,
    _ENGINE,
    _TOLD,
    _OF_ASSETS,
    _CAPTURED,
    _EVALUATED,
    _EVALUATION,
    _own(LogLine, logger="logger", error="error"),
    _own(RunFailure, error="error", failed_step_keys="failed_steps", reason="reason"),
    _own(StepFailure, error="error", error_source="source"),
    _own(StepUpForRetry, error="error", seconds_to_wait="wait"),
    _own(StepOutput, output_name="output", mapping_key="mapping_key"),
    _own(HandledOutput, output_name="output", manager_key="io_manager"),
    _own(
        LoadedInput,
        input_name="input",
        manager_key="io_manager",
        upstream_step_key="upstream_step",
        upstream_output_name="upstream_output",
    ),
    _MADE,
    _own(AssetObservation, asset_key="asset", partition="partition", description="description"),
    _own(AssetMaterializationPlanned, asset_key="asset", partition="partition"),
)


@_MADE.field
def step_stats(stored: StoredEvent, context: Context) -> StepStats | None:
    if stored.run_id is None:
        return None
    steps = context.steps.get(stored.run_id) or []
    return next((step for step in steps if step.step_key == stored.event.step_key), None)


@_ENGINE.named("metadataEntries")
def engine_metadata(stored: StoredEvent, _: Context) -> list[Entry]:
    match stored.event.fact:
        case EngineNote(metadata=metadata) | StepInput(metadata=metadata):
            return entries(metadata)
        case ResourceInitSuccess(seconds=seconds):
            return [Entry(f"{resource} (seconds)", FloatMetadataValue(took)) for resource, took in seconds.items()]
    return []


@_ENGINE.field
def error(stored: StoredEvent, _: Context) -> ErrorInfo | None:
    found: ErrorInfo | None = getattr(stored.event.fact, "error", None)
    return found


@_TOLD.field
def metadata_entries(stored: StoredEvent, _: Context) -> list[Entry]:
    return entries(_metadata_of(stored.event.fact))


@_OF_ASSETS.field
def tags(stored: StoredEvent, _: Context) -> Iterable[Pair]:
    return pairs(_made_or_seen(stored.event.fact).tags)


@_CAPTURED.field
def file_key(stored: StoredEvent, _: Context) -> str:
    fact = stored.event.fact
    assert isinstance(fact, LogsCaptured)
    return fact.log_key[-1]


@_EVALUATION.named("metadataEntries")
def evaluation_metadata(evaluation: AssetCheckEvaluation, _: Context) -> list[Entry]:
    return entries(evaluation.metadata)


def _metadata_of(fact: Fact) -> Metadata:
    metadata: Metadata = fact.metadata  # type: ignore[union-attr]  # the table above names the kinds that have it
    return metadata


def _made_or_seen(fact: Fact) -> AssetMaterialization | AssetObservation:
    assert isinstance(fact, AssetMaterialization | AssetObservation)
    return fact
