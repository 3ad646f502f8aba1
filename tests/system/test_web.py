"""A web server as a process: changes of other processes reach its streams, and it ends at once with streams open."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from penstock.codec import decode_json, encode_json
from penstock.errors import AddressInUseError, SettingsError
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.records.run import Run
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import NewRun, StoredLocation
from penstock.web.listen import bind
from penstock.web.server import serve

pytestmark = pytest.mark.system

JSON = {"content-type": "application/json"}

SERVER = """
import os, sys
from pathlib import Path
from penstock.instance.instance import Instance
from penstock.web.server import serve

home, port, lifeline, ready = sys.argv[1], *map(int, sys.argv[2:])
with Instance.open(Path(home)) as instance:
    serve(instance, port=port, lifeline=lifeline, on_ready=lambda: os.write(ready, b"ready"))
print("closed in order")
"""

RUN = """
import sys
from pathlib import Path
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.records.run import Run
from penstock.storage.protocols import NewRun

with Instance.open(Path(sys.argv[1])) as instance:
    instance.storage.runs.create([NewRun(run=Run(run_id=new_run_id(), location="shop", job="nightly"))])
"""


def free_port() -> int:
    with closing(bind("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


class Server:
    """A web server process on a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        held, self.lifeline = os.pipe()
        ready, tell = os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(home), str(self.port), str(held), str(tell)],
            pass_fds=(held, tell),
            stdout=subprocess.PIPE,
            text=True,
        )
        os.close(held)
        os.close(tell)
        readable, _, _ = select.select([ready], [], [], 60)
        assert readable, "the web server was not ready in a minute"
        assert os.read(ready, 16) == b"ready"
        os.close(ready)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(self, query: str) -> Any:
        with closing(self.connect()) as connection:
            connection.request("POST", "/graphql", encode_json({"query": query}), JSON)
            return decode_json(connection.getresponse().read(), dict[str, Any])["data"]

    def end(self, timeout: float = 20) -> float:
        """Wait for the end; gives how long it took."""
        began = time.monotonic()
        output, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0
        assert "closed in order" in output
        return time.monotonic() - began


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    opened = Server(tmp_path / "home")
    try:
        yield opened
    finally:
        opened.process.kill()
        opened.process.communicate()
        os.close(opened.lifeline)


class Stream:
    """A stream of live changes."""

    def __init__(self, server: Server, topics: list[str]) -> None:
        self.connection = server.connect()
        self.connection.request("POST", "/live", encode_json({"topics": topics}), JSON)
        self.response = self.connection.getresponse()
        assert self.response.status == 200
        self.id = self.next("hello")["id"]

    def next(self, name: str) -> Any:
        """The data of the next event of that name."""
        while True:
            line = self.response.readline().decode()
            assert line, "the stream ended"
            if line == f"event: {name}\n":
                return decode_json(self.response.readline().decode().removeprefix("data: "), dict[str, Any])

    def close(self) -> None:
        # Closing the connection leaves the socket to the response; a browser that goes closes both.
        self.response.close()
        self.connection.close()


def test_a_change_by_another_process_reaches_the_page(server: Server) -> None:
    stream = Stream(server, ["runs"])
    subprocess.run([sys.executable, "-c", RUN, str(server.home)], check=True)
    assert stream.next("change")["topics"] == ["runs"]
    assert server.ask("{ runsOrError { ... on Runs { count } } }") == {"runsOrError": {"count": 1}}
    stream.close()


def test_a_loaded_location_shows(server: Server) -> None:
    stream = Stream(server, ["locations"])
    with Instance.open(server.home) as instance:
        instance.storage.locations.put(StoredLocation(name="shop", status=LoadStatus.LOADING, updated=1.0))
    assert stream.next("change")["topics"] == ["locations"]
    query = "{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus } } } }"
    assert server.ask(query)["workspaceOrError"]["locationEntries"] == [{"name": "shop", "loadStatus": "LOADING"}]
    stream.close()


def test_a_stream_goes_on_with_other_topics(server: Server) -> None:
    stream = Stream(server, ["assets"])
    run_id = new_run_id()
    with closing(server.connect()) as connection:
        connection.request("POST", f"/live/{stream.id}", encode_json({"topics": [f"run:{run_id}"]}), JSON)
        assert connection.getresponse().status == 204
    with Instance.open(server.home) as instance:
        instance.storage.runs.create([NewRun(run=Run(run_id=run_id, location="shop", job="nightly"))])
    assert stream.next("change")["topics"] == [f"run:{run_id}"]
    stream.close()


def test_a_client_that_goes_is_forgotten(server: Server) -> None:
    stream = Stream(server, ["runs"])
    stream.close()
    deadline = time.monotonic() + 20
    status = 204
    while status != 404:
        assert time.monotonic() < deadline, "the stream is still known"
        with closing(server.connect()) as connection:
            connection.request("POST", f"/live/{stream.id}", encode_json({"topics": ["runs"]}), JSON)
            status = connection.getresponse().status


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_at_once_with_open_streams(server: Server, number: signal.Signals) -> None:
    streams = [Stream(server, ["runs"]) for _ in range(3)]
    server.process.send_signal(number)
    assert server.end() < 4  # 0.2 s on an idle machine; one that waited for its streams would use up its grace
    for stream in streams:
        assert stream.response.read().strip() == b""
        stream.close()


def test_it_ends_when_its_starter_is_gone(tmp_path: Path) -> None:
    server = Server(tmp_path / "home")
    os.close(server.lifeline)
    server.end()


def test_a_connection_that_breaks_off_does_no_harm(server: Server) -> None:
    for text in (
        b"POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{",
        b"\x16\x03\x01",
        b"GET /",
    ):
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            connection.sendall(text)
    assert server.ask("{ version }")


def test_a_port_that_is_taken() -> None:
    with closing(bind("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(AddressInUseError, match=rf"Port {port} on 127\.0\.0\.1 is taken .* for example \d+\."):
            bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_nobody_else_may_reach_a_server_without_login(host: str) -> None:
    with (
        Instance.ephemeral() as instance,
        pytest.raises(SettingsError, match=r"Give --require-token.*insecure-allow-anonymous"),
    ):
        serve(instance, host=host, port=0)


def test_a_host_without_an_address() -> None:
    with pytest.raises(SettingsError, match="has no address"):
        bind("no-such-host.invalid", 3000)
