"""Live push without a network: topics in, coalesced changes out, nothing kept for listeners that went."""

from __future__ import annotations

import asyncio
import os
import queue
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any

import pytest

from penstock.codec import decode_json
from penstock.ids import new_run_id
from penstock.web.event_stream import EventStream
from penstock.web.live import Hub, TooManyStreamsError, unknown_topics


class Wire:
    """A notifier with one listener, driven by the test."""

    def __init__(self) -> None:
        self.topics: queue.SimpleQueue[frozenset[str]] = queue.SimpleQueue()
        self.readable, self.writable = os.pipe()
        self.closed = False

    def publish(self, topics: Iterable[str]) -> None:
        self.topics.put(frozenset(topics))
        os.write(self.writable, b"x")

    def subscribe(self) -> Wire:
        return self

    def wait(self, timeout: float | None) -> frozenset[str]:
        assert timeout == 0
        with suppress(queue.Empty):
            topics = self.topics.get_nowait()
            os.read(self.readable, 1)
            return topics
        return frozenset()

    def fileno(self) -> int:
        return self.readable

    def close(self) -> None:
        os.close(self.readable)
        os.close(self.writable)
        self.closed = True


def with_hub(test: Callable[[Hub, Wire], Awaitable[None]]) -> None:
    """Run a test beside a hub that listens to a wire."""

    async def run() -> None:
        wire = Wire()
        hub = Hub(wire, lambda: 42)
        hub.start()
        try:
            async with asyncio.timeout(20):
                await test(hub, wire)
        finally:
            hub.stop()
        assert wire.closed

    asyncio.run(run())


def test_topics() -> None:
    run_id = new_run_id()
    good = ["runs", "queue", f"run:{run_id}", f"logs:{run_id}", "locations"]
    assert unknown_topics(good) == []
    bad = ["", "*", "run", "run:x", f"run:{run_id}/x", f"logs:{run_id}/x", "logs:", "RUNS"]
    assert unknown_topics(bad) == bad


def test_a_listener_hears_of_its_own_topics_alone() -> None:
    async def test(hub: Hub, wire: Wire) -> None:
        runs, assets = hub.open(["runs", "queue"]), hub.open(["assets"])
        wire.publish(["runs", "ticks"])
        assert await runs.next(10) == (["runs"], 42)
        wire.publish(["assets"])
        assert await assets.next(10) == (["assets"], 42)
        assert await runs.next(0.01) is None

    with_hub(test)


def test_changes_gather_while_nobody_reads() -> None:
    async def test(hub: Hub, _wire: Wire) -> None:
        stream = hub.open(["runs", "queue", "assets"])
        for cursor in range(1000):
            hub.publish(frozenset({"runs"}), cursor)
        hub.publish(frozenset({"queue"}), 5)
        assert await stream.next(1) == (["queue", "runs"], 999)
        assert await stream.next(0.01) is None

    with_hub(test)


def test_everything_may_have_changed() -> None:
    async def test(hub: Hub, wire: Wire) -> None:
        stream = hub.open(["runs", "assets"])
        wire.publish(["*"])
        assert await stream.next(10) == (["assets", "runs"], 42)

    with_hub(test)


def test_topics_can_be_replaced() -> None:
    async def test(hub: Hub, _wire: Wire) -> None:
        stream = hub.open(["runs"])
        assert hub.retarget(stream.id, ["assets"])
        hub.publish(frozenset({"runs"}), 1)
        hub.publish(frozenset({"assets"}), 2)
        assert await stream.next(1) == (["assets"], 2)
        hub.drop(stream)
        assert not hub.retarget(stream.id, ["runs"])

    with_hub(test)


def test_there_is_an_end_to_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.web.live._MOST_STREAMS", 2)

    async def test(hub: Hub, _wire: Wire) -> None:
        streams = [hub.open(["runs"]) for _ in range(2)]
        with pytest.raises(TooManyStreamsError):
            hub.open(["runs"])
        hub.drop(streams[0])
        hub.open(["runs"])
        hub.stop()
        assert streams[1].closed.is_set()
        with pytest.raises(TooManyStreamsError):
            hub.open(["runs"])

    with_hub(test)


class Browser:
    """The ASGI side of a client: what it was sent, and when it goes."""

    def __init__(self, *, slow: bool = False) -> None:
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.reading = asyncio.Event()
        if not slow:
            self.reading.set()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self.reading.wait()
        await self.messages.put(message)

    async def event(self) -> tuple[str, Any]:
        """The next event's name and data."""
        message = await self.messages.get()
        lines = message["body"].decode().split("\n")
        return lines[0], decode_json(lines[1].removeprefix("data: ") or "null", dict)


def test_a_stream_from_hello_to_the_client_leaving() -> None:
    async def test(hub: Hub, _wire: Wire) -> None:
        browser, stream = Browser(), hub.open(["runs"])
        serving = asyncio.create_task(EventStream(hub, stream, heartbeat=60)({}, browser.receive, browser.send))
        start = await browser.messages.get()
        assert start["status"] == 200
        assert (b"x-accel-buffering", b"no") in start["headers"]
        name, hello = await browser.event()
        assert (name, hello["id"]) == ("event: hello", stream.id)
        hub.publish(frozenset({"runs"}), 7)
        assert await browser.event() == ("event: change", {"topics": ["runs"], "cursor": 7})
        browser.gone.set()
        await serving
        assert len(hub) == 0

    with_hub(test)


def test_an_idle_stream_shows_that_it_lives() -> None:
    async def test(hub: Hub, _wire: Wire) -> None:
        browser = Browser()
        endpoint = EventStream(hub, hub.open(["runs"]), heartbeat=0.01)
        serving = asyncio.create_task(endpoint({}, browser.receive, browser.send))
        for _beat in range(2):
            await browser.messages.get()
        assert (await browser.messages.get())["body"] == b": still here\n\n"
        browser.gone.set()
        await serving

    with_hub(test)


def test_a_stream_ends_with_the_server() -> None:
    async def test(hub: Hub, _wire: Wire) -> None:
        browser = Browser()
        endpoint = EventStream(hub, hub.open(["runs"]), heartbeat=60)
        serving = asyncio.create_task(endpoint({}, browser.receive, browser.send))
        for _message in range(2):
            await browser.messages.get()
        hub.stop()
        await serving
        assert (await browser.messages.get()) == {"type": "http.response.body", "body": b"", "more_body": False}

    with_hub(test)


def test_a_client_that_reads_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.web.event_stream._SLOWEST_SEND_SECONDS", 0.05)

    async def test(hub: Hub, _wire: Wire) -> None:
        browser = Browser()
        endpoint = EventStream(hub, hub.open(["runs"]), heartbeat=60)
        serving = asyncio.create_task(endpoint({}, browser.receive, browser.send))
        for _message in range(2):
            await browser.messages.get()
        browser.reading.clear()
        hub.publish(frozenset({"runs"}), 1)
        await serving
        assert len(hub) == 0

    with_hub(test)
