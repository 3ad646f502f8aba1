"""Every event becomes bytes that can be read again."""

from __future__ import annotations

from datetime import datetime

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from penstock.codec import encode_msgpack
from penstock.records.event import AssetMaterialization, EngineNote, Event, LogLine
from penstock.records.metadata import JsonMetadataValue
from penstock.storage.encoding import decode_event, encode_event


def _decoded(data: bytes) -> Event:
    return decode_event(data, time=0.0, event_type="?", step_key=None, seq=None)


@given(text=st.text(st.characters(exclude_categories=())), seq=st.integers(1, 2**40))
def test_any_text_can_be_stored(text: str, seq: int) -> None:
    event, data = encode_event(Event(time=1.0, fact=LogLine(level="INFO", message=text), seq=seq))
    assert _decoded(data) == event
    assert event.seq == seq
    assert isinstance(event.fact, LogLine)
    if text.isprintable():
        assert event.fact.message == text


def test_stray_halves_are_escaped_also_in_keys() -> None:
    fact = AssetMaterialization(asset="a", metadata={"k\udc80": JsonMetadataValue([{"\udcff": "x"}])})
    event, data = encode_event(Event(time=1.0, fact=fact))
    assert _decoded(data) == event
    assert isinstance(event.fact, AssetMaterialization)
    assert event.fact.metadata == {"k\\udc80": JsonMetadataValue([{"\\udcff": "x"}])}


def test_what_cannot_be_stored_becomes_a_note_in_its_place() -> None:
    for odd in (2**70, object(), {1.5: object()}):
        given_event = Event(time=1.0, fact=EngineNote(message="m", metadata={"x": JsonMetadataValue(odd)}), seq=3)
        event, data = encode_event(given_event)
        assert _decoded(data) == event
        assert event.seq == 3
        assert isinstance(event.fact, EngineNote)
        assert event.fact.message.startswith("A ENGINE_EVENT event could not be stored: ")


def test_values_beyond_json_come_back() -> None:
    fact = EngineNote(message="m", metadata={"x": JsonMetadataValue({"n": float("inf"), "b": b"\x00"})})
    event, data = encode_event(Event(time=1.0, fact=fact))
    assert _decoded(data).fact == fact == event.fact
    stamped = JsonMetadataValue(datetime.fromisoformat("2013-01-01T00:00:00+00:00"))
    _, data = encode_event(Event(time=1.0, fact=EngineNote(message="m", metadata={"x": stamped})))
    assert isinstance(_decoded(data).fact, EngineNote)


def test_an_event_of_another_version_is_shown_as_a_note() -> None:
    class Later(msgspec.Struct, tag="FROM_THE_FUTURE"):
        x: int

    data = encode_msgpack({"time": 1.0, "fact": Later(x=1)})
    event = decode_event(data, time=1.0, event_type="FROM_THE_FUTURE", step_key="s", seq=4)
    assert (event.time, event.step_key, event.seq) == (1.0, "s", 4)
    assert isinstance(event.fact, EngineNote)
    assert "FROM_THE_FUTURE" in event.fact.message
