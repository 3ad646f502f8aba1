"""Events as stored bytes, and back. Whatever user code put into an event, it becomes bytes that can be read again."""

from __future__ import annotations

from typing import Any

import msgspec

from ..codec import decode_msgpack, encode_msgpack
from ..records.event import EngineNote, Event

__all__ = ["decode_event", "encode_event"]


def encode_event(event: Event) -> tuple[Event, bytes]:
    """The event's bytes, and the event as they say it.

    Text that is not valid Unicode gets its stray halves escaped. A fact that holds a value that cannot be stored at all
    (an object of a foreign type, a number beyond 64 bits) is stored as a note that says so: one bad value must not hold
    up the events around it.
    """
    try:
        return event, encode_msgpack(event)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(event)
        return encode_event(msgspec.convert(_escape(plain), Event))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        note = EngineNote(message=f"A {event.type} event could not be stored: {error}.")
        replaced = msgspec.structs.replace(event, fact=note)
        return replaced, encode_msgpack(replaced)


def decode_event(data: bytes, *, time: float, event_type: str, step_key: str | None, seq: int | None) -> Event:
    """The event of these bytes; one that another version wrote and this one does not know becomes a note."""
    try:
        return decode_msgpack(data, Event)
    except msgspec.MsgspecError as error:
        note = EngineNote(message=f"A {event_type} event of another version cannot be shown: {error}.")
        return Event(time=time, fact=note, step_key=step_key, seq=seq)


def _escape(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode("utf-8")
        case dict():
            return {_escape(key): _escape(each) for key, each in value.items()}
        case list() | tuple():
            return [_escape(each) for each in value]
        case _:
            return value
