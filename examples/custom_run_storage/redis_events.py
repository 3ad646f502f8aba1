"""Raw events in Redis: an event log storage of one's own, whole and small.

An event is a key with its MessagePack. The events of a run, and those of a type, are a sorted set
of ids each, so that a page is a range of such a set. A script (`put_events.lua`) stores a page of events.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.records.event import StoredEvent
from penstock.storage.event_catalog import CopiedEvent

from .redis_store import RedisStore, told_apart

__all__ = ["RedisEventLogStorage"]

_CHUNK = 200
_FORGOTTEN_FOR = 86_400
_PUT = Path(__file__).with_name("put_events.lua").read_text(encoding="utf-8")


class RedisEventLogStorage(RedisStore):
    """`EventCatalog` on one Redis server.

    Args:
        url: The server and its database: `redis://:password@host:6379/0`.
        prefix: What every key begins with, so that several instances may share a database.
        patience: How many seconds an answer may take.

    Nothing is opened before the first use.
    """

    kept = "events"

    def __init__(self, url: str, *, prefix: str = "penstock:events:", patience: float = 30.0) -> None:
        super().__init__(url, prefix, patience)
        self._put = self._client.register_script(_PUT)

    # -- keeping ------------------------------------------------------------------------------------------------------

    def reached(self) -> int:
        """The id up to which it has all events."""
        with told_apart("read how far the event log is there"):
            return int(self._client.get(self._key("reached")) or 0)

    def put(self, events: Sequence[CopiedEvent], *, reached: int) -> None:
        """Store events, and then note that all up to the id `reached` are there."""
        arguments: list[Any] = [reached]
        for each in events:
            arguments += [each.id, each.run_id or "", each.event.type, encode_msgpack(each)]
        with told_apart("store events"):
            self._put(keys=[self._prefix], args=arguments)

    def forget(self, run_id: str) -> None:
        """Remove the events of a run; those that come later are passed over."""
        of_run = self._key(f"run:{run_id}")
        with told_apart("remove the events of a run"):
            self._client.set(self._key(f"forgotten:{run_id}"), "", ex=_FORGOTTEN_FOR)
            while ids := [int(event_id) for event_id in self._client.zrange(of_run, 0, _CHUNK - 1)]:
                found = list(self._events(ids, size=_CHUNK))
                with self._client.pipeline(transaction=True) as pipeline:
                    for each in found:
                        pipeline.zrem(self._key(f"type:{each.event.type}"), each.id)
                    pipeline.delete(*(self._key(f"event:{event_id}") for event_id in ids))
                    pipeline.zrem(of_run, *ids)
                    pipeline.execute()

    # -- reading ------------------------------------------------------------------------------------------------------

    def of_run(
        self,
        run_id: str,
        *,
        after: int = 0,
        limit: int = 1000,
        types: Sequence[str] | None = None,
        step_keys: Sequence[str] | None = None,
    ) -> list[StoredEvent]:
        """A run's events in the order of their ids."""
        found = (
            each.stored
            for each in self._events(self._walk(f"run:{run_id}", after, None, ascending=True), size=limit)
            if (types is None or each.event.type in types) and (step_keys is None or each.event.step_key in step_keys)
        )
        with told_apart("read events"):
            return list(itertools.islice(found, limit))

    def of_types(
        self,
        types: Sequence[str],
        *,
        after: int | None = None,
        before: int | None = None,
        since: float | None = None,
        until: float | None = None,
        jobs: Sequence[str] | None = None,
        ascending: bool = True,
        limit: int = 100,
    ) -> list[StoredEvent]:
        """Events of these types over all runs, oldest first or newest first."""
        walks = [self._walk(f"type:{each}", after, before, ascending=ascending) for each in dict.fromkeys(types)]
        found = (
            each.stored
            for each in self._events(heapq.merge(*walks, reverse=not ascending), size=limit)
            if (since is None or each.event.time > since)
            and (until is None or each.event.time < until)
            and (jobs is None or each.job in jobs)
        )
        with told_apart("read events"):
            return list(itertools.islice(found, limit))

    def get(self, event_id: int) -> StoredEvent | None:
        """One event."""
        with told_apart("read an event"):
            return next((each.stored for each in self._events([event_id], size=1)), None)

    def _walk(self, index: str, after: int | None, before: int | None, *, ascending: bool) -> Iterator[int]:
        """The ids of an index between two, fetched as they are wanted."""
        lowest, highest = "-inf" if after is None else f"({after}", "+inf" if before is None else f"({before}"
        while True:
            first, last = (lowest, highest) if ascending else (highest, lowest)
            found = self._client.zrange(
                self._key(index), first, last, desc=not ascending, byscore=True, offset=0, num=_CHUNK
            )
            ids = [int(event_id) for event_id in found]
            yield from ids
            if len(ids) < _CHUNK:
                return
            lowest, highest = (f"({ids[-1]}", highest) if ascending else (lowest, f"({ids[-1]}")

    def _events(self, ids: Iterable[int], *, size: int) -> Iterator[CopiedEvent]:
        """The events of these ids; `size` is how many are fetched at first."""
        left = iter(ids)
        while chunk := list(itertools.islice(left, min(size, _CHUNK))):
            size = _CHUNK
            bodies = self._client.mget([self._key(f"event:{event_id}") for event_id in chunk])
            yield from (decode_msgpack(body, CopiedEvent) for body in bodies if body is not None)
