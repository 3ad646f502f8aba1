"""An event log storage of one's own: events that are stored once, and found again by all that is asked of a log."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from ...records.event import (
    AssetMaterialization,
    Event,
    Fact,
    LogLine,
    RunStart,
    RunSuccess,
    StepStart,
    StepSuccess,
    StoredEvent,
)
from ...storage.event_catalog import CopiedEvent, EventCatalog
from .builders import NOW

__all__ = ["EventCatalogContract"]

_MANY = 300
_JOBS = {"run-1": "nightly", "run-2": "hourly", "run-3": "nightly"}
_FACTS: tuple[Fact, ...] = (
    LogLine(level="INFO", message="a\x00b \N{SNOWMAN} half \\udc9f"),
    StepStart(),
    StepSuccess(seconds=1.5),
    AssetMaterialization(asset="orders", partition="2013-01-01"),
    RunStart(pid=7),
    RunSuccess(),
)


def _event(number: int, chance: random.Random) -> CopiedEvent:
    run_id = chance.choice([*_JOBS, None])
    step = chance.choice(("load", "store", None))
    return CopiedEvent(
        id=number,
        run_id=run_id,
        job=None if run_id is None else _JOBS[run_id],
        attempt=chance.randrange(3),
        event=Event(time=NOW + chance.randrange(50), fact=chance.choice(_FACTS), step_key=step, seq=number),
    )


def _log(count: int = _MANY) -> list[CopiedEvent]:
    """Events with gaps between their ids, as runs that were deleted leave them."""
    chance = random.Random(11)  # noqa: S311 - the same events each time
    return [_event(number, chance) for number in sorted(chance.sample(range(1, 3 * count), count))]


def _of_run(log: Sequence[CopiedEvent], run_id: str) -> list[StoredEvent]:
    return [each.stored for each in log if each.run_id == run_id]


class EventCatalogContract:
    """`EventCatalog`."""

    # -- keeping ------------------------------------------------------------------------------------------------------

    def test_an_empty_one_has_reached_nothing(self, catalog: EventCatalog) -> None:
        assert catalog.reached() == 0
        assert catalog.get(1) is None
        assert catalog.of_run("run-1") == []
        assert catalog.of_types(["RUN_START"]) == []

    def test_events_come_back_as_they_were_put(self, catalog: EventCatalog) -> None:
        log = _log()
        catalog.put(log, reached=log[-1].id + 5)
        assert catalog.reached() == log[-1].id + 5
        assert [catalog.get(each.id) for each in log] == [each.stored for each in log]
        assert catalog.get(log[-1].id + 1) is None
        for run_id in _JOBS:
            assert catalog.of_run(run_id) == _of_run(log, run_id)

    def test_events_that_come_again_are_there_once(self, catalog: EventCatalog) -> None:
        log = _log(60)
        catalog.put(log[:40], reached=log[39].id)
        catalog.put(log[20:], reached=log[-1].id)
        catalog.put(log[:10], reached=log[9].id)  # from somebody who is late
        assert catalog.reached() == log[-1].id
        for run_id in _JOBS:
            assert catalog.of_run(run_id) == _of_run(log, run_id)
        types = sorted({each.event.type for each in log})
        assert catalog.of_types(types, limit=_MANY) == [each.stored for each in log]

    def test_the_place_that_is_reached_may_move_without_events(self, catalog: EventCatalog) -> None:
        catalog.put([], reached=7)
        catalog.put([], reached=3)
        assert catalog.reached() == 7

    def test_of_many_that_bring_the_same_each_event_stays_once(self, catalog: EventCatalog) -> None:
        log = _log()

        def bring(number: int) -> None:
            for start in range(0, _MANY, 50):
                page = log[start : start + 50 + number]
                catalog.put(page, reached=page[-1].id)

        with ThreadPoolExecutor(4) as threads:
            list(threads.map(bring, range(4)))
        assert catalog.reached() == log[-1].id
        for run_id in _JOBS:
            assert catalog.of_run(run_id) == _of_run(log, run_id)

    def test_a_forgotten_run_stays_forgotten(self, catalog: EventCatalog) -> None:
        log = _log(60)
        catalog.put(log[:40], reached=log[39].id)
        catalog.forget("run-1")
        catalog.forget("unknown")
        left = [each.stored for each in log if each.run_id != "run-1"]
        for _ in range(2):
            catalog.put(log, reached=log[-1].id)  # by somebody who had read the events before
            assert catalog.of_run("run-1") == []
            types = sorted({each.event.type for each in log})
            assert catalog.of_types(types, limit=_MANY) == left
            assert [each for each in log if catalog.get(each.id) is not None and each.run_id == "run-1"] == []
            catalog.forget("run-1")

    # -- reading ------------------------------------------------------------------------------------------------------

    def test_pages_of_a_run_hold_what_fits_and_nothing_else(self, catalog: EventCatalog) -> None:
        log = _log()
        catalog.put(log, reached=log[-1].id)
        chance = random.Random(5)  # noqa: S311 - the same questions each time
        types = sorted({each.event.type for each in log})
        for _ in range(60):
            run_id = chance.choice([*_JOBS, "unknown"])
            wanted = chance.choice((None, chance.sample(types, chance.randrange(4))))
            steps = chance.choice((None, chance.sample(["load", "store", "unknown"], chance.randrange(3))))
            after, limit = chance.choice((0, chance.choice(log).id)), chance.choice((1, 3, _MANY))
            expected = [
                each
                for each in _of_run(log, run_id)
                if each.id > after
                and (wanted is None or each.event.type in wanted)
                and (steps is None or each.event.step_key in steps)
            ]
            found = catalog.of_run(run_id, after=after, limit=limit, types=wanted, step_keys=steps)
            assert found == expected[:limit], (run_id, wanted, steps, after, limit)

    def test_pages_of_types_hold_what_fits_and_nothing_else(self, catalog: EventCatalog) -> None:
        log = _log()
        catalog.put(log, reached=log[-1].id)
        chance = random.Random(3)  # noqa: S311 - the same questions each time
        types = [*sorted({each.event.type for each in log}), "RUN_CANCELED"]
        for _ in range(80):
            wanted = chance.choices(types, k=chance.randrange(5))
            after, before = (chance.choice((None, chance.choice(log).id)) for _ in range(2))
            since, until = (chance.choice((None, NOW + chance.randrange(50))) for _ in range(2))
            jobs = chance.choice((None, None, ["nightly"], ["hourly", "unknown"], []))
            ascending, limit = chance.random() < 0.5, chance.choice((1, 4, _MANY))
            bounds: dict[str, Any] = {"after": after, "before": before, "since": since, "until": until, "jobs": jobs}
            expected = [
                each.stored
                for each in log
                if each.event.type in wanted
                and (after is None or each.id > after)
                and (before is None or each.id < before)
                and (since is None or each.event.time > since)
                and (until is None or each.event.time < until)
                and (jobs is None or each.job in jobs)
            ]
            found = catalog.of_types(wanted, **bounds, ascending=ascending, limit=limit)
            assert found == (expected if ascending else expected[::-1])[:limit], (wanted, bounds, ascending, limit)

    def test_it_may_be_made_ready_again(self, catalog: EventCatalog) -> None:
        log = _log(10)
        catalog.put(log, reached=log[-1].id)
        catalog.migrate()
        assert catalog.reached() == log[-1].id
        assert catalog.get(log[0].id) == log[0].stored
        assert catalog.describe()["kind"]
