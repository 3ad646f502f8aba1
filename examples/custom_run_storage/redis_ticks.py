"""Ticks of schedules and sensors in Redis: a schedule storage of one's own, whole and small.

A tick is a hash, and those of a schedule or sensor are a sorted set of ids, and one for each status. A script
(`put_ticks.lua`) stores a tick over an earlier state of it, never over a later one.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.records.automation import InstigatorState, Tick, TickStatus

from .redis_store import RedisStore, told_apart

__all__ = ["RedisScheduleStorage"]

_CHUNK = 100
_PUT = Path(__file__).with_name("put_ticks.lua").read_text(encoding="utf-8")


class RedisScheduleStorage(RedisStore):
    """`TickCatalog` on one Redis server.

    Args:
        url: The server and its database: `redis://:password@host:6379/0`.
        prefix: What every key begins with, so that several instances may share a database.
        patience: How many seconds an answer may take.

    Nothing is opened before the first use.
    """

    kept = "ticks"

    def __init__(self, url: str, *, prefix: str = "penstock:ticks:", patience: float = 30.0) -> None:
        super().__init__(url, prefix, patience)
        self._put = self._client.register_script(_PUT)

    def reached(self) -> int:
        """The id up to which it has all ticks."""
        with told_apart("read how far the ticks are there"):
            return int(self._client.get(self._key("reached")) or 0)

    def put(self, ticks: Sequence[Tick], *, reached: int) -> None:
        """Store ticks, and then note that all up to the id `reached` are there."""
        arguments: list[Any] = [reached]
        for tick in ticks:
            place = 2 * tick.attempt + (tick.status is not TickStatus.STARTED)
            arguments += [tick.id, tick.instigator, tick.status.value, place, encode_msgpack(tick)]
        with told_apart("store ticks"):
            self._put(keys=[self._prefix], args=arguments)

    def open(self) -> list[Tick]:
        """The ticks that are STARTED as far as it knows."""
        with told_apart("read ticks that have not ended"):
            return list(self._ticks(map(int, self._client.smembers(self._key("open"))), size=_CHUNK))

    def ticks(
        self,
        instigator: str,
        *,
        before: int | None = None,
        limit: int = 50,
        statuses: Sequence[TickStatus] | None = None,
        after_time: float | None = None,
    ) -> list[Tick]:
        """Ticks, newest first, before the tick id `before`, that began after `after_time`."""
        names = (
            [f"ticks:{instigator}"]
            if statuses is None
            else [f"status:{each.value}:{instigator}" for each in dict.fromkeys(statuses)]
        )
        ids = heapq.merge(*(self._walk(name, before) for name in names), reverse=True)
        found = (tick for tick in self._ticks(ids, size=limit) if after_time is None or tick.started > after_time)
        with told_apart("read ticks"):
            return list(itertools.islice(found, limit))

    def show(self, states: Sequence[InstigatorState]) -> None:
        """Store these switches and cursors over those of the same ids."""
        if states:
            with told_apart("store switches and cursors"):
                shown = {state.id: encode_msgpack(state) for state in states}
                self._client.hset(self._key("states"), mapping=shown)

    def states(self) -> dict[str, InstigatorState]:
        """The switches and cursors as they were last shown, by id."""
        with told_apart("read switches and cursors"):
            found = self._client.hgetall(self._key("states"))
        return {key.decode(): decode_msgpack(body, InstigatorState) for key, body in found.items()}

    def _walk(self, index: str, before: int | None) -> Iterator[int]:
        """The ids of an index, the highest first, fetched as they are wanted."""
        while True:
            highest = "+inf" if before is None else f"({before}"
            found = self._client.zrange(
                self._key(index), highest, "-inf", desc=True, byscore=True, offset=0, num=_CHUNK
            )
            ids = [int(tick_id) for tick_id in found]
            yield from ids
            if len(ids) < _CHUNK:
                return
            before = ids[-1]

    def _ticks(self, ids: Iterable[int], *, size: int) -> Iterator[Tick]:
        """The ticks of these ids; `size` is how many are fetched at first."""
        left = iter(ids)
        while chunk := list(itertools.islice(left, min(size, _CHUNK))):
            size = _CHUNK
            with self._client.pipeline(transaction=False) as pipeline:
                for tick_id in chunk:
                    pipeline.hget(self._key(f"tick:{tick_id}"), "body")
                found = pipeline.execute()
            yield from (decode_msgpack(body, Tick) for body in found if body is not None)
