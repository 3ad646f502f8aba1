"""The gateway as an ASGI application: who is let in before a byte of the body is read, and what a listener hears."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.clock import SYSTEM_CLOCK
from penstock.codec import decode_msgpack, encode_msgpack
from penstock.errors import StorageError
from penstock.locations import gateway as gateway_module
from penstock.locations import topic_streams
from penstock.locations.gateway import StorageGateway
from penstock.records.event import RunCanceled
from penstock.records.run import Run
from penstock.storage.notifier import Subscription
from penstock.storage.remote.calls import LARGEST_BODY, Refusal
from penstock.storage.remote.server import Dispatcher
from penstock.storage.sqlite import SqliteStorage
from penstock.testing.storage_contract.builders import started_run

T = TypeVar("T")
LIMIT = 20.0


class Exchange:
    """One request to an ASGI application, and its answer."""

    def __init__(self, path: str, body: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        self.scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": list(headers)}
        self.pieces: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.pieces.put_nowait({"type": "http.request", "body": body, "more_body": False})
        self.read = 0
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.heard: asyncio.Queue[bytes] = asyncio.Queue()
        self.body = b""

    async def receive(self) -> dict[str, Any]:
        piece = await self.pieces.get()
        self.read += len(piece.get("body", b""))
        return piece

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
        else:
            self.body += message["body"]
            self.heard.put_nowait(message["body"])

    def leave(self) -> None:
        self.pieces.put_nowait({"type": "http.disconnect"})


class World:
    def __init__(self) -> None:
        self.storage = SqliteStorage(None)
        self.dispatcher = Dispatcher(self.storage, SYSTEM_CLOCK)
        self.gateway = StorageGateway(self.dispatcher)
        self.run = started_run(self.storage)

    def header(self, run: Run | None = None) -> tuple[bytes, bytes]:
        scope = self.dispatcher.tokens.scope_of_run(run or self.run, now=SYSTEM_CLOCK.now())
        return b"authorization", b"Bearer " + self.dispatcher.tokens.sign(scope).encode()

    def ask(self, exchange: Exchange) -> Exchange:
        async def go() -> None:
            async with asyncio.timeout(LIMIT):
                await self.gateway(exchange.scope, exchange.receive, exchange.send)

        asyncio.run(go())
        return exchange

    def close(self) -> None:
        self.gateway.close()
        self.storage.close()


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def reason(exchange: Exchange) -> str:
    return decode_msgpack(exchange.body, Refusal).error


def test_a_call_is_answered(world: World) -> None:
    body = encode_msgpack({"run_id": world.run.run_id})
    answer = world.ask(Exchange("/storage/runs/get", body, (world.header(),)))
    assert answer.status == 200
    assert answer.headers[b"content-type"] == b"application/msgpack"
    assert decode_msgpack(answer.body, Run) == world.run


@pytest.mark.parametrize(
    "header",
    [
        (),
        ((b"authorization", b""),),
        ((b"authorization", b"Bearer"),),
        ((b"authorization", b"Bearer "),),
        ((b"authorization", b"Basic abc"),),
        ((b"authorization", b"Bearer \xff\x00\xfe"),),
        ((b"authorization", b"Bearer pst1.a.b"),),
        ((b"authorization", b"Bearer " + b"x" * 100_000),),
    ],
)
def test_without_a_good_token_nothing_of_the_body_is_read(
    world: World, header: tuple[tuple[bytes, bytes], ...]
) -> None:
    for path in ("/storage/runs/get", "/storage/nothing/here", "/storage/notifier/subscribe"):
        refused = world.ask(Exchange(path, b"x" * 1000, header))
        assert refused.status == 401
        assert refused.read == 0
        assert "token" in reason(refused)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(shown=st.binary(max_size=300))
def test_random_bytes_are_no_token(world: World, shown: bytes) -> None:
    assert world.ask(Exchange("/storage/runs/get", b"", ((b"authorization", b"Bearer " + shown),))).status == 401


def test_a_body_that_is_too_large_is_refused_before_it_is_read(world: World) -> None:
    length = (b"content-length", str(LARGEST_BODY + 1).encode())
    refused = world.ask(Exchange("/storage/runs/get", b"", (world.header(), length)))
    assert (refused.status, refused.read) == (413, 0)


def test_a_body_that_turns_out_too_large_is_read_no_further(world: World) -> None:
    exchange = Exchange("/storage/runs/get", b"", (world.header(),))
    exchange.pieces = asyncio.Queue()
    for _ in range(20):
        exchange.pieces.put_nowait({"type": "http.request", "body": bytes(1 << 20), "more_body": True})
    assert world.ask(exchange).status == 413
    assert exchange.read <= LARGEST_BODY + (1 << 20)


def test_a_call_that_is_broken_off_is_not_made(world: World) -> None:
    exchange = Exchange("/storage/assets/states", b"", (world.header(),))
    exchange.pieces = asyncio.Queue()
    exchange.pieces.put_nowait({"type": "http.request", "body": b"\x80", "more_body": True})
    exchange.leave()
    assert world.ask(exchange).status == 400


def test_a_server_with_too_much_to_do_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "_MOST_WAITING", 0)
    refused = world.ask(Exchange("/storage/runs/get", b"", (world.header(),)))
    assert refused.status == 503
    assert "busy" in reason(refused)


# -- the stream -------------------------------------------------------------------------------------------------------


async def listening(
    world: World, act: Callable[[Exchange], Awaitable[T]], header: tuple[bytes, bytes] | None = None
) -> T:
    """What comes of `act` while a listener is there."""
    exchange = Exchange("/storage/notifier/subscribe", b"", (header or world.header(),))
    async with asyncio.timeout(LIMIT):
        serving = asyncio.create_task(world.gateway(exchange.scope, exchange.receive, exchange.send))
        assert await exchange.heard.get() == b"\n"
        try:
            return await act(exchange)
        finally:
            exchange.leave()
            await serving


async def hear(exchange: Exchange, *topics: str) -> set[str]:
    """All topics up to these."""
    heard: set[str] = set()
    while not heard >= set(topics):
        heard |= set((await exchange.heard.get()).decode().split())
    return heard


def test_a_run_hears_of_itself_and_of_no_other_run(world: World) -> None:
    own = f"run:{world.run.run_id}"

    async def act(exchange: Exchange) -> set[str]:
        for topics in (["run:other", "assets"], ["slots"], ["logs:other/step"], [own], ["queue"]):
            world.storage.notifier.publish(topics)
        return await hear(exchange, own, "queue")

    assert asyncio.run(listening(world, act)) == {own, "assets", "slots", "queue"}


def test_silence_is_told_while_the_attempt_lives_and_ends_the_stream_afterwards(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_streams, "_SILENCE_SECONDS", 0.01)

    async def act(exchange: Exchange) -> bytes:
        assert await exchange.heard.get() == b"\n"
        await asyncio.to_thread(world.storage.runs.record, world.run.run_id, [RunCanceled()], now=SYSTEM_CLOCK.now())
        while last := await exchange.heard.get():
            pass
        return last

    assert asyncio.run(listening(world, act)) == b""


def test_all_streams_end_when_the_server_stops(world: World) -> None:
    async def act(exchange: Exchange) -> bytes:
        world.gateway.close()
        return await exchange.heard.get()

    assert asyncio.run(listening(world, act)) == b""
    assert world.ask(Exchange("/storage/runs/get", b"", (world.header(),))).status == 503


class Away:
    """A notifier whose subscription breaks at once."""

    def publish(self, topics: Any) -> None:
        """Nobody hears it."""

    def subscribe(self) -> Subscription:
        return self  # type: ignore[return-value]

    def wait(self, timeout: float | None) -> frozenset[str]:
        raise StorageError("away")

    def close(self) -> None:
        """Nothing was open."""


def test_a_stream_ends_when_the_storage_is_away_so_that_its_listener_comes_again() -> None:
    async def go() -> bytes:
        streams = topic_streams.TopicStreams(Away())
        exchange = Exchange("/storage/notifier/subscribe")
        exchange.pieces = asyncio.Queue()

        async def allowed() -> bool:
            return True

        async with asyncio.timeout(LIMIT):
            listener = await asyncio.to_thread(streams.listen, asyncio.get_running_loop())
            await listener.stream(None, allowed, exchange.receive, exchange.send)
        return exchange.body

    assert asyncio.run(go()) == b"\n"


def test_a_listener_that_does_not_listen_is_told_that_everything_changed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topic_streams, "_MOST_TOPICS", 3)
    listener = topic_streams.Listener(asyncio.new_event_loop(), lambda _listener: None)
    listener.tell(frozenset("abcd"))
    assert listener._topics == {"*"}
    listener._loop.close()


def test_a_refusal_is_a_record(world: World) -> None:
    refused = world.ask(Exchange("/storage/runs/create", encode_msgpack({"runs": []}), (world.header(),)))
    assert refused.status == 403
    assert msgspec.msgpack.decode(refused.body) == {"error": reason(refused)}
    assert reason(refused).startswith("runs.create is refused: ")
