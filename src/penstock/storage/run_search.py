"""How the runs that fit a `RunFilter` are found, in both dialects, at a cost that does not grow with the history.

Runs are found along an index, in the order of the page, and what the index does not know is looked up for each. Where
one index knows the whole filter, a page costs what it holds. Where several know a part of it, they are asked how far
back `LOOKS` of their entries reach: the one that reaches farthest has the fewest runs to look at. It is followed that
far and no farther, and the answer says where that was.

Times have indexes in another order. They serve where they leave few runs, which are then put in order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from ..ids import least_run_id
from ..records.run import Run
from . import rows
from .protocols import RunFilter, RunSearch, RunTally

__all__ = [
    "LOOKS",
    "RUN",
    "Condition",
    "Query",
    "RunQueries",
    "Source",
    "Way",
    "where_text",
    "whole_count",
    "whole_page",
]

LOOKS = 2_000
"""How many runs one search looks at."""

_EARLIER, _LATER = 86_400.0, 60.0
"""How much earlier or later than that of its creation the time may be that a run's id tells, in seconds. The id of a
retry tells when the run before it failed, which may be long ago where no daemon was at work."""

RUN = ", ".join(f"r.{column.strip()}" for column in rows.RUN.split(","))
"""The columns of a run."""

Query = tuple[str, list[Any]]
Condition = tuple[str, tuple[Any, ...]]


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """An index to follow.

    Args:
        table: The table that it is of, with a short name.
        index: Its name.
        knows: The parts of the filter that it sees to.
        columns: What of it, from its beginning on, has one value in each stretch.
        key: The column with the run ids.
        arms: The conditions of each stretch, whose first values are those of `columns`; stretches are followed side by
            side.
        in_order: Whether a stretch is in the order of the run ids.
        repeats: Whether a run may be there several times.
    """

    table: str
    index: str
    knows: frozenset[str]
    columns: tuple[str, ...] = ()
    key: str = "r.run_id"
    arms: tuple[tuple[Condition, ...], ...] = ((),)
    in_order: bool = True
    repeats: bool = False

    @property
    def group(self) -> str:
        """What gives each of its runs once."""
        return f" GROUP BY {self.key}" if self.repeats else ""

    @property
    def is_of_runs(self) -> bool:
        """Whether its table is that of the runs."""
        return self.key == "r.run_id"


class Way(msgspec.Struct, frozen=True):
    """A source, followed from the run id `low` to `high` or back, both included; `until` is where the search ends
    although there may be more beyond."""

    source: Source
    low: str | None = None
    high: str | None = None
    until: str | None = None


class RunQueries:
    """The statements that a filter comes to.

    Args:
        where: The filter.
        before: The last run id that was seen.
        ascending: Whether the oldest come first.
        by_id: Whether the id of a run may be trusted to tell when it was made.
        by_time: Whether an index by time is to be taken, however many runs it leaves.
    """

    mark: str
    tag_columns: tuple[str, ...]

    def __init__(
        self,
        where: RunFilter,
        *,
        before: str | None = None,
        ascending: bool = False,
        by_id: bool = True,
        by_time: bool = False,
    ) -> None:
        self._cursor = before
        self._ascending = ascending
        self._direction = "ASC" if ascending else "DESC"
        self._filters = dict(self._parts(where))
        self._sources = list(self._sources_for(where))
        self._by_time = by_time
        after, until = (where.created_after, where.created_before) if by_id else (None, None)
        self._low = None if after is None else least_run_id(after - _EARLIER)
        self._high = None if until is None else least_run_id(until + _LATER)

    # -- what differs -------------------------------------------------------------------------------------------------

    def among(self, column: str, values: Sequence[str]) -> Condition:
        """The condition that a column has one of these values."""
        raise NotImplementedError

    def tagged(self, table: str, key: str, value: str) -> Condition:
        """The condition that a row of the tags has this key and value, as the index takes it."""
        raise NotImplementedError

    def bound(self, source: Source, arm: Sequence[Condition], direction: str, run_id: str) -> Condition:
        """The condition that a stretch of a source begins or ends at a run id; `direction` is an operator."""
        raise NotImplementedError

    def run_of(self, source: Source) -> str:
        """The column with the run id that filters look other tables up by, before the run itself is read."""
        raise NotImplementedError

    def indexed(self, source: Source) -> str:
        """The table of a source, to be read along its index."""
        raise NotImplementedError

    def found(
        self, columns: str, source: Source, along: Sequence[Condition], filters: Sequence[Condition], limit: int
    ) -> Query:
        """The statement that follows a source where `along` holds, and gives as many as `limit` of what passes."""
        raise NotImplementedError

    # -- which way ----------------------------------------------------------------------------------------------------

    def known_way(self) -> Way | None:
        """The way, where the filter alone tells it."""
        for source in self._sources:
            if "run_ids" in source.knows or (source.in_order and source.knows >= self._filters.keys()):
                return Way(source)
        return None

    def probe(self) -> Query:
        """The statement that asks each source how far it reaches; `way` takes its row."""
        texts, values = [], []
        for source in self._sources:
            for arm in source.arms:
                conditions = [*arm, *(self._beyond(source, arm) if source.in_order else ())]
                text, bound = where_text(conditions)
                if source.in_order:
                    order = f"ORDER BY {source.key} {self._direction} LIMIT 1 OFFSET {LOOKS - 1}"
                    texts.append(f"(SELECT {source.key} FROM {self.indexed(source)}{text} {order})")
                else:
                    first = f"SELECT 1 FROM {self.indexed(source)}{text} LIMIT {LOOKS}"
                    texts.append(f"(SELECT COUNT(*) FROM ({first}) AS first)")
                values += bound
        return f"SELECT {', '.join(texts)}", values

    def way(self, reached: Sequence[Any]) -> Way:
        """The way with the fewest runs to look at, by the row of `probe`."""
        left = iter(reached)
        farthest: tuple[str, Source] | None = None
        for source in self._sources:
            ends = [end for _, end in zip(source.arms, left, strict=False) if end is not None]
            if not source.in_order:
                if self._by_time or sum(ends) < LOOKS:
                    return Way(source)
            elif not ends:
                return Way(source, self._low, self._high)
            else:
                end = min(ends) if self._ascending else max(ends)
                if farthest is None or (end > farthest[0] if self._ascending else end < farthest[0]):
                    farthest = (end, source)
        assert farthest is not None
        until, source = farthest
        if self._ascending:
            is_over = self._high is not None and until >= self._high
            return Way(source, self._low, self._high) if is_over else Way(source, self._low, until, until)
        is_over = self._low is not None and until <= self._low
        return Way(source, self._low, self._high) if is_over else Way(source, until, self._high, until)

    # -- what is there ------------------------------------------------------------------------------------------------

    def page(self, way: Way, *, limit: int) -> list[Query]:
        """Statements whose rows (of `rows.RUN`), merged in the order of the run ids and cut at `limit`, are a page."""
        return [self._limited(RUN, way, arm, limit) for arm in way.source.arms]

    def count(self, way: Way, *, at_most: int) -> list[Query]:
        """Statements whose numbers, added up and cut at `at_most`, tell how many are on the way."""
        found = (self._limited("1", way, arm, at_most) for arm in way.source.arms)
        return [(f"SELECT COUNT(*) FROM ({text}) AS counted", values) for text, values in found]

    def _limited(self, columns: str, way: Way, arm: Sequence[Condition], limit: int) -> Query:
        source = way.source
        along = [*arm, *self._beyond(source, arm, cursor_alone=True)]
        along += [self.bound(source, arm, ">=", way.low)] if way.low is not None else []
        along += [self.bound(source, arm, "<=", way.high)] if way.high is not None else []
        filters = (each for part, found in self._filters.items() if part not in source.knows for each in found)
        left = [(text.format(run=self.run_of(source)), values) for text, values in filters]
        return self.found(columns, source, along, left, limit)

    def _beyond(self, source: Source, arm: Sequence[Condition], *, cursor_alone: bool = False) -> list[Condition]:
        """From where on a source is followed."""
        conditions = []
        if self._cursor is not None:
            conditions.append(self.bound(source, arm, ">" if self._ascending else "<", self._cursor))
        begin = self._low if self._ascending else self._high
        if begin is not None and not cursor_alone:
            conditions.append(self.bound(source, arm, ">=" if self._ascending else "<=", begin))
        return conditions

    # -- the filter ---------------------------------------------------------------------------------------------------

    def _parts(self, where: RunFilter) -> Iterator[tuple[str, list[Condition]]]:
        """The conditions of each part of the filter."""
        mark = self.mark
        if where.run_ids is not None:
            yield "run_ids", [self.among("r.run_id", where.run_ids)]
        if where.statuses is not None:
            yield "statuses", [self.among("r.status", where.statuses)]
        for part, conditions in (
            ("job", [("r.job = {}", where.job)]),
            ("location", [("r.location = {}", where.location)]),
            ("created", [("r.created > {}", where.created_after), ("r.created < {}", where.created_before)]),
            ("updated", [("r.updated > {}", where.updated_after), ("r.updated < {}", where.updated_before)]),
            ("ended", [("(r.ended IS NULL OR r.ended > {})", where.ended_after)]),
            (
                "asset",
                [("EXISTS (SELECT 1 FROM planned_assets x WHERE x.run_id = {{run}} AND x.asset = {})", where.asset)],
            ),
        ):
            given: list[Condition] = [(text.format(mark), (value,)) for text, value in conditions if value is not None]
            if given:
                yield part, given
        for key, wanted in where.tags.items():
            condition = f"x.run_id = {{run}} AND x.key = {mark}"
            values: tuple[Any, ...] = (key,)
            if isinstance(wanted, str):
                condition, values = f"{condition} AND x.value = {mark}", (key, wanted)
            elif wanted is not None:
                text, listed = self.among("x.value", wanted)
                condition, values = f"{condition} AND {text}", (key, *listed)
            yield f"tag {key}", [(f"EXISTS (SELECT 1 FROM run_tags x WHERE {condition})", values)]
        for key in where.without_tags:
            text = f"NOT EXISTS (SELECT 1 FROM run_tags x WHERE x.run_id = {{run}} AND x.key = {mark})"
            yield f"no tag {key}", [(text, (key,))]

    def _sources_for(self, where: RunFilter) -> Iterator[Source]:
        """What may be followed; the last is the list of all runs."""

        def of_runs(
            index: str, *knows: str, arms: Sequence[Sequence[Condition]], columns: str = "", in_order: bool = True
        ) -> Source:
            return Source(
                table="runs r",
                index=index,
                knows=frozenset(knows),
                columns=tuple(columns.split()),
                arms=tuple(map(tuple, arms)),
                in_order=in_order,
            )

        mark = self.mark
        if where.run_ids is not None:
            yield of_runs("", "run_ids", arms=[self._filters["run_ids"]])
        for key, wanted in where.tags.items():
            if wanted is not None:
                values = (wanted,) if isinstance(wanted, str) else tuple(dict.fromkeys(wanted))
                yield Source(
                    table="run_tags t",
                    index="run_tags_by_value",
                    knows=frozenset({f"tag {key}"}),
                    columns=self.tag_columns,
                    key="t.run_id",
                    arms=tuple((self.tagged("t", key, value),) for value in values),
                )
        if where.asset is not None:
            yield Source(
                table="planned_assets p",
                index="planned_assets_by_asset",
                knows=frozenset({"asset"}),
                columns=("p.asset",),
                key="p.run_id",
                arms=(((f"p.asset = {mark}", (where.asset,)),),),
                repeats=True,
            )
        of_status = [(f"r.status = {mark}", (str(status),)) for status in sorted(set(where.statuses or ()))]
        of_job = (f"r.job = {mark}", (where.job,))
        if where.job is not None and where.statuses is not None:
            both = [(of_job, each) for each in of_status]
            yield of_runs("runs_by_job_status", "job", "statuses", arms=both, columns="r.job r.status")
        elif where.job is not None:
            yield of_runs("runs_by_job", "job", arms=[[of_job]], columns="r.job")
        elif where.statuses is not None:
            yield of_runs("runs_by_status", "statuses", arms=[[each] for each in of_status], columns="r.status")
        if where.location is not None:
            yield of_runs("runs_by_location", "location", arms=[self._filters["location"]], columns="r.location")
        for part in ("created", "updated"):
            if part in self._filters:
                yield of_runs(f"runs_by_{part}", part, arms=[self._filters[part]], in_order=False)
        if where.ended_after is not None:
            ended: list[list[Condition]] = [[("r.ended IS NULL", ())], [(f"r.ended > {mark}", (where.ended_after,))]]
            yield of_runs("runs_by_ended", "ended", arms=ended, in_order=False)
        yield of_runs("", arms=[[]])


def where_text(conditions: Sequence[Condition]) -> Query:
    """A WHERE of all these, with a space before it; nothing for none."""
    if not conditions:
        return "", []
    texts = " AND ".join(text for text, _ in conditions)
    return f" WHERE {texts}", [value for _, values in conditions for value in values]


def whole_page(search: Callable[..., RunSearch], *, limit: int, before: str | None) -> list[Run]:
    """A page by as many searches as it takes; where the first does not fill it, it is the times that tell the rest."""
    part = search(limit=limit, before=before, by_id=False)
    found = [*part.runs]
    while part.until is not None:
        part = search(limit=limit - len(found), before=part.until, by_id=False, by_time=True)
        found += part.runs
    return found


def whole_count(tally: Callable[..., RunTally], *, at_most: int) -> int:
    """A count by as many searches as it takes."""
    part = tally(at_most=at_most, before=None, by_id=False)
    number = part.number
    while part.until is not None:
        part = tally(at_most=at_most - number, before=part.until, by_id=False, by_time=True)
        number += part.number
    return number
