"""Runs in Redis.

Each run is a hash: its row, the row's version, and the places at which it is to be found. A place is a member of a
sorted set. In most of them all scores are 0, so that Redis keeps the run ids in the order of their letters, which
is the order in which the runs were made: a page is a range of such a set. Three are sorted by time instead.

    run:<id>                the row, its version, its places
    runs                    all ids
    status:<s> job:<j> location:<l> tagged:<key> tag:[<key>, <value>]    ids of those runs
    created updated ended   ids by time
    open                    ids of runs that have not ended
    keys values:<key>       tag keys, and the values of each
    announced               changes that are not settled

One script (`put.lua`) stores a row together with its places, if nobody else has meanwhile.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.codec import decode_msgpack, encode_msgpack
from penstock.records.run import Run
from penstock.storage.protocols import RunFilter
from penstock.storage.run_catalog import Announcement, CatalogRow, fits

from .redis_store import RedisStore, told_apart

__all__ = ["RedisRunStorage"]

_CHUNK = 200
_PUT = Path(__file__).with_name("put_runs.lua").read_text(encoding="utf-8")


class RedisRunStorage(RedisStore):
    """`RunCatalog` on one Redis server.

    Args:
        url: The server and its database: `redis://:password@host:6379/0`.
        prefix: What every key begins with, so that several instances may share a database.
        patience: How many seconds an answer may take.

    Nothing is opened before the first use.
    """

    kept = "runs"

    def __init__(self, url: str, *, prefix: str = "penstock:", patience: float = 30.0) -> None:
        super().__init__(url, prefix, patience)
        self._put = self._client.register_script(_PUT)

    # -- keeping rows -------------------------------------------------------------------------------------------------

    def announce(self, change: str, run_ids: Sequence[str], *, now: float) -> list[int]:
        """Remember, until it is settled, that these runs are about to change; gives the version of each."""
        body = encode_msgpack(Announcement(change=change, run_ids=tuple(run_ids), at=now))
        with told_apart("announce a change of runs"), self._client.pipeline(transaction=False) as pipeline:
            pipeline.hset(self._key("announced"), change, body)
            for run_id in run_ids:
                pipeline.hget(self._key(f"run:{run_id}"), "version")
            _, *versions = pipeline.execute()
        return [int(version or 0) for version in versions]

    def announced(self) -> list[Announcement]:
        """What was announced and is not settled."""
        with told_apart("read announced changes"):
            found = self._client.hvals(self._key("announced"))
        return [decode_msgpack(body, Announcement) for body in found]

    def settle(self, changes: Sequence[str]) -> None:
        """Forget these announcements."""
        if changes:
            with told_apart("settle changes of runs"):
                self._client.hdel(self._key("announced"), *changes)

    def versions(self, run_ids: Sequence[str]) -> list[int]:
        """The version of each of these runs, in their order."""
        return [int(version or 0) for version in self._of_each(run_ids, "version")]

    def put(self, rows: Sequence[CatalogRow], *, settles: str | None = None) -> list[str]:
        """Store or remove those whose version is still the one that the row names; gives the ids of the others."""
        arguments: list[Any] = [settles or ""]
        for row in rows:
            body = b"" if row.run is None else encode_msgpack(row.run)
            places = [] if row.run is None else list(_places(row.run))
            arguments += [row.run_id, row.version, body, json.dumps(places)]
        with told_apart("store runs"):
            refused: list[bytes] = self._put(keys=[self._prefix], args=arguments)
        return [run_id.decode() for run_id in refused]

    # -- finding ------------------------------------------------------------------------------------------------------

    def get(self, run_id: str) -> Run | None:
        """The run of that id."""
        return next(self._rows([run_id]), None)

    def page(self, where: RunFilter, *, limit: int, before: str | None = None, ascending: bool = False) -> list[Run]:
        """Runs newest first, after the cursor `before`."""
        return list(itertools.islice(self._matching(where, before, ascending, size=limit), limit))

    def count(self, where: RunFilter, *, at_most: int = 10_000) -> int:
        """How many runs match, at most `at_most`."""
        one_condition = (
            RunFilter(),
            RunFilter(statuses=where.statuses),
            RunFilter(job=where.job),
            RunFilter(location=where.location),
        )
        if where in one_condition:
            with told_apart("count runs"):
                total = sum(int(self._client.zcard(self._key(name))) for name in _indexes(where))
            return min(total, at_most)
        return sum(1 for _ in itertools.islice(self._matching(where, None, ascending=True), at_most))

    def tag_keys(self) -> list[str]:
        """All tag keys in use, sorted."""
        with told_apart("read tag keys"):
            return [key.decode() for key in self._client.zrange(self._key("keys"), 0, -1)]

    def tag_values(self, key: str, *, prefix: str = "", limit: int = 100) -> list[str]:
        """Values in use for a tag key, sorted."""
        lowest = prefix.encode()
        with told_apart("read tag values"):
            found = self._client.zrange(
                self._key(f"values:{key}"), b"[" + lowest, b"[" + lowest + b"\xff", bylex=True, offset=0, num=limit
            )
        return [value.decode() for value in found]

    def _matching(self, where: RunFilter, before: str | None, ascending: bool, *, size: int = _CHUNK) -> Iterator[Run]:
        """The runs that fit, in the order of a page; `size` is how many rows are fetched at first."""
        ids = self._candidates(where, before, ascending)
        while chunk := list(itertools.islice(ids, size)):
            yield from (run for run in self._rows(chunk) if fits(run, where))
            size = _CHUNK

    def _candidates(self, where: RunFilter, before: str | None, ascending: bool) -> Iterator[str]:
        """Ids of all runs that may fit, and of others, each once: along the index that promises the fewest."""
        if where.run_ids is not None:
            return _ordered(where.run_ids, before, ascending)
        if not (where.statuses or where.job or any(isinstance(value, str) for value in where.tags.values())):
            for name, after in (("updated", where.updated_after), ("created", where.created_after)):
                if after is not None:
                    return _ordered(self._later(name, after), before, ascending)
            if where.ended_after is not None:
                with told_apart("read open runs"):
                    still_open = [run_id.decode() for run_id in self._client.zrange(self._key("open"), 0, -1)]
                return _ordered([*still_open, *self._later("ended", where.ended_after)], before, ascending)
        merged = heapq.merge(*(self._walk(name, before, ascending) for name in _indexes(where)), reverse=not ascending)
        return (run_id for run_id, _ in itertools.groupby(merged))

    def _later(self, name: str, after: float) -> list[str]:
        with told_apart("find runs by time"):
            found = self._client.zrange(self._key(name), f"({after!r}", "+inf", byscore=True)
        return [run_id.decode() for run_id in found]

    def _walk(self, name: str, before: str | None, ascending: bool) -> Iterator[str]:
        """The ids of an index from the cursor on, fetched as they are wanted."""
        cursor = before
        while True:
            beyond = None if cursor is None else f"({cursor}"
            first, last = (beyond or "-", "+") if ascending else (beyond or "+", "-")
            with told_apart("find runs"):
                found = self._client.zrange(
                    self._key(name), first, last, desc=not ascending, bylex=True, offset=0, num=_CHUNK
                )
            ids = [run_id.decode() for run_id in found]
            yield from ids
            if len(ids) < _CHUNK:
                return
            cursor = ids[-1]

    def _rows(self, run_ids: Sequence[str]) -> Iterator[Run]:
        return (decode_msgpack(body, Run) for body in self._of_each(run_ids, "row") if body is not None)

    def _of_each(self, run_ids: Sequence[str], field: str) -> list[Any]:
        """One field of each of these runs, None where there is none."""
        if not run_ids:
            return []
        with told_apart("read runs"), self._client.pipeline(transaction=False) as pipeline:
            for run_id in run_ids:
                pipeline.hget(self._key(f"run:{run_id}"), field)
            found: list[Any] = pipeline.execute()
        return found


def _places(run: Run) -> Iterator[tuple[str | float, ...]]:
    """Where a run is to be found: index and score, and tag key and value where the index is that of a tag."""
    yield "runs", 0
    yield f"status:{run.status}", 0
    yield f"job:{run.job}", 0
    yield f"location:{run.location}", 0
    yield "created", run.created
    yield "updated", run.updated
    yield ("open", 0) if run.ended is None else ("ended", run.ended)
    for key, value in run.tags.items():
        yield f"tagged:{key}", 0
        yield _tag(key, value), 0, key, value


def _indexes(where: RunFilter) -> list[str]:
    """The indexes that together have all runs which may fit."""
    for key, value in where.tags.items():
        if isinstance(value, str):
            return [_tag(key, value)]
    if where.job is not None and where.statuses is None:
        return [f"job:{where.job}"]
    if where.statuses is not None:
        return [f"status:{status}" for status in sorted(set(where.statuses))]
    for key, value in where.tags.items():
        return [f"tagged:{key}"] if value is None else [_tag(key, each) for each in sorted(set(value))]
    return ["runs"] if where.location is None else [f"location:{where.location}"]


def _tag(key: str, value: str) -> str:
    return f"tag:{json.dumps([key, value])}"


def _ordered(run_ids: Iterable[str], before: str | None, ascending: bool) -> Iterator[str]:
    """Ids in the order of a page, each once, from the cursor on."""
    for run_id in sorted(set(run_ids), reverse=not ascending):
        if before is None or (run_id > before if ascending else run_id < before):
            yield run_id
