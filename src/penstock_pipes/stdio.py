"""Sends what a process prints as messages too: the descriptors are read through a pipe, and passed on as they come."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

from .channels import PipesMessageWriterChannel
from .wire import message

__all__ = ["captured_stdio"]

_CHUNK = 1 << 16


@contextlib.contextmanager
def captured_stdio(channel: PipesMessageWriterChannel) -> Iterator[None]:
    """Send everything that this process and its children print, until the block ends; it is printed as well."""
    with _captured(channel, "stdout", sys.stdout, 1), _captured(channel, "stderr", sys.stderr, 2):
        yield


@contextlib.contextmanager
def _captured(channel: PipesMessageWriterChannel, name: str, stream: TextIO, descriptor: int) -> Iterator[None]:
    stream.flush()
    before = os.dup(descriptor)
    reads, writes = os.pipe()
    stop_reads, stop_writes = os.pipe()
    os.dup2(writes, descriptor)
    os.close(writes)
    by_line = getattr(stream, "line_buffering", True)
    if not by_line:
        stream.reconfigure(line_buffering=True)  # type: ignore[attr-defined]  # only such streams say false
    pump = threading.Thread(target=_pump, args=(channel, name, reads, stop_reads, before), daemon=True)
    pump.start()
    try:
        yield
    finally:
        stream.flush()
        if not by_line:
            stream.reconfigure(line_buffering=False)  # type: ignore[attr-defined]
        os.dup2(before, descriptor)
        os.close(stop_writes)  # a child that goes on may hold the pipe open, so its end is no sign
        pump.join()
        for each in (before, reads, stop_reads):
            os.close(each)


def _pump(channel: PipesMessageWriterChannel, name: str, reads: int, stop: int, onward: int) -> None:
    waiting = select.poll()
    waiting.register(reads, select.POLLIN)
    waiting.register(stop, select.POLLIN)
    rest = b""
    while True:
        ready = {descriptor for descriptor, _ in waiting.poll()}
        data = os.read(reads, _CHUNK) if reads in ready else b""
        if not data:
            break
        with contextlib.suppress(OSError):  # whoever read it is gone
            os.write(onward, data)
        whole, newline, rest = (rest + data).rpartition(b"\n")
        if newline:
            _send(channel, name, whole + newline)
    if rest:
        _send(channel, name, rest)


def _send(channel: PipesMessageWriterChannel, name: str, text: bytes) -> None:
    params = {"stream": name, "text": text.decode("utf-8", errors="replace"), "extras": {}}
    channel.write_message(message("log_external_stream", params))
