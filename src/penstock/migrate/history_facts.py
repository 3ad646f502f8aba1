"""One event of Dagster's log as a fact of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from ..codec import decode_json
from ..records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
    EngineNote,
    Fact,
    HandledOutput,
    HookCompleted,
    HookErrored,
    HookSkipped,
    LoadedInput,
    LogLine,
    ResourceInitFailure,
    ResourceInitStarted,
    ResourceInitSuccess,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunStarting,
    RunSuccess,
    StepFailure,
    StepInput,
    StepOutput,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
    StepWorkerStarting,
)
from ..records.run import FailureReason
from .history_values import Raw, Values, asset_of, chosen, error_of

__all__ = ["Entry", "FactReader", "read_entry"]


class _Inner(msgspec.Struct, frozen=True, kw_only=True):
    event_type_value: str
    event_specific_data: dict[str, Any] | None = None
    message: str | None = None
    pid: int | None = None
    step_key: str | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """A line of Dagster's log. Without `dagster_event` it is one that user code logged."""

    timestamp: float
    level: int = 20
    user_message: str = ""
    message: str = ""
    step_key: str | None = None
    error_info: dict[str, Any] | None = None
    dagster_event: _Inner | None = None

    @property
    def text(self) -> str:
        """What it says."""
        inner = self.dagster_event
        return (inner.message if inner is not None else None) or self.user_message or self.message


def read_entry(text: str) -> Entry:
    """The line whose JSON this is; raises `msgspec.MsgspecError` where it is none."""
    return decode_json(text, Entry)


