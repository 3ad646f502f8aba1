"""The client against a server that does as it is told: what is sent again, what is not, and how refusals come back."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.errors import FencedError, InternalError, SettingsError, StorageError, UsageError
from penstock.ids import new_run_id
from penstock.records.event import AssetMaterialization, EngineNote, Event, LogLine
from penstock.records.wire import StorageAccess
from penstock.storage.remote import client as client_module
from penstock.storage.remote import subscription as subscription_module
from penstock.storage.remote.calls import Refusal, call_named
from penstock.storage.remote.client import RemoteStorage, open_storage
from penstock.storage.remote.connection import Connections

RUN = new_run_id()
LIMIT = 20.0


class Told:
    """What the server does with one request: an answer, or nothing but the end of the connection."""

    def __init__(self, value: object = None, *, status: int = 200, head: str = "", silent: bool = False) -> None:
        body = encode_msgpack(value)
        self.silent = silent
        self.bytes = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode() + body


class Server:
    """Listens on a Unix socket and answers requests in turn, as it was told."""

    def __init__(self, path: Path, *told: Told) -> None:
        self.address = f"unix:{path}"
        self.told = list(told)
        self.calls: list[tuple[str, Any]] = []
        self.tokens: list[str] = []
        self.connections = 0
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, connection.makefile("rb") as lines:
                connection.settimeout(LIMIT)
                while self._answer(connection, lines):
                    pass

    def _answer(self, connection: socket.socket, lines: Any) -> bool:
        first = lines.readline().decode()
        if not first:
            return False
        headers = {}
        while line := lines.readline().decode().strip():
            name, _, value = line.partition(": ")
            headers[name.lower()] = value
        name = first.split()[1].removeprefix("/storage/").replace("/", ".")
        call = call_named(name)
        assert call is not None
        self.calls.append((name, decode_msgpack(lines.read(int(headers["content-length"])), call.request)))
        self.tokens.append(headers["authorization"])
        told = self.told.pop(0)
        if told.silent:
            return False
        connection.sendall(told.bytes)
        return True

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(LIMIT)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def begin(*told: Told, name: str = "s") -> Server:
        servers.append(Server(tmp_path / name, *told))
        return servers[-1]

    yield begin
    for server in servers:
        server.close()


class Client:
    """Opens storages, and counts the pauses instead of making them."""

    def __init__(self) -> None:
        self.pauses: list[float] = []
        self.meanwhile: Callable[[], object] = lambda: None
        self.opened: list[RemoteStorage] = []

    def open(self, address: str, fallback: str | None = None, patience: float = 60.0) -> RemoteStorage:
        access = StorageAccess(address=address, token="first", fallback=fallback)
        self.opened.append(RemoteStorage(access, patience=patience, pause=self._pause))
        return self.opened[-1]

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.meanwhile()


@pytest.fixture
def client() -> Iterator[Client]:
    made = Client()
    yield made
    for storage in made.opened:
        storage.close()


def line(message: str, seq: int) -> Event:
    return Event(time=1.0, fact=LogLine(level="INFO", message=message), seq=seq)


# -- one call ---------------------------------------------------------------------------------------------------------


def test_arguments_arrive_by_name_and_the_connection_is_kept(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told(7), Told([]), Told())
    storage = client.open(server.address)
    assert storage.events.append(RUN, 3, [line("a", 1)], now=2.0) == 7
    assert storage.events.of_run(RUN, after=5, types=["LOG"]) == []
    storage.locations.forget(name for name in ("a", "b"))
    (_, append), (_, of_run), (_, forget) = server.calls
    assert (append.run_id, append.attempt, append.events, append.now) == (RUN, 3, (line("a", 1),), 2.0)
    assert (of_run.after, of_run.limit, of_run.types, of_run.step_keys) == (5, 1000, ["LOG"], None)
    assert forget.names == ("a", "b")
    assert server.connections == 1


def test_a_younger_token_is_shown_from_then_on(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told({}, head="Penstock-Token: second\r\n"), Told({}))
    storage = client.open(server.address)
    storage.assets.states()
    storage.assets.states()
    assert server.tokens == ["Bearer first", "Bearer second"]


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, InternalError),
        (401, FencedError),
        (403, UsageError),
        (404, InternalError),
        (409, FencedError),
        (413, StorageError),
        (422, StorageError),
        (500, InternalError),
        (503, StorageError),
    ],
)
def test_a_refusal_comes_back_as_the_error_that_it_stands_for(
    serve: Callable[..., Server], client: Client, status: int, error: type[Exception]
) -> None:
    server = serve(Told(Refusal(error="because"), status=status))
    with pytest.raises(error, match=rf"assets\.report with {status}: because") as raised:
        client.open(server.address).assets.report([], now=1.0)
    assert "first" not in str(raised.value)
    assert client.pauses == []


def test_an_answer_of_another_kind_is_a_fault(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told("seven"))
    with pytest.raises(InternalError, match="neighbouring versions"):
        client.open(server.address).events.last_id()


def test_a_wrong_call_is_a_mistake_of_the_caller(client: Client) -> None:
    storage = client.open("unix:/nowhere")
    with pytest.raises(TypeError):
        storage.runs.get()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        storage.runs.get("a", "b")  # type: ignore[call-arg]


# -- when the server is away ------------------------------------------------------------------------------------------


def test_what_reads_is_asked_again_until_somebody_answers(
    serve: Callable[..., Server], client: Client, tmp_path: Path
) -> None:
    storage = client.open(f"unix:{tmp_path}/s")
    client.meanwhile = lambda: len(client.pauses) == 3 and serve(Told(silent=True), Told(9))
    assert storage.events.last_id() == 9
    assert client.pauses == [0.05, 0.1, 0.2, 0.4]


def test_what_writes_is_not_repeated_when_it_may_have_been_done(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told(silent=True))
    with pytest.raises(StorageError, match=r"did not answer assets\.report"):
        client.open(server.address).assets.report([AssetMaterialization(asset="a")], now=1.0)
    assert len(server.calls) == 1


def test_what_writes_is_sent_later_when_nobody_has_heard_it(
    serve: Callable[..., Server], client: Client, tmp_path: Path
) -> None:
    client.meanwhile = lambda: len(client.pauses) == 1 and serve(Told([4]))
    assert client.open(f"unix:{tmp_path}/s").assets.report([], now=1.0) == [4]


def test_who_tries_again_by_himself_is_told_at_once(client: Client, tmp_path: Path) -> None:
    storage = client.open(f"unix:{tmp_path}/s")
    for call in (
        lambda: storage.events.append(RUN, 1, [line("a", 1)], now=1.0),
        lambda: storage.runs.renew("w", until=1.0),
        lambda: storage.runs.take_over(RUN, attempt=1, owner="w", until=1.0),
    ):
        with pytest.raises(StorageError, match="started again by its host"):
            call()
    assert client.pauses == []


def test_patience_ends(client: Client, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"did not answer runs\.get"):
        client.open(f"unix:{tmp_path}/s", patience=0.0).runs.get(RUN)
    assert client.pauses == []


def test_the_second_address_is_asked_while_the_first_does_not_answer(
    serve: Callable[..., Server], client: Client, tmp_path: Path
) -> None:
    second = serve(Told(2), name="second")
    storage = client.open(f"unix:{tmp_path}/first", fallback=second.address)
    assert storage.events.last_id() == 2
    storage.close()
    first = serve(Told(1), name="first")
    assert storage.events.last_id() == 1
    assert (len(first.calls), len(second.calls)) == (1, 1)


def test_a_connection_that_the_server_has_closed_is_not_used(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told([1], head="Connection: close\r\n"), Told([2]))
    storage = client.open(server.address)
    assert storage.assets.report([], now=1.0) == [1]
    assert storage.assets.report([], now=1.0) == [2]
    assert server.connections == 2


@pytest.mark.parametrize("address", ["", "s.sock", "ftp://host", "http://", "http://host/path", "http://host:port"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(SettingsError, match=r"give unix:/path/to\.sock"):
        Connections([address])


# -- what cannot be sent as it is -------------------------------------------------------------------------------------


def test_a_batch_that_is_too_large_goes_in_parts(
    serve: Callable[..., Server], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LARGEST_BODY", 1000)
    server = serve(*(Told(number) for number in range(8)))
    events = [line("x" * 300, seq) for seq in range(1, 9)]
    last = client.open(server.address).events.append(RUN, 1, events, now=1.0)
    sent = [event for _, request in server.calls for event in request.events]
    assert sent == events
    assert last == len(server.calls) - 1
    assert len(server.calls) > 2


def test_an_event_that_is_too_large_becomes_a_note(
    serve: Callable[..., Server], client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "LARGEST_BODY", 1000)
    server = serve(Told(1), Told(2), Told(3))
    client.open(server.address).events.append(RUN, 1, [line("a", 1), line("x" * 2000, 2), line("b", 3)], now=1.0)
    sent = [event for _, request in server.calls for event in request.events]
    assert [event.seq for event in sent] == [1, 2, 3]
    assert isinstance(sent[1].fact, EngineNote)
    assert "larger than 1,000 bytes" in sent[1].fact.message


def test_a_fact_without_a_stored_form_becomes_a_note(serve: Callable[..., Server], client: Client) -> None:
    server = serve(Told(1))
    odd = Event(time=1.0, fact=AssetMaterialization(asset="a", metadata={"x": object()}), seq=1)  # type: ignore[dict-item]
    client.open(server.address).events.append(RUN, 1, [line("caf\udce9", 2), odd], now=1.0)
    ((_, request),) = server.calls
    assert request.events[0].fact.message == "caf\\udce9"
    assert isinstance(request.events[1].fact, EngineNote)


def test_a_value_without_a_stored_form_is_refused_here(client: Client) -> None:
    with pytest.raises(StorageError, match=r"runs\.add_tags was given a value that cannot be stored"):
        client.open("unix:/nowhere").runs.add_tags(RUN, {"a": "\udce9"})


# -- the whole --------------------------------------------------------------------------------------------------------


def test_a_storage_says_that_it_is_behind_an_address(client: Client) -> None:
    storage = open_storage(StorageAccess(address="unix:/a", token="secret"))
    storage.migrate()
    assert storage.describe() == {"kind": "gateway", "place": "unix:/a"}
    storage.close()


def test_to_publish_fails_nobody(serve: Callable[..., Server], client: Client, tmp_path: Path) -> None:
    server = serve(Told(Refusal(error="no"), status=403), Told())
    notifier = client.open(server.address).notifier
    notifier.publish(["a"])
    notifier.publish(["b"])
    notifier.publish([])
    client.open(f"unix:{tmp_path}/nobody", patience=0.0).notifier.publish(["c"])
    assert [request.topics for _, request in server.calls] == [("a",), ("b",)]


# -- listening --------------------------------------------------------------------------------------------------------


class Stream:
    """A server of one stream at a time."""

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        self._listener.settimeout(LIMIT)

    def accept(self, status: int = 200, first: bytes = b"1\r\n\n\r\n") -> socket.socket:
        connection, _ = self._listener.accept()
        connection.settimeout(LIMIT)
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(1000)
        head = f"HTTP/1.1 {status} X\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        connection.sendall(head + first)
        return connection

    def close(self) -> None:
        self._listener.close()


def test_topics_are_heard_in_whatever_pieces_they_come(client: Client, tmp_path: Path) -> None:
    stream = Stream(tmp_path / "s")
    connections: list[socket.socket] = []
    accepting = threading.Thread(target=lambda: connections.append(stream.accept()))
    accepting.start()
    subscription = client.open(f"unix:{tmp_path}/s").notifier.subscribe()
    accepting.join(LIMIT)
    (connection,) = connections
    for piece in (b"4\r\nab\nc", b"\r", b"\n2;x=y\r\nd\n\r\n", b"1\r\n\n\r\n"):
        connection.sendall(piece)
    heard: set[str] = set()
    while heard != {"ab", "cd"}:
        heard |= subscription.wait(LIMIT)
    assert subscription.wait(0) == frozenset()
    subscription.close()
    connection.close()
    stream.close()


@pytest.mark.parametrize("last", [b"", b"0\r\n\r\n", b"no number\r\n"])
def test_a_lost_stream_is_opened_again_and_then_everything_may_have_changed(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bytes
) -> None:
    monkeypatch.setattr(subscription_module, "_PAUSE_SECONDS", 0.01)
    stream = Stream(tmp_path / "s")

    def serve_twice() -> None:
        with stream.accept() as first:
            first.sendall(b"2\r\na\n\r\n" + last)
        with stream.accept() as second:
            second.sendall(b"2\r\nb\n\r\n")
            second.recv(1)  # until the listener goes

    serving = threading.Thread(target=serve_twice)
    serving.start()
    subscription = client.open(f"unix:{tmp_path}/s").notifier.subscribe()
    heard = [*subscription.wait(LIMIT)]
    while heard[-1] != "b":
        heard += sorted(subscription.wait(LIMIT))
    assert heard == ["a", "*", "b"]
    assert subscription.fileno() >= 0
    subscription.close()
    assert subscription.fileno() == -1
    serving.join(LIMIT)
    stream.close()


def test_while_nobody_serves_a_wait_ends_at_its_timeout(client: Client, tmp_path: Path) -> None:
    stream = Stream(tmp_path / "s")
    serving = threading.Thread(target=lambda: stream.accept().close())
    serving.start()
    subscription = client.open(f"unix:{tmp_path}/s").notifier.subscribe()
    serving.join(LIMIT)
    stream.close()
    assert subscription.wait(0.01) == frozenset()
    assert subscription.fileno() == -1
    assert subscription.wait(0.01) == frozenset()
    subscription.close()


@pytest.mark.parametrize(("status", "error"), [(401, FencedError), (409, FencedError), (503, StorageError)])
def test_who_may_not_listen_is_told_why(client: Client, tmp_path: Path, status: int, error: type[Exception]) -> None:
    stream = Stream(tmp_path / "s")
    body = encode_msgpack(Refusal(error="because"))
    serving = threading.Thread(
        target=lambda: stream.accept(status, b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)).close()
    )
    serving.start()
    with pytest.raises(error, match=rf"{status}: because"):
        client.open(f"unix:{tmp_path}/s").notifier.subscribe()
    serving.join(LIMIT)
    stream.close()


@pytest.mark.parametrize("head", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_what_is_no_answer_is_a_storage_that_is_away(client: Client, tmp_path: Path, head: bytes) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{tmp_path}/s")
    listener.listen()

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1000)
            connection.sendall(head)

    serving = threading.Thread(target=answer)
    serving.start()
    with pytest.raises(StorageError, match="cannot be listened to"):
        client.open(f"unix:{tmp_path}/s").notifier.subscribe()
    serving.join(LIMIT)
    listener.close()
