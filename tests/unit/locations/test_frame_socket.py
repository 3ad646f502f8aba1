"""Messages and descriptors over a socket arrive whole, in order, and together."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from penstock.errors import InternalError
from penstock.locations.frame_socket import FrameSocket
from penstock.records.wire import CancelRun, Fork, Shutdown, SupervisorFrame


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def fork(number: int, padding: str = "") -> Fork:
    from penstock.records.wire import EvaluateSensor

    return Fork(id=number, work=EvaluateSensor(name="new_files", due=1.0, cursor=padding))


def test_descriptors_stay_with_their_messages(pair: tuple[socket.socket, socket.socket]) -> None:
    sender: FrameSocket[None] = FrameSocket(pair[0], None)
    receiver: FrameSocket[SupervisorFrame] = FrameSocket(pair[1], SupervisorFrame)
    pipes = [os.pipe() for _ in range(3)]
    for number, (_, write_end) in enumerate(pipes):
        sender.send(fork(number), [write_end])
        sender.send(Shutdown())
        os.close(write_end)
    for number, (read_end, _) in enumerate(pipes):
        message = receiver.receive()
        assert isinstance(message, Fork)
        assert message.id == number
        descriptor = receiver.take_descriptor()
        os.write(descriptor, str(number).encode())
        os.close(descriptor)
        assert os.read(read_end, 10) == str(number).encode()
        os.close(read_end)
        assert isinstance(receiver.receive(), Shutdown)


def test_a_message_larger_than_the_sockets_buffer_arrives_whole(pair: tuple[socket.socket, socket.socket]) -> None:
    large = fork(1, "x" * 3_000_000)
    sender: FrameSocket[None] = FrameSocket(pair[0], None)
    thread = threading.Thread(target=sender.send, args=(large, [0]))
    thread.start()
    receiver: FrameSocket[SupervisorFrame] = FrameSocket(pair[1], SupervisorFrame)
    assert receiver.receive() == large
    thread.join()
    os.close(receiver.take_descriptor())


def test_the_end_of_the_other_side_is_none(pair: tuple[socket.socket, socket.socket]) -> None:
    receiver: FrameSocket[CancelRun] = FrameSocket(pair[1], CancelRun)
    pair[0].close()
    assert receiver.receive() is None


def test_a_missing_descriptor_is_an_error(pair: tuple[socket.socket, socket.socket]) -> None:
    FrameSocket[None](pair[0], None).send(fork(1))
    receiver: FrameSocket[SupervisorFrame] = FrameSocket(pair[1], SupervisorFrame)
    receiver.receive()
    with pytest.raises(InternalError, match="without one"):
        receiver.take_descriptor()
