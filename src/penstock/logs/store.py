"""The seam for captured stdout and stderr, and what a log key may be."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from ..errors import NotFoundError
from ..ids import is_run_id

if TYPE_CHECKING:
    from .capture import Capture
    from .local import LocalLogStore
    from .marks import Marks

__all__ = ["STREAMS", "LogKey", "LogStore", "Stream", "check_log_key", "file_key_of", "log_key"]

Stream: TypeAlias = Literal["stdout", "stderr"]

STREAMS: tuple[Stream, Stream] = ("stdout", "stderr")

LogKey: TypeAlias = tuple[str, ...]
"""Names one capture: (run id, "compute_logs", file key)."""

_PLACE = "compute_logs"
_FILE_KEY = re.compile(r"[A-Za-z0-9_\-\[\].]{1,200}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_\-\[\].]")


class LogStore(Protocol):
    """Keeps what steps print, by log key.

    Offsets count all that was printed. Where the middle of a stream is left out, it keeps its place: a reader who comes
    there is given a line that says so, and the offset behind it.
    """

    @property
    def files(self) -> LocalLogStore | None:
        """The store whose files captures of this machine go to first, which whoever follows them looks at; or None."""
        ...

    @property
    def upload_interval(self) -> float | None:
        """Seconds between two uploads of what a run prints while it goes on; None where nothing is uploaded."""
        ...

    def capture(self, key: LogKey) -> AbstractContextManager[Capture]:
        """Point descriptors 1 and 2 of this process, and of what it starts, at the store until the context ends."""
        ...

    def read(self, key: LogKey, stream: Stream, *, offset: int = 0, limit: int = 1 << 20) -> tuple[bytes, int]:
        """At most `limit` bytes from `offset` on, and the offset after them; nothing when there is no more yet."""
        ...

    def size(self, key: LogKey, stream: Stream) -> int:
        """How many bytes were printed; 0 when nothing was captured."""
        ...

    def marks(self, key: LogKey) -> Marks:
        """When the bytes came, and whether the capture has ended."""
        ...

    def exists(self, key: LogKey) -> bool:
        """Whether a capture under this key has begun."""
        ...

    def keys(self, run_id: str) -> list[LogKey]:
        """The captures of a run, sorted."""
        ...

    def runs(self) -> Iterator[str]:
        """The ids of the runs that have captures, sorted: those made first come first."""
        ...

    def upload(self, run_id: str) -> None:
        """Bring the captures of a run, as far as they have come, to where they shall stay; maybe they are there.

        Raises:
            EnvironmentalError: The place cannot be reached; nothing is lost, and another call goes on.
        """
        ...

    def settle(self, run_id: str) -> None:
        """Do what nobody else can do any more for the captures of a run whose worker is gone; twice does no harm.

        They are shortened, and known to have ended.

        Raises:
            EnvironmentalError: Nothing can be written; another call goes on.
        """
        ...

    def delete(self, run_id: str) -> None:
        """Remove all captures of a run."""
        ...


def log_key(run_id: str, step_key: str) -> LogKey:
    """The log key of a step."""
    return (run_id, _PLACE, file_key_of(step_key))


def file_key_of(step_key: str) -> str:
    """The file key of a step: its key where that is a safe file name, as it nearly always is.

    Otherwise unsafe characters become `_`, and a hash keeps two such keys apart.
    """
    if _FILE_KEY.fullmatch(step_key) and step_key.strip("."):
        return step_key
    mark = hashlib.blake2b(step_key.encode(errors="surrogatepass"), digest_size=6).hexdigest()
    return f"{_UNSAFE.sub('_', step_key)[:180]}-{mark}"


def check_log_key(key: Sequence[str]) -> tuple[str, str]:
    """(run id, file key) of a log key that may come from outside.

    Raises:
        NotFoundError: It is no log key; nothing of it has reached a file name.
    """
    match list(key):
        case [run_id, place, file_key] if (
            place == _PLACE and is_run_id(run_id) and _FILE_KEY.fullmatch(file_key) and file_key.strip(".")
        ):
            return run_id, file_key
    raise NotFoundError(f"There are no captured logs under the key {list(key)!r}; a key is [run id, {_PLACE!r}, file].")
