"""Messages and output are read from a store of objects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from penstock import (
    OpExecutionContext,
    PipesBlobStoreMessageReader,
    PipesEnvContextInjector,
    PipesLogReader,
    open_pipes_session,
)
from penstock_pipes.wire import message

from .conftest import InStep


class Store(PipesBlobStoreMessageReader):
    """A reader whose store is a dict; it says when it has looked for a chunk that is not there."""

    def __init__(self, log_readers: list[PipesLogReader] | None = None) -> None:
        super().__init__(interval=0.001, log_readers=log_readers)
        self.chunks: dict[int, str] = {}
        self.readable = True
        self.away = False
        self.missed = Event()

    @contextmanager
    def get_params(self) -> Iterator[Mapping[str, Any]]:
        yield {"bucket": "b", "key_prefix": "p"}

    def messages_are_readable(self, params: Mapping[str, Any]) -> bool:
        if not self.readable:
            self.missed.set()
        return self.readable

    def download_messages_chunk(self, index: int, params: Mapping[str, Any]) -> str | None:
        assert params == {"bucket": "b", "key_prefix": "p"}
        if self.away:
            self.missed.set()
            raise OSError("the store is away")
        found = self.chunks.get(index)
        if found is None:
            self.missed.set()
        return found

    def put(self, index: int, *methods: str, **params: Any) -> None:
        self.chunks[index] = "\n".join(json.dumps(message(method, params)) for method in methods)


class Logs(PipesLogReader):
    """Notes what it is asked to do."""

    def __init__(self, *, readable: bool = True) -> None:
        self.readable = readable
        self.started = Event()
        self.params: Mapping[str, Any] = {}
        self.running = False

    def target_is_readable(self, params: Mapping[str, Any]) -> bool:
        return self.readable and "cluster" in params

    def start(self, params: Mapping[str, Any], is_session_closed: Event) -> None:
        self.params, self.running = params, True
        self.started.set()

    def stop(self) -> None:
        self.running = False

    def is_running(self) -> bool:
        return self.running

    @property
    def debug_info(self) -> str:
        return "in the bucket b"


def test_chunks_are_read_in_order_and_to_the_last(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        store = Store()
        with open_pipes_session(context, PipesEnvContextInjector(), store) as session:
            assert store.missed.wait(10)
            store.put(1, "opened", extras={})
            store.put(2, "report_custom_message", "closed", payload=1)
            store.put(3, "report_custom_message", payload="after the end")
        assert session.get_custom_messages() == (1, "after the end")

    assert [text for level, text in in_op(work) if level != "DEBUG"] == []


def test_nothing_is_looked_for_before_there_is_a_place(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        store = Store()
        store.readable = False
        store.put(1, "opened", "closed", extras={})
        with open_pipes_session(context, PipesEnvContextInjector(), store) as session:
            assert store.missed.wait(10)
            assert not session.message_handler.received_opened_message
            store.readable = True
        assert session.message_handler.received_closed_message

    in_op(work)


def test_a_store_may_be_away_for_a_while(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        store = Store()
        store.away = True
        store.put(1, "opened", "closed", extras={})
        with open_pipes_session(context, PipesEnvContextInjector(), store) as session:
            assert store.missed.wait(10)
            store.away = False
        assert session.message_handler.received_closed_message

    assert ("ERROR", "Messages could not be read (Store).") in in_op(work)


def test_a_store_that_stays_away_fails_the_session(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        store = Store()
        store.away = True
        with (
            pytest.raises(OSError, match="away"),
            open_pipes_session(context, PipesEnvContextInjector(), store),
        ):
            pass

    in_op(work)


def test_output_is_forwarded_when_it_is_known_where_it_is(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        first, later, never = Logs(), Logs(), Logs(readable=False)
        store = Store([first, never])
        store.put(1, "opened", extras={"driver": 2})
        with open_pipes_session(context, PipesEnvContextInjector(), store) as session:
            session.report_launched({"extras": {"cluster": 1}})
            assert first.started.wait(10)
            store.add_log_reader(later)
            assert later.started.wait(10)
            assert later.params["cluster"] == 1
            assert later.params["bucket"] == "b"
            assert first.is_running()
        assert not first.is_running()
        assert not later.is_running()

    assert any("Logs found nothing to read (in the bucket b)" in text for _, text in in_op(work))
