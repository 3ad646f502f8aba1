"""Captured stdout and stderr in files: `<root>/<run id>/<file key>` with `.out`, `.err`, `.marks`, maybe `.gaps`."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import LogStoreError
from ..ids import is_run_id
from .capture import Capture, captured, open_to_append
from .gaps import MOST_BYTES, Gap, next_piece, wider_gap, words_of
from .holes import punch_hole
from .marks import Marks, ended, gap_line, gaps_of, marks_of, point_line
from .store import STREAMS, LogKey, Stream, check_log_key, log_key

__all__ = ["GAPS", "MARKS", "SUFFIXES", "LocalLogStore"]

SUFFIXES: dict[Stream, str] = {"stdout": ".out", "stderr": ".err"}
MARKS, GAPS = ".marks", ".gaps"
_TAIL_BYTES = 4096
_FAR_BEYOND = 1 << 30


class LocalLogStore:
    """Keeps captures in a folder of this machine.

    Args:
        root: The folder; it is made when the first capture begins.
        most_bytes: How much of each stream is kept, half of it from its beginning; 0 for all.
        clock: Tells when what was printed.
    """

    def __init__(self, root: Path, *, most_bytes: int = MOST_BYTES, clock: Clock = SYSTEM_CLOCK) -> None:
        self.root = root
        self.most_bytes = most_bytes
        self._clock = clock

    @property
    def files(self) -> LocalLogStore:
        """This store."""
        return self

    @property
    def upload_interval(self) -> float | None:
        """None."""
        return None

    def path(self, key: LogKey, stream: Stream) -> Path:
        """The file of a capture, whether it exists or not."""
        return Path(self._stem(key) + SUFFIXES[stream])

    def side_file(self, key: LogKey, suffix: str) -> Path:
        """A file beside those of a capture, for example that of its marks, whether it exists or not."""
        return Path(self._stem(key) + suffix)

    def capture(self, key: LogKey) -> AbstractContextManager[Capture]:
        """Point descriptors 1 and 2 at the files until the context ends; captures may be nested.

        Raises:
            OSError: The files cannot be opened.
        """
        return captured(self._stem(key), (SUFFIXES["stdout"], SUFFIXES["stderr"], MARKS), self._clock)

    def read(self, key: LogKey, stream: Stream, *, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        """At most `limit` bytes from `offset` on, and the offset after them; for what is left out, words for it."""
        gap = self.gap(key, stream)
        try:
            with self.path(key, stream).open("rb") as file:
                while True:
                    piece = next_piece(offset, limit, os.fstat(file.fileno()).st_size, gap)
                    data = (
                        words_of(piece.left_out) if piece.left_out else _read_at(file.fileno(), piece.start, piece.end)
                    )
                    # A gap is written down before it is made: if it still is what it was, these were the bytes.
                    before, gap = gap, self.gap(key, stream)
                    if gap == before:
                        return data, piece.end if piece.left_out else piece.start + len(data)
        except FileNotFoundError:
            return b"", offset

    def size(self, key: LogKey, stream: Stream) -> int:
        """How many bytes were printed; 0 when nothing was captured."""
        try:
            return self.path(key, stream).stat().st_size
        except FileNotFoundError:
            return 0

    def gap(self, key: LogKey, stream: Stream) -> Gap | None:
        """What of a stream is left out."""
        return gaps_of(_content(Path(self._stem(key) + GAPS))).get(stream)

    def marks(self, key: LogKey) -> Marks:
        """When the bytes came, and whether the capture has ended."""
        return marks_of(_content(Path(self._stem(key) + MARKS)))

    def has_ended(self, key: LogKey) -> bool:
        """Whether a capture has ended: what `marks` says, without reading all of it."""
        try:
            with Path(self._stem(key) + MARKS).open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                return ended(file.read(_TAIL_BYTES))
        except FileNotFoundError:
            return False

    def mark(self, key: LogKey, kind: str = "at") -> None:
        """Write down how much there is now; for whoever follows a capture from outside.

        Raises:
            OSError: It cannot be written.
        """
        sizes = self.size(key, "stdout"), self.size(key, "stderr")
        _append(self._stem(key) + MARKS, point_line(kind, self._clock.now(), sizes))

    def shorten(self, key: LogKey, stream: Stream) -> bool:
        """Leave the middle of a stream out where it has grown too long; False if the file system cannot do that.

        Raises:
            OSError: Nothing can be written.
        """
        size = self.size(key, stream)
        if not self.most_bytes or size <= self.most_bytes:
            return True
        gap = wider_gap(size, self.gap(key, stream), self.most_bytes)
        if gap is None:
            return True
        path = self.path(key, stream)
        with path.open("r+b") as file:
            if not punch_hole(file.fileno(), size + _FAR_BEYOND, 1):  # nobody writes there: only to find out
                return False
            _append(self._stem(key) + GAPS, gap_line(stream, gap))
            return punch_hole(file.fileno(), gap.start, gap.end - gap.start)

    def exists(self, key: LogKey) -> bool:
        """Whether a capture under this key has begun."""
        return self.path(key, "stdout").exists()

    def keys(self, run_id: str) -> list[LogKey]:
        """The captures of a run, sorted."""
        suffix = SUFFIXES["stdout"]
        return [
            log_key(run_id, path.name.removesuffix(suffix)) for path in sorted(self._folder(run_id).glob(f"*{suffix}"))
        ]

    def runs(self) -> Iterator[str]:
        """The ids of the runs that have captures, sorted."""
        try:
            names = sorted(each.name for each in self.root.iterdir())
        except FileNotFoundError:
            return
        yield from filter(is_run_id, names)

    def upload(self, run_id: str) -> None:
        """Nothing to do: they are where they stay."""

    def settle(self, run_id: str) -> None:
        """Shorten what is too long, and write the ends down that nobody could.

        Raises:
            LogStoreError: Nothing can be written.
        """
        try:
            for key in self.keys(run_id):
                for stream in STREAMS:
                    self.shorten(key, stream)
                if not self.has_ended(key):
                    self.mark(key, "end")
        except OSError as error:
            raise LogStoreError(f"The logs of the run {run_id} in {self.root} cannot be settled: {error}") from error

    def delete(self, run_id: str) -> None:
        """Remove all captures of a run."""
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(self._folder(run_id))

    def _folder(self, run_id: str) -> Path:
        return self.path(log_key(run_id, "any"), "stdout").parent

    def _stem(self, key: LogKey) -> str:
        run_id, file_key = check_log_key(key)
        return f"{self.root}/{run_id}/{file_key}"


def _read_at(descriptor: int, start: int, end: int) -> bytes:
    return os.pread(descriptor, end - start, start)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _append(path: str, line: bytes) -> None:
    file = open_to_append(path)
    try:
        os.write(file, line)
    finally:
        os.close(file)
