"""Records that users hold as JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

import msgspec

from ..codec import plain_value
from ..errors import UsageError
from ..partitions.requests import AddDynamicPartitionsRequest, DeleteDynamicPartitionsRequest
from ..records.automation import InstigatorState, InstigatorStatus, Tick, TickStatus
from ..records.errors import ErrorInfo
from ..records.event import Event, Fact, StoredEvent
from ..records.event_type import EventType
from ..records.keys import AssetCheckKey, AssetKey
from ..records.metadata import MetadataVariant
from ..records.run import Run, RunStatus, StepStats
from ..wording import kind_of, with_article
from .event_log import EventLogEntry, EventLogRecord

__all__ = ["deserialize_value", "serialize_value"]

T = TypeVar("T")

_KIND = "__kind__"
_RECORDS: Mapping[str, type] = {
    each.__name__: each
    for each in (
        AddDynamicPartitionsRequest,
        DeleteDynamicPartitionsRequest,
        ErrorInfo,
        Event,
        EventLogEntry,
        EventLogRecord,
        EventType,
        InstigatorState,
        InstigatorStatus,
        Run,
        RunStatus,
        StepStats,
        StoredEvent,
        Tick,
        TickStatus,
        *MetadataVariant.__args__,
    )
} | {f"Fact.{each.__name__}": each for each in Fact.__args__}
_KEYS: Mapping[str, Any] = {"AssetKey": AssetKey, "AssetCheckKey": AssetCheckKey}
_NAMES = {kind: name for name, kind in _RECORDS.items()}


def serialize_value(val: Any, *, indent: int | None = None) -> str:
    """A record as JSON text, which `deserialize_value` reads.

    Args:
        val: A run, event, tick, key, metadata value or another record that an instance gives; or plain values, and
            lists and dicts of such.
        indent: By how many spaces inner lines are indented; all in one line if not given.

    Raises:
        UsageError: It is none of these.
    """
    return json.dumps(_plain(val), indent=indent)


def deserialize_value(val: str, as_type: type[T] | None = None) -> T:
    """What `serialize_value` has written.

    Args:
        val: The text.
        as_type: What it must be.

    Raises:
        UsageError: The text was not written so, or is something else.
    """
    try:
        found = _record(json.loads(val))
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(f"The text is none that serialize_value has written ({error}); give it as it was.") from error
    if as_type is not None and not isinstance(found, as_type):
        raise UsageError(
            f"The text is {kind_of(found)}, not {with_article(as_type.__name__)}; give as_type the class that was "
            "written."
        )
    result: T = found
    return result


def _plain(value: Any) -> Any:
    name = _NAMES.get(type(value))
    if name is not None:
        return {_KIND: name, "value": msgspec.to_builtins(value, enc_hook=plain_value)}
    match value:
        case AssetKey() | AssetCheckKey():
            return {_KIND: type(value).__name__, "value": value.to_user_string()}
        case None | bool() | int() | float() | str() if not isinstance(value, Enum):
            return value
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict() if _KIND not in value and all(isinstance(key, str) for key in value):
            return {key: _plain(each) for key, each in value.items()}
    known = ", ".join(sorted(name for name in (*_RECORDS, *_KEYS) if "." not in name))
    raise UsageError(
        f"{value!r} has no text form; there is one for {known}, plain values, and lists and dicts of them."
    )


def _record(plain: Any) -> Any:
    match plain:
        case {"__kind__": name, "value": value} if name in _KEYS:
            return _KEYS[name].from_user_string(value)
        case {"__kind__": name, "value": value} if name in _RECORDS:
            return msgspec.convert(value, _RECORDS[name])
        case {"__kind__": name}:
            raise UsageError(
                f"The text has {with_article(name)}, which this version of Penstock does not know; read it with the "
                "version that wrote it."
            )
        case list():
            return [_record(each) for each in plain]
        case dict():
            return {key: _record(each) for key, each in plain.items()}
    return plain
