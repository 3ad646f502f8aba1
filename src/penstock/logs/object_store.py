"""Captured output that stays in an object store, or on any file system that fsspec knows.

Steps write to files of their machine. What is in them is uploaded while a run goes on, when it ends, and after the
death of its worker; a reader on another machine reads what is there. A stream is an object without the bytes that are
left out; the objects beside it say where those were.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property, wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..errors import LogStoreError, NotFoundError, SettingsError
from ..ids import is_run_id
from .capture import Capture
from .gaps import Gap, next_piece, place_of, words_of
from .local import GAPS, MARKS, SUFFIXES, LocalLogStore
from .marks import Marks, gaps_of, marks_of
from .store import STREAMS, LogKey, Stream, check_log_key, log_key

__all__ = ["ObjectLogStore"]

P = ParamSpec("P")
T = TypeVar("T")

_UPLOADED = ".uploaded"


def _told(
    method: Callable[Concatenate[ObjectLogStore, P], T],
) -> Callable[Concatenate[ObjectLogStore, P], T]:
    """Whatever a file system raises, as our error, which names the place."""

    @wraps(method)
    def call(self: ObjectLogStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except (LogStoreError, SettingsError, NotFoundError):
            raise
        except Exception as error:  # drivers have errors of their own
            text = f"{type(error).__name__}: {error}"
            raise LogStoreError(f"The logs at {self.url} cannot be reached: {text}; it is tried again.") from error

    return call


class ObjectLogStore:
    """Keeps captures at an address that fsspec knows.

    Args:
        url: The folder or prefix: `s3://bucket/logs`, `gs://...`, `file:///...`, `memory://...`.
        local: Where the captures of this machine go first.
        options: What the file system is opened with; see the documentation of its driver.
        upload_interval: Seconds between two uploads of what a run prints while it goes on.
    """

    def __init__(
        self, url: str, local: LocalLogStore, *, options: Mapping[str, Any] | None = None, upload_interval: float = 30.0
    ) -> None:
        self.url = url.rstrip("/")
        self._local = local
        self._options = dict(options or {})
        self._upload_interval = upload_interval

    @property
    def files(self) -> LocalLogStore:
        """The captures of this machine."""
        return self._local

    @property
    def upload_interval(self) -> float | None:
        """Seconds between two uploads."""
        return self._upload_interval

    def capture(self, key: LogKey) -> AbstractContextManager[Capture]:
        """Point descriptors 1 and 2 at files of this machine until the context ends; raises `OSError`."""
        return self._local.capture(key)

    @_told
    def read(self, key: LogKey, stream: Stream, *, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        """At most `limit` bytes from `offset` on, and the offset after them; raises `LogStoreError`."""
        if self._local.exists(key):
            return self._local.read(key, stream, offset=offset, limit=limit)
        gap = self._gap(key, stream)
        piece = next_piece(offset, limit, self._size(key, stream, gap), gap)
        if piece.left_out:
            return words_of(piece.left_out), piece.end
        if piece.end == piece.start:
            return b"", offset
        start, end = place_of(piece.start, gap), place_of(piece.start, gap) + piece.end - piece.start
        data: bytes = self._system.cat_file(self._path(key, SUFFIXES[stream]), start=start, end=end)
        return data, piece.start + len(data)

    @_told
    def size(self, key: LogKey, stream: Stream) -> int:
        """How many bytes were printed, as far as it is known here; raises `LogStoreError`."""
        if self._local.exists(key):
            return self._local.size(key, stream)
        return self._size(key, stream, self._gap(key, stream))

    @_told
    def marks(self, key: LogKey) -> Marks:
        """When the bytes came, and whether the capture has ended; raises `LogStoreError`."""
        return self._local.marks(key) if self._local.exists(key) else marks_of(self._content(key, MARKS))

    @_told
    def exists(self, key: LogKey) -> bool:
        """Whether a capture under this key has begun, as far as it is known here; raises `LogStoreError`."""
        return self._local.exists(key) or bool(self._system.exists(self._path(key, SUFFIXES["stdout"])))

    @_told
    def keys(self, run_id: str) -> list[LogKey]:
        """The captures of a run, sorted; raises `LogStoreError`."""
        suffix = SUFFIXES["stdout"]
        names = {name.removesuffix(suffix) for name in self._names(self._folder(run_id)) if name.endswith(suffix)}
        return sorted({*(log_key(run_id, name) for name in names), *self._local.keys(run_id)})

    @_told
    def runs(self) -> Iterator[str]:
        """The ids of the runs that have captures here or there, sorted; raises `LogStoreError`."""
        return iter(sorted({*filter(is_run_id, self._names(self._root)), *self._local.runs()}))

    @_told
    def upload(self, run_id: str) -> None:
        """Upload what has changed since the last time; raises `LogStoreError`."""
        for key in self._local.keys(run_id):
            stamp = self._local.side_file(key, _UPLOADED)
            present = self._stamp(key)
            if not stamp.exists() or stamp.read_text(encoding="ascii") != present:
                self._upload(key)
                stamp.write_text(present, encoding="ascii")

    def settle(self, run_id: str) -> None:
        """Shorten what is too long, and write the ends down that nobody could; raises `LogStoreError`."""
        self._local.settle(run_id)

    @_told
    def delete(self, run_id: str) -> None:
        """Remove all captures of a run, here and there; raises `LogStoreError`."""
        self._local.delete(run_id)
        if self._system.exists(self._folder(run_id)):
            self._system.rm(self._folder(run_id), recursive=True)

    # -- uploading ----------------------------------------------------------------------------------------------------

    def _stamp(self, key: LogKey) -> str:
        """Changes whenever something comes or ends."""
        marks = self._local.side_file(key, MARKS)
        ends = marks.stat().st_size if marks.exists() else 0
        return f"{self._local.size(key, 'stdout')} {self._local.size(key, 'stderr')} {ends}"

    def _upload(self, key: LogKey) -> None:
        self._system.makedirs(self._folder(key[0]), exist_ok=True)
        for stream in STREAMS:
            data, gap = _kept(self._local, key, stream)
            if gap is not None:
                self._system.pipe_file(self._path(key, GAPS), _bytes(self._local.side_file(key, GAPS)))
            self._system.pipe_file(self._path(key, SUFFIXES[stream]), data)
        self._system.pipe_file(self._path(key, MARKS), _bytes(self._local.side_file(key, MARKS)))

    # -- reading ------------------------------------------------------------------------------------------------------

    @cached_property
    def _opened(self) -> tuple[Any, str]:
        try:
            import fsspec  # type: ignore[import-untyped]
        except ImportError as error:
            raise SettingsError(
                f"Logs at {self.url} need fsspec and the driver of that place; install penstock[storage] and that."
            ) from error
        system, root = fsspec.core.url_to_fs(self.url, **self._options)
        return system, root.rstrip("/")

    @property
    def _system(self) -> Any:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    def _folder(self, run_id: str) -> str:
        check_log_key(log_key(run_id, "any"))
        return f"{self._root}/{run_id}"

    def _path(self, key: LogKey, suffix: str) -> str:
        run_id, file_key = check_log_key(key)
        return f"{self._root}/{run_id}/{file_key}{suffix}"

    def _content(self, key: LogKey, suffix: str) -> bytes:
        try:
            data: bytes = self._system.cat_file(self._path(key, suffix))
        except FileNotFoundError:
            return b""
        return data

    def _gap(self, key: LogKey, stream: Stream) -> Gap | None:
        return gaps_of(self._content(key, GAPS)).get(stream)

    def _size(self, key: LogKey, stream: Stream, gap: Gap | None) -> int:
        try:
            held = int(self._system.size(self._path(key, SUFFIXES[stream])))
        except FileNotFoundError:
            return 0
        return held if gap is None or held <= gap.start else held + gap.end - gap.start

    def _names(self, folder: str) -> list[str]:
        try:
            found = self._system.ls(folder, detail=False, refresh=True)
        except FileNotFoundError:
            return []
        except TypeError:  # a file system without a cache of its listings
            found = self._system.ls(folder, detail=False)
        return [path.rstrip("/").rpartition("/")[2] for path in found]


def _kept(local: LocalLogStore, key: LogKey, stream: Stream) -> tuple[bytes, Gap | None]:
    """What is kept of a stream, and the gap in it, which others may widen meanwhile."""
    while True:
        gap = local.gap(key, stream)
        path = local.path(key, stream)
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            pieces = [(0, size)] if gap is None else [(0, gap.start), (gap.end, size)]
            data = b"".join(os.pread(file.fileno(), end - start, start) for start, end in pieces)
        if local.gap(key, stream) == gap:
            return data, gap


def _bytes(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
