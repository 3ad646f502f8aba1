"""Frames: any messages, cut anywhere, arrive whole and in order; bytes that are no frames are refused."""

from __future__ import annotations

import os
import struct

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import InternalError
from penstock.execution.frames import LARGEST, FrameReader, encode_frame, write_frame
from penstock.records.event import Event, LogLine
from penstock.records.wire import StepDone, StepEvents, StepMessage

messages = st.one_of(
    st.builds(
        StepEvents,
        events=st.lists(
            st.builds(
                Event,
                time=st.floats(0, 2e9),
                fact=st.builds(LogLine, level=st.just("INFO"), message=st.text(max_size=20)),
                step_key=st.none() | st.text(min_size=1, max_size=5),
            ),
            max_size=3,
        ).map(tuple),
    ),
    st.builds(
        StepDone,
        outcome=st.sampled_from(["success", "failure", "retry"]),
        outputs=st.lists(st.tuples(st.text(max_size=5), st.none() | st.text(max_size=5)), max_size=3).map(tuple),
        wait=st.none() | st.floats(0, 100),
    ),
)


@settings(deadline=None)
@given(st.lists(messages, max_size=5), st.data())
def test_messages_arrive_whole_and_in_order_however_they_are_cut(sent: list[StepMessage], data: st.DataObject) -> None:
    stream = b"".join(encode_frame(each) for each in sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    reader: FrameReader[StepMessage] = FrameReader(StepMessage)
    received: list[StepMessage] = []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        received += reader.feed(stream[start:end])
    assert received == sent
    assert reader.pending == 0


def test_a_frame_is_written_whole_to_a_pipe() -> None:
    reading, writing = os.pipe()
    write_frame(writing, StepDone(outcome="success"))
    os.close(writing)
    assert list(FrameReader[StepMessage](StepMessage).feed(os.read(reading, 1000))) == [StepDone(outcome="success")]
    os.close(reading)


def test_a_wrong_length_is_refused_before_memory_is_spent() -> None:
    reader: FrameReader[StepMessage] = FrameReader(StepMessage)
    with pytest.raises(InternalError, match="no frame has more"):
        list(reader.feed(struct.pack(">I", LARGEST + 1)))


def test_a_message_of_another_kind_is_refused() -> None:
    reader: FrameReader[StepMessage] = FrameReader(StepMessage)
    with pytest.raises(msgspec.ValidationError):
        list(reader.feed(encode_frame({"type": "no such message"})))
