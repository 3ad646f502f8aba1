"""A schedule storage of one's own: ticks that go forward only, and are found by all that is asked of a history."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec

from ...records.automation import InstigatorKind, InstigatorState, InstigatorStatus, Tick, TickStatus
from ...records.errors import ErrorInfo
from ...storage.tick_catalog import TickCatalog
from .builders import NOW

__all__ = ["TickCatalogContract"]

_MANY = 200
_NAMES = ("shop/sensor/new_files", "a/b/schedule/hourly", "shop/sensor/ключ")


def _tick(number: int, chance: random.Random) -> Tick:
    status = chance.choice(list(TickStatus))
    return Tick(
        id=number,
        instigator=chance.choice(_NAMES),
        due=NOW + number,
        status=status,
        started=NOW + number + chance.randrange(3),
        ended=None if status is TickStatus.STARTED else NOW + number + 5,
        attempt=chance.randint(1, 3),
        run_ids=("run-1",) if status is TickStatus.SUCCESS else (),
        error=ErrorInfo(cls="OSError", message="gone") if status is TickStatus.FAILURE else None,
    )


def _history(count: int = _MANY) -> list[Tick]:
    chance = random.Random(13)  # noqa: S311 - the same ticks each time
    return [_tick(number, chance) for number in sorted(chance.sample(range(1, 2 * count), count))]


def _of(ticks: Sequence[Tick], instigator: str) -> list[Tick]:
    return [tick for tick in reversed(ticks) if tick.instigator == instigator]


class TickCatalogContract:
    """`TickCatalog`."""

    def test_an_empty_one_has_reached_nothing(self, catalog: TickCatalog) -> None:
        assert catalog.reached() == 0
        assert catalog.open() == []
        assert catalog.ticks(_NAMES[0]) == []
        assert catalog.states() == {}

    def test_ticks_come_back_as_they_were_put_also_when_they_come_again(self, catalog: TickCatalog) -> None:
        ticks = _history()
        catalog.put(ticks[:120], reached=ticks[119].id)
        catalog.put(ticks[80:], reached=ticks[-1].id)
        catalog.put(ticks[:10], reached=ticks[9].id)  # from somebody who is late
        assert catalog.reached() == ticks[-1].id
        for name in _NAMES:
            assert catalog.ticks(name, limit=_MANY) == _of(ticks, name)

    def test_a_tick_goes_forward_and_never_back(self, catalog: TickCatalog) -> None:
        begun = Tick(id=3, instigator=_NAMES[0], due=NOW, started=NOW)
        again = msgspec.structs.replace(begun, attempt=2, started=NOW + 30)
        ended = msgspec.structs.replace(again, status=TickStatus.SKIPPED, ended=NOW + 31, skip_reason="nothing new")
        for tick in (begun, again, ended):
            catalog.put([tick], reached=3)
            assert catalog.ticks(_NAMES[0]) == [tick]
            assert catalog.open() == ([] if tick is ended else [tick])
        catalog.put([begun, again], reached=3)
        assert catalog.ticks(_NAMES[0]) == [ended]
        assert catalog.open() == []
        assert catalog.ticks(_NAMES[0], statuses=[TickStatus.STARTED]) == []

    def test_of_many_that_bring_states_of_a_tick_the_last_stays(self, catalog: TickCatalog) -> None:
        states = [
            Tick(id=3, instigator=_NAMES[0], due=NOW, started=NOW + attempt, attempt=attempt)
            for attempt in range(1, 60)
        ]
        with ThreadPoolExecutor(4) as threads:
            list(threads.map(lambda tick: catalog.put([tick], reached=3), states))
        assert catalog.ticks(_NAMES[0]) == states[-1:]

    def test_pages_hold_what_fits_and_nothing_else(self, catalog: TickCatalog) -> None:
        ticks = _history()
        catalog.put(ticks, reached=ticks[-1].id)
        assert sorted(catalog.open(), key=lambda tick: tick.id) == [
            tick for tick in ticks if tick.status is TickStatus.STARTED
        ]
        chance = random.Random(17)  # noqa: S311 - the same questions each time
        for _ in range(60):
            name, limit = chance.choice((*_NAMES, "unknown/sensor/x")), chance.choice((1, 4, _MANY))
            before = chance.choice((None, chance.choice(ticks).id))
            after_time = chance.choice((None, NOW + chance.randrange(2 * _MANY)))
            statuses = chance.choice((None, chance.choices(list(TickStatus), k=chance.randrange(4))))
            expected = [
                tick
                for tick in _of(ticks, name)
                if (before is None or tick.id < before)
                and (after_time is None or tick.started > after_time)
                and (statuses is None or tick.status in statuses)
            ]
            found = catalog.ticks(name, before=before, limit=limit, statuses=statuses, after_time=after_time)
            assert found == expected[:limit], (name, before, limit, statuses, after_time)

    def test_the_last_switch_and_cursor_that_were_shown_are_there(self, catalog: TickCatalog) -> None:
        first = InstigatorState(id=_NAMES[0], location="shop", kind=InstigatorKind.SENSOR, name="new_files", cursor="1")
        other = InstigatorState(id=_NAMES[1], location="a/b", kind=InstigatorKind.SCHEDULE, name="hourly")
        catalog.show([first, other])
        stopped = msgspec.structs.replace(first, status=InstigatorStatus.STOPPED, cursor="2")
        catalog.show([stopped])
        catalog.show([])
        assert catalog.states() == {stopped.id: stopped, other.id: other}

    def test_it_may_be_made_ready_again(self, catalog: TickCatalog) -> None:
        ticks = _history(10)
        catalog.put(ticks, reached=ticks[-1].id)
        catalog.migrate()
        assert catalog.reached() == ticks[-1].id
        assert catalog.describe()["kind"]
