"""Keeps user code loaded: one zygote serves, a reload grows beside it and takes its place when it has loaded.

LOADING   a zygote imports the code; an older one, if there is one, goes on serving.
LOADED    the newest zygote serves.
FAILED    the newest load failed; an older zygote, if there is one, goes on serving the last good code.

A zygote that dies is replaced, ever more slowly when it dies again. Code that cannot be imported is not tried again
until somebody asks for it: a changed file or a reload.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

import msgspec

from ..clock import Clock
from ..errors import EnvironmentalError
from ..records.errors import ErrorInfo
from ..records.wire import Loaded, LoadFailed, LoadStatus, LocationState
from .backoff import STEADY_SECONDS, restart_delay
from .endings import describe_exit
from .user_code import LoadCode
from .zygote_process import ZygoteGoneError, ZygoteProcess

__all__ = ["CodeLoader", "NotLoadedError"]

logger = logging.getLogger("penstock.code_server")

Publish: TypeAlias = Callable[[LocationState, bytes | None], None]


class NotLoadedError(EnvironmentalError):
    """No user code is loaded now; the text says why."""


class CodeLoader:
    """The loads of one code location.

    Args:
        order: What to load.
        server_id: Names this server in the states that it gives.
        make_zygote: Makes a zygote that is not started yet; it is given what to call with each stage of the load.
        publish: Told the state when a load begins and when it ends, with the description's JSON after a good one.
        clock: Tells the time.
        startup_timeout: Seconds that the first load may take.
        reload_timeout: Seconds that each later one may take.
    """

    def __init__(
        self,
        order: LoadCode,
        server_id: str,
        make_zygote: Callable[[Callable[[str], None]], ZygoteProcess],
        publish: Publish,
        clock: Clock,
        *,
        startup_timeout: float = 180.0,
        reload_timeout: float = 180.0,
    ) -> None:
        self._order = order
        self._make_zygote = make_zygote
        self._publish = publish
        self._clock = clock
        self._timeout = startup_timeout
        self._reload_timeout = reload_timeout
        self.state = LocationState(name=order.name, status=LoadStatus.LOADING, server_id=server_id, version=1)
        self.files: frozenset[str] = frozenset()
        self._serving: ZygoteProcess | None = None
        self._alive: set[ZygoteProcess] = set()
        self._waiters: set[asyncio.Future[None]] = set()
        self._loading = asyncio.Lock()
        self._asked = 0
        self._served = 0
        self._failures = 0
        self._tasks: set[asyncio.Task[object]] = set()
        self._closing = False

    # -- what others ask ----------------------------------------------------------------------------------------------

    async def reload(self) -> LocationState:
        """Load what the files hold now; gives the state afterwards. Requests that arrive together share one load."""
        self._asked += 1
        ticket = self._asked
        async with self._loading:
            if self._served < ticket and not self._closing:
                upto = self._asked
                await self._load()
                self._served = upto
        return self.state

    async def zygote(self, patience: float) -> ZygoteProcess:
        """The zygote that serves, waited for at most `patience` seconds. Raises `NotLoadedError`."""
        try:
            async with asyncio.timeout(patience):
                await self._until(
                    lambda: self._closing or self._serving is not None or self.state.status is LoadStatus.FAILED
                )
        except TimeoutError as error:
            raise NotLoadedError(
                f"The code location {self.state.name!r} is still loading ({self.state.progress or 'just begun'}); "
                "try again in a moment."
            ) from error
        if self._closing:
            raise NotLoadedError(f"The code server of {self.state.name!r} is stopping.")
        if self._serving is None:
            assert self.state.error is not None
            root = self.state.error.root()
            raise NotLoadedError(
                f"The code location {self.state.name!r} could not be loaded: {root.cls}: {root.message} "
                "Correct the code and reload it."
            )
        return self._serving

    async def state_after(self, version: int, patience: float) -> LocationState:
        """The state as soon as it is newer than `version`, or as it is after `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._until(lambda: self._closing or self.state.version > version)
        except TimeoutError:
            pass  # nothing has changed, and that is the answer
        return self.state

    async def replaced(self, zygote: ZygoteProcess) -> None:
        """Wait until `zygote`, which has ended, serves no more."""
        await zygote.heard_out()
        await self._until(lambda: self._serving is not zygote)

    def recall(self, digest: str | None, loaded_at: float | None) -> None:
        """Begin with the last good load that an earlier server has stored."""
        self.state = msgspec.structs.replace(self.state, digest=digest, loaded_at=loaded_at)

    def refuse(self) -> None:
        """Let nobody wait any more: the server is about to stop."""
        self._closing = True
        self._wake()

    async def close(self) -> None:
        """Let go of every zygote; they end by themselves, and their children live on."""
        self.refuse()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for zygote in self._alive:
            await zygote.close()

    # -- loading ------------------------------------------------------------------------------------------------------

    async def _load(self) -> None:
        began = self._clock.monotonic()
        self._change(status=LoadStatus.LOADING, progress="starting", error=None)
        self._publish(self.state, None)
        zygote = self._make_zygote(self._tell_progress)
        self._alive.add(zygote)
        try:
            await zygote.start(self._order)
            async with asyncio.timeout(self._timeout):
                outcome = await zygote.loaded()
        except TimeoutError:
            zygote.kill()
            message = (
                f"The code did not load within {self._timeout:g} seconds; it was busy with: {self.state.progress}. "
                "Let it do less while it is imported, or raise code_servers.local_startup_timeout or reload_timeout "
                "in penstock.yaml."
            )
            self._failed(ErrorInfo(cls="LoadTimeout", message=message))
        except ZygoteGoneError:
            how = describe_exit(await zygote.ended)
            message = f"The process that imports the code {how} It was busy with: {self.state.progress}."
            self._failed(ErrorInfo(cls="LoadCrash", message=message))
            self._try_again_if_nothing_serves()
        else:
            if isinstance(outcome, LoadFailed):
                self.files |= frozenset(outcome.files)
                self._failed(outcome.error)
            else:
                await self._swap(zygote, outcome, self._clock.monotonic() - began)
        self._timeout = self._reload_timeout
        self._in_background(self._see_off(zygote))

    async def _swap(self, zygote: ZygoteProcess, loaded: Loaded, seconds: float) -> None:
        old, self._serving = self._serving, zygote
        self.files = frozenset(loaded.files)
        logger.info("%s: loaded in %.2f s", self.state.name, seconds)
        self._change(
            status=LoadStatus.LOADED,
            digest=loaded.digest,
            loaded_at=self._clock.now(),
            progress=None,
            error=None,
        )
        self._publish(self.state, loaded.description)
        if old is not None:
            await old.retire()

    def _failed(self, error: ErrorInfo) -> None:
        logger.error("%s: could not be loaded\n%s", self.state.name, error.render())
        self._change(status=LoadStatus.FAILED, error=error, progress=None)
        self._publish(self.state, None)

    def _tell_progress(self, stage: str) -> None:
        self._change(progress=stage)

    def _change(self, **changes: object) -> None:
        self.state = msgspec.structs.replace(self.state, version=self.state.version + 1, **changes)
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, set()
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.add(waiter)
            await waiter

    # -- deaths -------------------------------------------------------------------------------------------------------

    async def _see_off(self, zygote: ZygoteProcess) -> None:
        """Wait for the zygote's end; when it was the one that serves, load again."""
        began = self._clock.monotonic()
        code = await asyncio.shield(zygote.ended)
        if self._clock.monotonic() - began > STEADY_SECONDS:
            self._failures = 0
        if zygote is self._serving and not self._closing:
            logger.warning(
                "%s: the process that holds user code %s Loading again.", self.state.name, describe_exit(code)
            )
            self._serving = None
            self._wake()
            self._try_again_if_nothing_serves()
        await zygote.heard_out()
        self._alive.discard(zygote)

    def _try_again_if_nothing_serves(self) -> None:
        if self._serving is None and not self._closing:
            self._failures += 1
            self._in_background(self._reload_later(restart_delay(self._failures)))

    async def _reload_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if self._serving is None:
            await self.reload()

    def _in_background(self, act: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
