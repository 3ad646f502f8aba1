"""How many fresh processes are kept ready, and which of them takes a work."""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import Callable, Coroutine
from typing import Any, cast

import pytest

from penstock.locations.fresh_pool import FreshPool, idle_limit, memory_of
from penstock.locations.fresh_process import FreshProcess
from penstock.locations.zygote_process import WorkProcess
from penstock.records.wire import EvaluateSensor, StorageAccess, Work

WORK = EvaluateSensor(name="news", due=1.0)
CHANNEL = cast("socket.socket", None)
MB = 2**20


class Fake:
    """A process that loads when it is told to."""

    def __init__(self, pid: int, changed: Callable[[Any], None]) -> None:
        self.pid = pid
        self.loaded: bool | None = None
        self.dropped = False
        self.given: Work | None = None
        self.is_dead = False
        self._changed = changed

    @property
    def is_waiting(self) -> bool:
        return self.loaded is not False and self.given is None

    def give(self, work: Work, channel: socket.socket, storage: StorageAccess | None) -> WorkProcess:
        if self.is_dead:
            raise BrokenPipeError
        self.given = work
        return WorkProcess(self.pid, asyncio.get_running_loop().create_future())

    def drop(self) -> None:
        self.dropped = True

    def load(self, *, well: bool = True) -> None:
        self.loaded = well
        self._changed(self)


class World:
    """A pool of fakes of a size."""

    def __init__(self, *, idle: int = 2, memory: int = 1000 * MB, size: int = 100 * MB) -> None:
        self.made: list[Fake] = []
        pids = itertools.count(1)

        def make(changed: Callable[[Any], None]) -> FreshProcess:
            self.made.append(Fake(next(pids), changed))
            return cast("FreshProcess", self.made[-1])

        self.pool = FreshPool(make, idle=idle, memory=memory, measure=lambda _pid: size)

    def give(self) -> int:
        return self.pool.give(WORK, CHANNEL).pid


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(scene())


async def turn() -> None:
    await asyncio.sleep(0)


def test_where_forks_are_safe_none_is_kept() -> None:
    async def scene() -> None:
        world = World()
        world.pool.renew(wanted=False)
        await turn()
        assert world.made == []

    run(scene)


def test_the_first_tells_the_size_and_then_the_others_follow() -> None:
    async def scene() -> None:
        world = World(idle=3)
        world.pool.renew(wanted=True)
        assert len(world.made) == 1
        world.made[0].load()
        assert world.pool.pids == [1, 2, 3]

    run(scene)


def test_a_work_goes_to_one_that_has_loaded_and_another_takes_its_place() -> None:
    async def scene() -> None:
        world = World()
        world.pool.renew(wanted=True)
        world.made[0].load()
        world.made[1].load()
        assert world.give() == 1
        await turn()
        assert world.pool.pids == [2, 3]
        assert world.give() == 2
        assert world.give() == 3  # it is still loading, and further than a new one

    run(scene)


def test_with_none_ready_one_is_started_for_the_work() -> None:
    async def scene() -> None:
        world = World(idle=0)
        assert world.give() == 1
        await turn()
        assert world.pool.pids == []

    run(scene)


def test_memory_bounds_their_number() -> None:
    async def scene() -> None:
        world = World(idle=5, memory=250 * MB)
        world.pool.renew(wanted=True)
        world.made[0].load()
        assert world.pool.pids == [1, 2]
        large = World(memory=99 * MB)
        large.pool.renew(wanted=True)
        large.made[0].load()
        assert large.pool.pids == []
        assert large.made[0].dropped

    run(scene)


@pytest.mark.parametrize(
    ("idle", "memory", "size", "limit"), [(2, 100, None, 2), (2, 100, 50, 2), (2, 100, 51, 1), (2, 100, 101, 0)]
)
def test_the_limit(idle: int, memory: int, size: int | None, limit: int) -> None:
    assert idle_limit(idle, memory, size) == limit


def test_one_that_cannot_load_is_not_replaced_before_the_next_work() -> None:
    async def scene() -> None:
        world = World()
        world.pool.renew(wanted=True)
        world.made[0].load(well=False)
        await turn()
        assert len(world.made) == 1
        assert world.made[0].dropped
        assert world.give() == 2
        await turn()
        assert world.pool.pids == [3]

    run(scene)


def test_one_that_has_just_died_costs_no_work() -> None:
    async def scene() -> None:
        world = World()
        world.pool.renew(wanted=True)
        world.made[0].load()
        world.made[0].is_dead = True
        assert world.give() == 2
        assert world.made[0].dropped
        await turn()
        assert world.pool.pids == [3, 4]

    run(scene)


def test_a_reload_drops_those_with_older_code() -> None:
    async def scene() -> None:
        world = World()
        world.pool.renew(wanted=True)
        world.made[0].load()
        world.pool.renew(wanted=True)
        assert [fake.dropped for fake in world.made] == [True, True, False]
        world.pool.drain()
        assert world.made[2].dropped
        world.made[2].load()
        assert world.pool.pids == []

    run(scene)


def test_memory_is_measured_where_the_system_tells() -> None:
    import os

    assert (memory_of(os.getpid()) or 0) > MB
    assert memory_of(2**22 + 1) is None
