"""Captures the output of this process: descriptors 1 and 2 are pointed at files, opened for appending.

What a program prints is in its file at once, whatever language wrote it, and stays there when the process is killed.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from ..clock import Clock
from .marks import point_line, told_line
from .store import STREAMS

__all__ = ["Capture", "captured", "open_to_append", "told_in_events"]


class Capture:
    """An open capture as the process that prints sees it: it marks where its output stands among its events.

    Marks are for the eyes of readers. Where they cannot be written (a full disk), the step goes on without them.
    """

    def __init__(self, path: str, descriptors: tuple[int, int], clock: Clock) -> None:
        self._path = path
        self._descriptors = descriptors
        self._clock = clock
        self._file = -1
        self._seen = self.sizes()

    def sizes(self) -> tuple[int, int]:
        """How many bytes both streams have, stdout first."""
        first, second = self._descriptors
        return os.fstat(first).st_size, os.fstat(second).st_size

    def mark(self) -> None:
        """Note what was printed before now: what is told to the event log from now on comes after it."""
        sizes = self.sizes()
        if sizes != self._seen:
            self._seen = sizes
            self._write(point_line("at", self._clock.now(), sizes))

    def told(self, before: tuple[int, int]) -> None:
        """Note that what was printed since it had the sizes `before` is in the event log too."""
        for stream, start, end in zip(STREAMS, before, self.sizes(), strict=True):
            if end > start:
                self._write(told_line(stream, start, end))

    def begin(self) -> None:
        """Note that it goes on after an end: another attempt of the step."""
        if Path(self._path).exists():
            self._write(point_line("begin", self._clock.now(), self._seen))

    def end(self) -> None:
        """Note that it has ended."""
        self._write(point_line("end", self._clock.now(), self.sizes()))
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _write(self, line: bytes) -> None:
        with contextlib.suppress(OSError):
            if self._file < 0:
                self._file = open_to_append(self._path)
            os.write(self._file, line)


_OPEN: list[Capture] = []  # descriptors belong to the whole process, and so do these; the last one is the one in force


@contextlib.contextmanager
def captured(stem: str, suffixes: tuple[str, str, str], clock: Clock) -> Iterator[Capture]:
    """Point descriptors 1 and 2 at files until the context ends; captures may be nested.

    Args:
        stem: The path of the files without suffix; their folder is made if need be.
        suffixes: Those of stdout, of stderr and of the marks.
        clock: Tells the time of the marks.

    Raises:
        OSError: The files cannot be opened; the descriptors are as before.
    """
    with _pointed(1, stem + suffixes[0]) as out, _pointed(2, stem + suffixes[1]) as err:
        capture = Capture(stem + suffixes[2], (out, err), clock)
        capture.begin()
        _OPEN.append(capture)
        try:
            yield capture
        finally:
            _OPEN.remove(capture)
            for descriptor in (1, 2):
                _flush(descriptor)
            capture.end()


@contextlib.contextmanager
def told_in_events() -> Iterator[None]:
    """What this process prints in the context is in the event log too, so a reader of both need not see it twice."""
    if not _OPEN:
        yield
        return
    capture = _OPEN[-1]
    before = capture.sizes()
    try:
        yield
    finally:
        capture.told(before)


@contextlib.contextmanager
def _pointed(descriptor: int, path: str) -> Iterator[int]:
    """Point a standard descriptor at a file, and afterwards back at what it was; gives another one of the file."""
    _flush(descriptor)
    try:
        before = os.dup(descriptor)
    except OSError:  # closed: a process without a terminal may have none
        before = os.open(os.devnull, os.O_WRONLY)
    file = -1
    try:
        file = open_to_append(path)
        os.dup2(file, descriptor)
        with contextlib.ExitStack() as stack:
            for stream in _streams(descriptor):
                stack.enter_context(_by_line(stream, descriptor))
            yield file
    finally:
        _flush(descriptor)
        os.dup2(before, descriptor)
        os.close(before)
        if file >= 0:
            os.close(file)


def open_to_append(path: str) -> int:
    """A descriptor of the file, which is made with its folder if need be; what is written goes to its end."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    try:
        return os.open(path, flags, 0o644)
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, flags, 0o644)


@contextlib.contextmanager
def _by_line(stream: TextIO, descriptor: int) -> Iterator[None]:
    """Let a Python stream write each line at once: a killed process has then lost none."""
    if not isinstance(stream, io.TextIOWrapper) or stream.line_buffering or _descriptor_of(stream) != descriptor:
        yield
        return
    stream.reconfigure(line_buffering=True)
    try:
        yield
    finally:
        if not stream.closed:
            with contextlib.suppress(OSError):  # the disk is full: what could not be written goes where we came from
                stream.reconfigure(line_buffering=False)


def _descriptor_of(stream: TextIO) -> int | None:
    """What a stream writes to; None if it is closed or writes to memory."""
    try:
        return stream.fileno()
    except (OSError, ValueError):
        return None


def _flush(descriptor: int) -> None:
    """Write out what Python's own streams hold for this descriptor, so that it lands where it was printed to."""
    for stream in _streams(descriptor):
        with contextlib.suppress(ValueError, OSError):  # closed by user code: nothing is left to flush
            stream.flush()


def _streams(descriptor: int) -> list[TextIO]:
    """Python's streams for a standard descriptor: the present one, and the first one where it was replaced."""
    pair = (sys.stdout, sys.__stdout__) if descriptor == 1 else (sys.stderr, sys.__stderr__)
    return list({id(each): each for each in pair if each is not None}.values())
