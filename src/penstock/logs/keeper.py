"""Follows the captures of a run from outside of the steps: user code and its output never wait for it.

It looks at a capture when it has grown, at most ten times a second: marks when the bytes came, leaves the middle out of
what is too long, and tells whoever listens. Where the system cannot tell that a file has grown, it looks by itself, the
more seldom the longer nothing comes. Nothing is open: it does nothing.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable

from ..clock import Clock
from .growth import GrowthWatch
from .local import LocalLogStore
from .store import STREAMS, LogKey, Stream

__all__ = ["LogKeeper", "topic_of"]

_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
_WAIT_FOR_END = 2.0
_MANY_MARKS = 2000


def topic_of(run_id: str) -> str:
    """What is published when captured output of a run has grown or ended."""
    return f"logs:{run_id}"


class _Followed:
    """An open capture as it is seen from outside."""

    def __init__(self, key: LogKey) -> None:
        self.key = key
        self.sizes = (0, 0)
        self.watches: dict[int, Stream] = {}
        self.is_watched = False
        self.has_grown = True  # nobody has looked yet
        self.marks = 0
        self.marked_at = 0.0
        self.over_since: float | None = None


class LogKeeper:
    """Follows captures; a watch of the loop that follows a run, or of a thread beside it.

    `began` and `ended` may be called from another thread than the rest.

    Args:
        files: Where the captures are.
        run_id: The run.
        clock: The time.
        publish: Tells topics to whoever listens.
        tell: Takes what people should know, once: that the disk is full, that nothing can be left out.

    Attributes:
        wake: Called when it wants attention that it did not want before; for a thread that sleeps until then.
    """

    def __init__(
        self,
        files: LocalLogStore,
        run_id: str,
        clock: Clock,
        *,
        publish: Callable[[Iterable[str]], None],
        tell: Callable[[str], None],
    ) -> None:
        self._files = files
        self._run_id = run_id
        self._clock = clock
        self._publish = publish
        self._tell = tell
        self._told: set[str] = set()
        self._growth = GrowthWatch()
        self._open: dict[LogKey, _Followed] = {}
        self._due: float | None = None
        self._pause = _PAUSE
        self._last_look = float("-inf")
        self._has_news = False
        self.wake: Callable[[], None] = lambda: None

    def began(self, key: LogKey) -> None:
        """A capture has begun, or goes on."""
        followed = self._open.get(key)
        if followed is None:
            self._open[key] = _Followed(key)
        else:
            followed.over_since = None
        self._want_look()

    def ended(self, key: LogKey) -> None:
        """The step of a capture has ended; its process may still be about to."""
        followed = self._open.get(key)
        if followed is not None and followed.over_since is None:
            followed.over_since = self._clock.monotonic()
            self._want_look()

    def fileno(self) -> int:
        """Readable when a capture has grown; -1 where nobody tells that."""
        return self._growth.fileno()

    def due_in(self) -> float | None:
        """Seconds until it wants to look; None if it waits for something to grow."""
        return None if self._due is None else max(0.0, self._due - self._clock.monotonic())

    def attend(self) -> None:
        """Hear what has grown; look at it if the last look was long enough ago."""
        written = self._growth.written()
        if written:
            for each in list(self._open.values()):
                if not written.isdisjoint(each.watches):
                    each.has_grown = True
                    each.watches = {number: stream for number, stream in each.watches.items() if number not in written}
            self._want_look()
        now = self._clock.monotonic()
        if self._due is not None and now >= self._due:
            self._look(now)

    def close(self) -> None:
        """Look for the last time: nothing that is followed grows any more."""
        now = self._clock.monotonic()
        had_news = bool(self._open)
        for each in list(self._open.values()):
            self._look_at(each, now)
            self._forget(each)
        self._due = None
        self._growth.close()
        if had_news:
            self._publish([topic_of(self._run_id)])

    # -- looking ------------------------------------------------------------------------------------------------------

    def _want_look(self) -> None:
        if self._due is None or self._pause > _PAUSE:
            self._pause = _PAUSE
            self._due = max(self._clock.monotonic(), self._last_look) + _PAUSE
            self.wake()

    def _look(self, now: float) -> None:
        self._last_look = now
        self._due = None
        again = False
        grew = False
        for each in list(self._open.values()):
            if each.has_grown or not each.is_watched or each.over_since is not None:
                grew |= self._look_at(each, now)
            if each.over_since is not None:
                if self._files.has_ended(each.key) or now - each.over_since > _WAIT_FOR_END:
                    self._forget(each)
                else:
                    again = True
            elif not each.is_watched:
                again = True
        if grew or self._has_news:
            self._has_news = False
            self._publish([topic_of(self._run_id)])
        if again:
            self._pause = _PAUSE if grew else min(_LONGEST_PAUSE, self._pause * 2)
            self._due = now + self._pause

    def _look_at(self, followed: _Followed, now: float) -> bool:
        """Whether it has grown since the last look."""
        key = followed.key
        followed.has_grown = False
        if followed.over_since is None:
            self._watch(followed)  # before the sizes are read, so that nothing grows unseen in between
        sizes = (self._files.size(key, "stdout"), self._files.size(key, "stderr"))
        if sizes == followed.sizes:
            return False
        followed.sizes = sizes
        # Where very much comes, a mark for each look would in the end be more than what is marked.
        if now - followed.marked_at >= (0.0 if followed.marks < _MANY_MARKS else 10 * _LONGEST_PAUSE):
            followed.marks += 1
            followed.marked_at = now
            self._guarded(lambda: self._files.mark(key))
        self._guarded(lambda: self._shorten(key))
        return True

    def _watch(self, followed: _Followed) -> None:
        present = set(followed.watches.values())
        for stream in STREAMS:
            if stream not in present:
                number = self._growth.watch(self._files.path(followed.key, stream))
                if number is not None:
                    followed.watches[number] = stream
        followed.is_watched = len(followed.watches) == len(STREAMS)

    def _forget(self, followed: _Followed) -> None:
        for number in followed.watches:
            self._growth.drop(number)
        self._open.pop(followed.key, None)
        self._has_news = True
        if not self._files.has_ended(followed.key):
            self._guarded(lambda: self._files.mark(followed.key, "end"))

    def _shorten(self, key: LogKey) -> None:
        for stream in STREAMS:
            if not self._files.shorten(key, stream):
                self._tell_once(
                    f"The file system of {self._files.root} cannot drop the middle of a file, so captured output is "
                    f"kept whole, beyond the limit of {self._files.most_bytes:,} bytes; let compute_logs name a folder "
                    "on another one."
                )

    def _guarded(self, act: Callable[[], None]) -> None:
        """Do what serves readers alone: where it fails, the run goes on and its log says so once."""
        try:
            act()
        except OSError as error:
            what = "The disk is full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else str(error)
            self._tell_once(f"{what}: captured output in {self._files.root} is not looked after; make room there.")

    def _tell_once(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
