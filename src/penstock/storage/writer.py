"""Writes a run worker's events in batches, in order, and through an outage of the database.

An event waits in memory until the batch is full, old, or holds something that others wait for (a step's or the run's
end); then the batch is stored at once. While the database is away, events are kept up to a bound and sent again later:
they are numbered, so a batch that was stored although its answer was lost is stored once. What the database refuses
would be refused again: it is left out, and whoever writes next is told so.

No thread is started unless `background` asks for one: a process that forks must have none. A select loop asks
`due_in` when to call `flush`.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Set
from itertools import islice

from ..clock import SYSTEM_CLOCK, Clock
from ..errors import FencedError, StorageError, StorageUnavailableError
from ..records.event import Event, Fact
from .derive import RUN_EVENTS
from .encoding import encode_event
from .protocols import EventStorage

__all__ = ["URGENT", "EventWriter"]

URGENT = RUN_EVENTS | {"STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED", "STEP_UP_FOR_RETRY", "RESOURCE_INIT_FAILURE"}
"""What others wait for: the ends of steps, and whatever moves the run."""

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 5.0


class EventWriter:
    """The one writer of an attempt's events.

    Args:
        events: Where they go.
        run_id, attempt: Whose they are; the attempt fences late writers.
        first_seq: The number of the first event.
        max_events, max_seconds: A batch is stored when it has so many events, or when its first is so old.
        urgent: Event types that are stored at once, with all that came before them. Where nobody waits for a step's end
            (a run in one process), fewer types make larger batches.
        background: Start a thread that stores a batch when it is old; only where nothing forks.
        max_spool_events, max_spool_bytes: How much is kept while the database is away. What comes after that raises.
        pause: Waits so many seconds; a test gives its own.

    Every method may be called from any thread. `FencedError` passes through: the attempt is over, the worker must stop.
    So does a `StorageError` by which the database refuses an event, once and without that event; those around it are
    stored, and those that come after it will be, so that the log can tell why the run ends; but not a RUN_SUCCESS that
    waited behind it.
    """

    def __init__(
        self,
        events: EventStorage,
        run_id: str,
        attempt: int,
        clock: Clock = SYSTEM_CLOCK,
        *,
        first_seq: int = 1,
        max_events: int = 1000,
        max_seconds: float = 0.05,
        urgent: Set[str] = URGENT,
        background: bool = False,
        max_spool_events: int = 500_000,
        max_spool_bytes: int = 64 * 1024 * 1024,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._events = events
        self._run_id = run_id
        self._attempt = attempt
        self._clock = clock
        self._max_events = max_events
        self._max_seconds = max_seconds
        self._urgent = urgent
        self._max_spool_events = max_spool_events
        self._max_spool_bytes = max_spool_bytes
        self._pause = pause

        self._next_seq = first_seq
        self._waiting: deque[Event] = deque()
        self._oldest: float | None = None  # when the first of the waiting came, on the monotonic clock
        self._failures = 0
        self._away: StorageError | None = None
        self._refused: StorageError | None = None
        self._one_by_one = 0
        self._fenced: FencedError | None = None
        self._retry_at = 0.0
        self._spooled_bytes = 0
        self._lock = threading.Lock()
        self._wakes_flusher = threading.Condition(self._lock)
        self._flusher_rests = False
        self._storing = threading.RLock()
        self._closed = False
        self._flusher: threading.Thread | None = None
        if background:
            self._flusher = threading.Thread(target=self._flush_when_old, name="penstock-events", daemon=True)
            self._flusher.start()

    # -- writing ------------------------------------------------------------------------------------------------------

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> Event:
        """Number an event and hand it in; it is stored now, or a little later with others.

        Args:
            time: When it happened, in seconds since the epoch; None is now.

        Raises:
            FencedError: The attempt is over.
            StorageError: The database has been away for so long that no more can be kept, or has refused an event that
                came before or this one.
        """
        with self._lock:
            self._tell_refusal()
            event = Event(
                time=self._clock.now() if time is None else time, fact=fact, step_key=step_key, seq=self._next_seq
            )
            if self._fenced is not None:
                raise self._fenced
            if self._away is not None:
                self._make_room(event, self._away)
            self._next_seq += 1
            self._waiting.append(event)
            now = self._clock.monotonic()
            if self._oldest is None:
                self._oldest = now
                if self._flusher_rests:
                    self._flusher_rests = False
                    self._wakes_flusher.notify()
            is_due = event.type in self._urgent or self._is_due(now)
        if is_due:
            self.flush()
        return event

    def flush(self, patience: float = 0.0) -> bool:
        """Store all that waits.

        Args:
            patience: For how many seconds to go on trying while the database is away. With 0 it tries once, and not
                at all within the pause after a failed try.

        Returns:
            Whether everything is stored.

        Raises:
            FencedError: The attempt is over; nothing more of it will be stored.
            StorageError: The database has refused an event; everything else is stored, or waits.
        """
        deadline = self._clock.monotonic() + patience
        while not self._try_to_store():
            now = self._clock.monotonic()
            if now >= deadline:
                return False
            self._pause(max(0.0, min(self._retry_at, deadline) - now))
        return True

    def due_in(self) -> float | None:
        """In how many seconds `flush` should be called; None while nothing waits."""
        with self._lock:
            return self._due_in()

    def close(self, patience: float = 0.0) -> bool:
        """Store what waits, as `flush` does, and end the thread if there is one."""
        with self._lock:
            self._closed = True
            self._wakes_flusher.notify()
        if self._flusher is not None:
            self._flusher.join()
            self._flusher = None
        return self.flush(patience)

    @property
    def next_seq(self) -> int:
        """The number that the next event will have."""
        return self._next_seq

    @property
    def waiting(self) -> int:
        """How many events are not stored yet."""
        return len(self._waiting)

    # -- storing ------------------------------------------------------------------------------------------------------

    def _due_in(self) -> float | None:
        if self._oldest is None:
            return None
        due = max(self._oldest + self._max_seconds, self._retry_at)
        return max(0.0, due - self._clock.monotonic())

    def _is_due(self, now: float) -> bool:
        assert self._oldest is not None
        if now < self._retry_at:
            return False
        return len(self._waiting) >= self._max_events or now - self._oldest >= self._max_seconds

    def _try_to_store(self) -> bool:
        """Store all batches that wait, oldest first; False when the database is away."""
        with self._storing:
            while True:
                with self._lock:
                    if self._fenced is not None:
                        raise self._fenced
                    if not self._waiting:
                        self._oldest = None
                        self._tell_refusal()
                        return True
                    if self._clock.monotonic() < self._retry_at:
                        return False
                    batch = list(islice(self._waiting, 1 if self._one_by_one else self._max_events))
                try:
                    self._events.append(self._run_id, self._attempt, batch, now=self._clock.now())
                except StorageUnavailableError as error:
                    self._note_failure(error)
                    return False
                except StorageError as error:
                    if len(batch) > 1:
                        self._one_by_one = len(batch)  # find the one that is meant
                        continue
                    self._refused = error
                except FencedError as error:
                    with self._lock:
                        self._fenced, self._oldest = error, None
                        self._waiting.clear()
                    raise
                with self._lock:
                    for _ in batch:
                        self._waiting.popleft()
                    self._one_by_one = max(0, self._one_by_one - len(batch))
                    if self._refused is not None and self._waiting and self._waiting[-1].type == "RUN_SUCCESS":
                        self._waiting.pop()  # a run whose log lacks something has not succeeded
                    self._oldest = self._clock.monotonic() if self._waiting else None
                    self._failures, self._away, self._retry_at, self._spooled_bytes = 0, None, 0.0, 0

    def _tell_refusal(self) -> None:
        """Raise what the database has refused, once."""
        refused, self._refused = self._refused, None
        if refused is not None:
            raise refused

    def _note_failure(self, error: StorageError) -> None:
        with self._lock:
            self._retry_at = self._clock.monotonic() + min(_FIRST_PAUSE * 2**self._failures, _LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 10)
            if self._away is None:
                self._spooled_bytes = sum(len(encode_event(event)[1]) for event in self._waiting)
            self._away = error

    def _make_room(self, event: Event, away: StorageError) -> None:
        size = len(encode_event(event)[1])
        if len(self._waiting) >= self._max_spool_events or self._spooled_bytes + size > self._max_spool_bytes:
            raise StorageError(
                f"The database has been away for so long that {len(self._waiting)} events of the run {self._run_id} "
                f"({self._spooled_bytes} bytes) wait for it, and no more can be kept. The last try said: {away}"
            ) from away
        self._spooled_bytes += size

    def _flush_when_old(self) -> None:
        while True:
            with self._lock:
                while not self._closed and (due_in := self._due_in()) != 0.0:
                    self._flusher_rests = due_in is None
                    self._wakes_flusher.wait(due_in)
                if self._closed:
                    return
            try:
                self.flush()
            except FencedError:
                return  # the next emit raises it where somebody can act on it
            except StorageError as error:
                self._refused = error  # as above
