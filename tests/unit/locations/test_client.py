"""The client's errors name the address and what was asked; connections are kept, and replaced when they are closed."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from penstock.codec import encode_json
from penstock.errors import CodeServerUnreachableError, SettingsError
from penstock.locations.client import CodeServerClient
from penstock.records.wire import LoadStatus, LocationState

LIMIT = 20.0


@pytest.mark.parametrize("address", ["unix:{folder}/absent.sock", "http://127.0.0.1:9"])
def test_nobody_there(tmp_path: Path, address: str) -> None:
    address = address.format(folder=tmp_path)
    with pytest.raises(CodeServerUnreachableError) as caught:
        CodeServerClient(address).state()
    assert address in str(caught.value)
    assert "GET /state" in str(caught.value)


@pytest.mark.parametrize("address", ["box:4000", "ftp://box", "http://", "http://box/path"])
def test_an_address_that_is_none(address: str) -> None:
    with pytest.raises(SettingsError, match="is no address of a code server"):
        CodeServerClient(address)


class Server:
    """Answers so many calls on its first connection, so many on the next, and closes each after that; the version that
    it tells is the number of the connection."""

    def __init__(self, answers: Sequence[int]) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LIMIT)
        self.client = CodeServerClient(f"http://127.0.0.1:{self._listener.getsockname()[1]}")
        self._closed = [threading.Event() for _ in answers]
        self._thread = threading.Thread(target=self._serve, args=(answers,))
        self._thread.start()

    def until_closed(self, number: int) -> None:
        """Wait until it has closed a connection, from 1 on."""
        assert self._closed[number - 1].wait(LIMIT)

    def _serve(self, answers: Sequence[int]) -> None:
        for number, (count, closed) in enumerate(zip(answers, self._closed, strict=True), 1):
            with self._listener.accept()[0] as connection:
                connection.settimeout(LIMIT)
                for _ in range(count):
                    self._answer(connection, number)
            closed.set()

    def _answer(self, connection: socket.socket, number: int) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(1 << 16)
        state = LocationState(name="shop", status=LoadStatus.LOADED, server_id="s", version=number)
        body = encode_json(state)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def close(self) -> None:
        self._thread.join(LIMIT)
        self._listener.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    found = Server(request.param)
    yield found
    found.close()


@pytest.mark.parametrize("server", [[3]], indirect=True)
def test_a_connection_is_kept_for_the_next_call(server: Server) -> None:
    assert [server.client.state().version for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("server", [[1, 2]], indirect=True)
def test_a_connection_that_was_closed_meanwhile_is_replaced(server: Server) -> None:
    assert server.client.state().version == 1
    server.until_closed(1)
    assert [server.client.state().version for _ in range(2)] == [2, 2]


@pytest.mark.parametrize("server", [[0]], indirect=True)
def test_a_new_connection_that_is_closed_is_nobody_there(server: Server) -> None:
    with pytest.raises(CodeServerUnreachableError, match="did not answer GET /state"):
        server.client.state()
