"""Wakes the processes of one host that wait for changes of one database, without polling and without a broker.

Each listener binds a datagram socket in a private folder whose name is made from the database's path; a publisher
sends the topics to every socket there. Nobody listening costs a publisher one look at the folder. A datagram can be
lost (a full queue, a listener under another user); so an idle listener also looks once a second whether the database
has changed, and then reports `*`: "anything may have".
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import os
import select
import socket
import stat
import tempfile
import threading
from collections.abc import Iterable
from pathlib import Path

from ...clock import SYSTEM_CLOCK
from .connection import ChangeWatch, Database

__all__ = ["EVERYTHING", "SocketNotifier", "SocketSubscription"]

EVERYTHING = "*"
"""The topic that stands for all topics."""

_DATAGRAM_BYTES = 4096
_SOCKET_PATH_BYTES = 100  # the system's limit is 108 with the closing zero, 104 on some
_LOOK_SECONDS = 1.0
_FOLDER_TIME_SECONDS = 0.1
_BIND_TRIES = 5

_serial = itertools.count(1)


class SocketNotifier:
    """`Notifier` for the processes of one host that share a SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._folder = _folder(database)
        self._listed_at = 0.0
        self._targets: list[str] = []
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def publish(self, topics: Iterable[str]) -> None:
        """Tell every listener; never blocks, never fails the caller."""
        targets = self._listeners()
        if not targets:
            return
        message = "\n".join(topics).encode("utf-8", "replace")
        if not message:
            return
        if len(message) > _DATAGRAM_BYTES:
            message = EVERYTHING.encode()
        with self._lock:
            if self._socket is None:
                self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
            for target in targets:
                try:
                    self._socket.sendto(message, target)
                except OSError as error:
                    # A full queue wakes its listener anyway. A socket that nobody holds is swept away; whatever else
                    # went wrong, the listener's own look at the database makes good.
                    if error.errno == errno.ECONNREFUSED:
                        with contextlib.suppress(OSError):
                            Path(target).unlink()

    def subscribe(self) -> SocketSubscription:
        """Listen to all topics from now on."""
        return SocketSubscription(self._folder, self._database.watch())

    def close(self) -> None:
        """Close the sending socket; a later use opens another."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _listeners(self) -> list[str]:
        try:
            changed_at = self._folder.stat().st_mtime
            if changed_at != self._listed_at:
                self._targets = [str(path) for path in self._folder.iterdir()]
                # Times of folders move in steps: what changes within the step that was read here would not show.
                settled = SYSTEM_CLOCK.now() - changed_at > _FOLDER_TIME_SECONDS
                self._listed_at = changed_at if settled else 0.0
        except OSError:
            return []
        return self._targets


class SocketSubscription:
    """One listener's queue of topics; for one thread."""

    def __init__(self, folder: Path, watch: ChangeWatch) -> None:
        self._watch = watch
        self._pid = os.getpid()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._path = _bind(self._socket, folder)
        self._queue_length = _queue_length()
        self._heard = False
        self._watch.changed()
        self._next_look = SYSTEM_CLOCK.monotonic() + _LOOK_SECONDS

    def wait(self, timeout: float | None) -> frozenset[str]:
        """Block until something is published or the timeout (seconds) is over; gives the topics, maybe none."""
        deadline = None if timeout is None else SYSTEM_CLOCK.monotonic() + timeout
        while True:
            topics = self._drain()
            if topics:
                self._heard = True
                return topics
            now = SYSTEM_CLOCK.monotonic()
            if now >= self._next_look:
                self._next_look = now + _LOOK_SECONDS
                # A change of a second in which something was heard is taken for what was heard of.
                heard, self._heard = self._heard, False
                if self._watch.changed() and not heard:
                    return frozenset({EVERYTHING})
            if deadline is not None and now >= deadline:
                return frozenset()
            until = self._next_look if deadline is None else min(deadline, self._next_look)
            ready = select.poll()  # select() refuses the high descriptors of a process with many open files
            ready.register(self._socket, select.POLLIN)
            ready.poll(max(0.0, until - now) * 1000)

    def fileno(self) -> int:
        """A descriptor that is readable when something was published; what only the database knows does not show."""
        return self._socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        self._watch.rest()
        self._socket.close()
        if self._path is not None and self._pid == os.getpid():
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                self._path.parent.rmdir()  # when it was the last one there
            self._path = None

    def _drain(self) -> frozenset[str]:
        topics: set[str] = set()
        count = 0
        while True:
            try:
                message = self._socket.recv(_DATAGRAM_BYTES)
            except BlockingIOError:
                break
            topics.update(message.decode("utf-8", "replace").split("\n"))
            count += 1
        if count >= self._queue_length:
            topics.add(EVERYTHING)  # it was full, so something may have found no place
        return frozenset(topics)


def _folder(database: Database) -> Path:
    """The folder of the listeners' sockets, short enough for the limit on a socket's path."""
    identity = str(database.path.absolute()) if database.path is not None else f"memory-{os.getpid()}-{id(database)}"
    name = f"penstock-{os.getuid()}-{hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()}"
    folder = Path(tempfile.gettempdir()) / name
    if len(os.fsencode(folder)) + len("/4194304-99999") > _SOCKET_PATH_BYTES:
        folder = Path("/tmp") / name  # noqa: S108 - the folder is private and its owner is checked
    return folder


def _bind(listener: socket.socket, folder: Path) -> Path | None:
    """Give the socket a name in the folder; None where that cannot be, and only the database tells of changes."""
    path = folder / f"{os.getpid()}-{next(_serial)}"
    for _ in range(_BIND_TRIES):
        if not _own_folder(folder):
            return None
        try:
            listener.bind(str(path))
        except FileNotFoundError:
            continue  # the last of the other listeners has just taken the folder away
        except OSError:
            return None
        return path
    return None


def _own_folder(folder: Path) -> bool:
    """Make the folder, and see that it is ours alone: another user must not read or fake our topics."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not stat.S_IMODE(found.st_mode) & 0o077


def _queue_length() -> int:
    """How many datagrams the system keeps for a socket that nobody reads."""
    try:
        return int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 10
