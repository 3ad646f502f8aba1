"""When code is loaded again, by a clock that is moved by hand, with zygotes that load and die as they are told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, cast

from penstock.locations.loader import CodeLoader
from penstock.locations.user_code import TRYING_A_FORK, LoadCode
from penstock.locations.zygote_process import ZygoteGoneError, ZygoteProcess
from penstock.records.code_target import CodeTarget
from penstock.records.errors import ErrorInfo, Frame
from penstock.records.wire import Loaded, LoadFailed, LoadStatus
from penstock.testing import FakeClock

RAISES = LoadFailed(error=ErrorInfo(cls="ValueError", message="not today"), files=("/shop.py",))
DIES = ZygoteGoneError("gone")


def loads(*, refused: str | None = None, files: tuple[str, ...] = ()) -> Loaded:
    return Loaded(description=b"{}", digest="d", fork_refused=refused, files=files)


class FakeZygote:
    """A process that loads as the script says; it dies when it is told."""

    def __init__(self, told: Callable[[str], None], outcome: object, stage: str | None) -> None:
        self._told = told
        self._outcome = outcome
        self._stage = stage
        self.ended: asyncio.Future[int | None] = asyncio.get_running_loop().create_future()
        self.retired = False
        self.order: LoadCode | None = None

    async def start(self, order: LoadCode) -> None:
        self.order = order

    async def loaded(self) -> object:
        if self._stage is not None:
            self._told(self._stage)
        if isinstance(self._outcome, Exception):
            self.die()
            raise self._outcome
        return self._outcome

    def die(self) -> None:
        if not self.ended.done():
            self.ended.set_result(-11)

    async def last_frames(self) -> tuple[Frame, ...]:
        return (Frame(file="/shop.py", line=3, function="<module>", code="ctypes.string_at(0)"),)

    async def heard_out(self) -> None:
        pass

    async def retire(self) -> None:
        self.retired = True

    async def close(self) -> None:
        pass


class World:
    """A loader, the zygotes that it has made, and the pauses that it has made."""

    def __init__(self, *script: object, stage: str | None = None) -> None:
        self.script = list(script)
        self.stage = stage
        self.zygotes: list[FakeZygote] = []
        self.pauses: list[float] = []
        self.swapped: list[Loaded] = []
        self.clock = FakeClock()
        self._going = asyncio.Event()
        order = LoadCode(name="shop", target=CodeTarget(python_file="/shop.py"))
        self.loader = CodeLoader(
            order, "server", self._make, lambda *_: None, self.clock, swapped=self.swapped.append, sleep=self._sleep
        )

    def _make(self, told: Callable[[str], None]) -> ZygoteProcess:
        stage, self.stage = self.stage, None
        self.zygotes.append(FakeZygote(told, self.script.pop(0), stage))
        return cast("ZygoteProcess", self.zygotes[-1])

    async def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await self._going.wait()
        self._going.clear()

    async def go_on(self) -> None:
        """End the pause, and let everything happen that then happens."""
        self._going.set()
        await self.settle()

    async def settle(self) -> None:
        for _ in range(30):
            await asyncio.sleep(0)


def run(scene: Callable[[], Coroutine[Any, Any, None]] | Callable[[], Awaitable[None]]) -> None:
    asyncio.run(cast("Callable[[], Coroutine[Any, Any, None]]", scene)())


def test_what_user_code_raises_is_not_tried_again() -> None:
    async def scene() -> None:
        world = World(RAISES)
        state = await world.loader.reload()
        await world.settle()
        assert state.status is LoadStatus.FAILED
        assert world.loader.files == {"/shop.py"}
        assert world.pauses == []

    run(scene)


def test_crashes_are_tried_again_ever_more_slowly_until_one_loads() -> None:
    async def scene() -> None:
        world = World(DIES, DIES, DIES, loads())
        state = await world.loader.reload()
        assert state.error is not None
        assert "SIGSEGV" in state.error.message
        assert state.error.frames[0].code == "ctypes.string_at(0)"
        for _ in range(3):
            await world.settle()
            await world.go_on()
        assert world.pauses == [0.2, 0.4, 0.8]
        assert world.loader.state.status is LoadStatus.LOADED
        assert world.loader.state.error is None

    run(scene)


def test_a_crash_beside_good_code_leaves_that_serving() -> None:
    async def scene() -> None:
        world = World(loads(), DIES)
        await world.loader.reload()
        good = await world.loader.zygote(0.0)
        assert (await world.loader.reload()).status is LoadStatus.FAILED
        assert await world.loader.zygote(0.0) is good
        assert world.loader.state.digest == "d"
        assert not world.zygotes[0].retired

    run(scene)


def test_somebody_who_asks_comes_before_a_pause() -> None:
    async def scene() -> None:
        world = World(DIES, loads())
        await world.loader.reload()
        await world.settle()
        assert (await world.loader.reload()).status is LoadStatus.LOADED
        await world.go_on()  # the pause is over, and there is nothing left to do
        assert len(world.zygotes) == 2

    run(scene)


def test_a_zygote_that_dies_is_replaced() -> None:
    async def scene() -> None:
        world = World(loads(), loads())
        await world.loader.reload()
        world.zygotes[0].die()
        await world.settle()
        await world.go_on()
        assert world.pauses == [0.2]
        assert await world.loader.zygote(0.0) is cast("ZygoteProcess", world.zygotes[1])

    run(scene)


def test_a_death_when_a_fork_is_tried_means_that_none_is() -> None:
    async def scene() -> None:
        world = World(DIES, loads(refused="it died"), stage=TRYING_A_FORK)
        assert (await world.loader.reload()).status is LoadStatus.LOADED
        assert world.pauses == []
        order = world.zygotes[1].order
        assert order is not None
        assert "when a fork was tried" in (order.never_fork or "")
        assert world.loader.order(fresh=True).never_fork == order.never_fork
        assert [loaded.fork_refused for loaded in world.swapped] == ["it died"]

    run(scene)


def test_a_worn_zygote_is_replaced_once_while_it_goes_on_serving() -> None:
    async def scene() -> None:
        world = World(loads(), loads())
        await world.loader.reload()
        worn = await world.loader.zygote(0.0)
        await asyncio.gather(*(world.loader.renew(worn, "it has forked 5 times") for _ in range(3)))
        assert len(world.zygotes) == 2
        assert world.zygotes[0].retired
        assert world.loader.state.status is LoadStatus.LOADED

    run(scene)


def test_a_worn_zygote_stays_where_the_new_one_fails_or_files_have_changed(tmp_path: Path) -> None:
    file = tmp_path / "shop.py"
    file.write_text("")

    async def scene() -> None:
        world = World(loads(files=(str(file),)), RAISES)
        await world.loader.reload()
        worn = await world.loader.zygote(0.0)
        await world.loader.renew(worn, "it has forked 5 times")
        assert len(world.zygotes) == 2
        assert world.loader.state.status is LoadStatus.LOADED
        assert await world.loader.zygote(0.0) is worn
        await world.loader.renew(worn, "it has forked 6 times")
        assert len(world.zygotes) == 2, "not before a minute has passed"
        world.clock.advance(61)
        file.write_text("something else")
        await world.loader.renew(worn, "it has forked 7 times")
        assert len(world.zygotes) == 2
        assert await world.loader.zygote(0.0) is worn

    run(scene)