_LEVELS = ((50, "CRITICAL"), (40, "ERROR"), (30, "WARNING"), (20, "INFO"))
_QUOTED = re.compile(r'hook "([^"]*)"')
_LISTED = re.compile(r"\[([^\]]*)\]")
_DURATION = re.compile(r"([\d.]+)\s*(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}

_AS_NOTES = frozenset({"ENGINE_EVENT", "LOGS_CAPTURED"})
"""Event types that are notes here; what steps printed is not carried over, so that its place is a note as well."""

_NUMBERS_OF_EVENTS = "dagster/input_event_pointer/"
"""Tags that begin so name events by their old numbers, which are others here."""


class FactReader:
    """Reads the facts of one run, or those that no run made, in their order.

    Args:
        values: Reads metadata.
        label: What a tag is called here.
        unknown: Is told each type of event that has no counterpart and becomes a note.
    """

    def __init__(self, values: Values, label: Callable[[str], str], unknown: Callable[[str], None]) -> None:
        self._values = values
        self._label = label
        self._unknown = unknown
        self._retries: dict[str | None, int] = {}
        self._failed: list[str] = []

    def fact(self, entry: Entry) -> Fact:
        """What the line says; what has no counterpart here becomes a note with its words.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: It does not hold what its type has to.
        """
        inner = entry.dagster_event
        if inner is None:
            level = next((name for least, name in _LEVELS if entry.level >= least), "DEBUG")
            return LogLine(level=level, message=entry.text, logger="dagster", error=error_of(entry.error_info))
        kind = inner.event_type_value
        read = _READERS.get(kind)
        fact = None if read is None else read(self, entry, inner, inner.event_specific_data or {})
        if fact is not None:
            return fact
        if read is None and kind not in _AS_NOTES:
            self._unknown(f"events of the type {kind}")
        data = inner.event_specific_data or {}
        return EngineNote(
            message=entry.text or kind,
            metadata=self._values.metadata(data.get("metadata_entries")),
            error=error_of(data.get("error") or entry.error_info),
        )

    def _tags(self, tags: Raw | None) -> dict[str, str]:
        return {
            self._label(key): value for key, value in (tags or {}).items() if not key.startswith(_NUMBERS_OF_EVENTS)
        }

    # -- the run ------------------------------------------------------------------------------------------------------

    def _run_failure(self, entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        reason = data.get("failure_reason")
        name = chosen(reason) if reason else "UNKNOWN"
        return RunFailure(
            reason=FailureReason(name) if name in FailureReason.__members__ else FailureReason.UNKNOWN,
            message=entry.text,
            error=error_of(data.get("error")),
            failed_steps=tuple(dict.fromkeys(self._failed)),
        )

    # -- steps --------------------------------------------------------------------------------------------------------

    def _resources_set_up(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        seconds: dict[str, float] = {}
        for each in data.get("metadata_entries") or ():
            name, _, what = each["label"].partition(":")
            seconds.setdefault(name, 0.0)
            if what == "init_time":
                parts = _DURATION.findall(each["entry_data"].get("text") or "")
                seconds[name] = sum(float(number) * _SECONDS[unit] for number, unit in parts)
        return ResourceInitSuccess(seconds=seconds)

    def _resource_failure(self, entry: Entry, _inner: _Inner, data: Raw) -> Fact | None:
        error = error_of(data.get("error"))
        return None if error is None else ResourceInitFailure(resource=", ".join(_listed(entry.text)), error=error)

    def _restarted(self, entry: Entry, _inner: _Inner, _data: Raw) -> Fact:
        return StepRestarted(retry=self._retries.get(entry.step_key, 0))

    def _up_for_retry(self, entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        retry = self._retries[entry.step_key] = self._retries.get(entry.step_key, 0) + 1
        error = error_of(data.get("error"))
        assert error is not None, "a retry without an error"
        return StepUpForRetry(error=error, retry=retry, wait=float(data.get("seconds_to_wait") or 0.0))

    def _loaded(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        return LoadedInput(
            input=data["input_name"],
            io_manager=data["manager_key"],
            upstream_step=data.get("upstream_step_key"),
            upstream_output=data.get("upstream_output_name"),
            metadata=self._values.metadata(data.get("metadata_entries")),
        )

    def _input(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        checked = (data.get("type_check_data") or {}).get("metadata_entries")
        return StepInput(input=data["input_name"], metadata=self._values.metadata(checked))

    def _output(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        handle = data["step_output_handle"]
        return StepOutput(
            output=handle["output_name"],
            mapping_key=handle.get("mapping_key"),
            metadata=self._values.metadata(data.get("metadata_entries") or data.get("metadata")),
        )

    def _handled(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        return HandledOutput(
            output=data["output_name"],
            io_manager=data["manager_key"],
            metadata=self._values.metadata(data.get("metadata_entries")),
        )

    def _step_failure(self, entry: Entry, _inner: _Inner, data: Raw) -> Fact | None:
        if entry.step_key is not None:
            self._failed.append(entry.step_key)
        error = error_of(data.get("error"))
        if error is None:
            return None
        source = chosen(data["error_source"]) if data.get("error_source") else "USER_CODE_ERROR"
        told = (data.get("user_failure_data") or {}).get("metadata_entries")
        return StepFailure(error=error, source=source, metadata=self._values.metadata(told))

    # -- assets -------------------------------------------------------------------------------------------------------

    def _planned(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        if data.get("partitions_subset") is not None:
            self._unknown("which partitions a run of several of them announced")
        return AssetMaterializationPlanned(asset=asset_of(data["asset_key"]), partition=data.get("partition"))

    def _materialized(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        made = data["materialization"]
        return AssetMaterialization(
            asset=asset_of(made["asset_key"]),
            partition=made.get("partition"),
            description=made.get("description"),
            metadata=self._values.metadata(made.get("metadata_entries") or made.get("metadata")),
            tags=self._tags(made.get("tags")),
        )

    def _observed(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        seen = data["asset_observation"]
        return AssetObservation(
            asset=asset_of(seen["asset_key"]),
            partition=seen.get("partition"),
            description=seen.get("description"),
            metadata=self._values.metadata(seen.get("metadata_entries") or seen.get("metadata")),
            tags=self._tags(seen.get("tags")),
        )

    def _wiped(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        keys = data.get("partition_keys")
        return AssetWiped(asset=asset_of(data["asset_key"]), partitions=None if keys is None else tuple(keys))

    def _check_planned(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        return AssetCheckEvaluationPlanned(
            asset=asset_of(data["asset_key"]), check=data["check_name"], partition=data.get("partition")
        )

    def _checked(self, _entry: Entry, _inner: _Inner, data: Raw) -> Fact:
        return AssetCheckEvaluation(
            asset=asset_of(data["asset_key"]),
            check=data["check_name"],
            passed=data["success"],
            severity=chosen(data["severity"]),
            partition=data.get("partition"),
            description=data.get("description"),
            metadata=self._values.metadata(data.get("metadata_entries") or data.get("metadata")),
            blocking=bool(data.get("blocking")),
        )


def _listed(text: str) -> tuple[str, ...]:
    found = _LISTED.search(text)
    return tuple(part.strip() for part in found[1].split(",")) if found else ()


def _hook(entry: Entry) -> str:
    found = _QUOTED.search(entry.text)
    return found[1] if found else ""


def _hook_errored(_reader: FactReader, entry: Entry, _inner: _Inner, data: Raw) -> Fact | None:
    error = error_of(data.get("error"))
    return None if error is None else HookErrored(hook=_hook(entry), error=error)


def _worker_started(_reader: FactReader, _entry: Entry, inner: _Inner, _data: Raw) -> Fact | None:
    return None if inner.pid is None else StepWorkerStarted(pid=inner.pid)


_Reader = Callable[[FactReader, Entry, _Inner, Raw], Fact | None]

_READERS: Mapping[str, _Reader] = {
    "PIPELINE_ENQUEUED": lambda *_: RunEnqueued(),
    "PIPELINE_STARTING": lambda *_: RunStarting(),
    "PIPELINE_START": lambda _reader, _entry, inner, _data: RunStart(pid=inner.pid),
    "PIPELINE_SUCCESS": lambda *_: RunSuccess(),
    "PIPELINE_FAILURE": FactReader._run_failure,
    "PIPELINE_CANCELING": lambda *_: RunCanceling(),
    "PIPELINE_CANCELED": lambda _reader, entry, _inner, _data: RunCanceled(message=entry.text or None),
    "STEP_WORKER_STARTING": lambda *_: StepWorkerStarting(),
    "STEP_WORKER_STARTED": _worker_started,
    "RESOURCE_INIT_STARTED": lambda _reader, entry, _inner, _data: ResourceInitStarted(resources=_listed(entry.text)),
    "RESOURCE_INIT_SUCCESS": FactReader._resources_set_up,
    "RESOURCE_INIT_FAILURE": FactReader._resource_failure,
    "STEP_START": lambda *_: StepStart(),
    "STEP_RESTARTED": FactReader._restarted,
    "STEP_UP_FOR_RETRY": FactReader._up_for_retry,
    "LOADED_INPUT": FactReader._loaded,
    "STEP_INPUT": FactReader._input,
    "STEP_OUTPUT": FactReader._output,
    "HANDLED_OUTPUT": FactReader._handled,
    "STEP_SUCCESS": lambda _reader, _entry, _inner, data: StepSuccess(seconds=float(data["duration_ms"]) / 1000),
    "STEP_FAILURE": FactReader._step_failure,
    "STEP_SKIPPED": lambda _reader, entry, _inner, _data: StepSkipped(reason=entry.text),
    "HOOK_COMPLETED": lambda _reader, entry, _inner, _data: HookCompleted(hook=_hook(entry)),
    "HOOK_ERRORED": _hook_errored,
    "HOOK_SKIPPED": lambda _reader, entry, _inner, _data: HookSkipped(hook=_hook(entry)),
    "ASSET_MATERIALIZATION_PLANNED": FactReader._planned,
    "ASSET_MATERIALIZATION": FactReader._materialized,
    "ASSET_OBSERVATION": FactReader._observed,
    "ASSET_WIPED": FactReader._wiped,
    "ASSET_CHECK_EVALUATION_PLANNED": FactReader._check_planned,
    "ASSET_CHECK_EVALUATION": FactReader._checked,
}
"""By the type's name there, how an event is read. A reader gives None where the event lacks what its fact needs."""
