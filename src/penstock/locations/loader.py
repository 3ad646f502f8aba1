"""Keeps user code loaded: one zygote serves, a reload grows beside it and takes its place when it has loaded.

LOADING   a zygote imports the code; an older one, if there is one, goes on serving.
LOADED    the newest zygote serves.
FAILED    the newest load failed; an older zygote, if there is one, goes on serving the last good code.

A zygote that dies is replaced, and a load that crashed is tried again, ever more slowly (`load_policy`). Code that
raises is not loaded again until a file has changed or somebody asks. A zygote that has become large, or has forked
often, is replaced by one of the same code.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeAlias

import msgspec

from ..clock import Clock
from ..errors import EnvironmentalError
from ..records.errors import ErrorInfo, Frame
from ..records.wire import Loaded, LoadFailed, LoadStatus, LocationState
from .backoff import STEADY_SECONDS
from .endings import describe_exit
from .load_policy import Outcome, pause_before_next_load
from .user_code import TRYING_A_FORK, LoadCode
from .user_files import state_of_files
from .zygote_process import ZygoteGoneError, ZygoteProcess

__all__ = ["CodeLoader", "NotLoadedError"]

logger = logging.getLogger("penstock.code_server")

Publish: TypeAlias = Callable[[LocationState, bytes | None], None]

_RENEW_AGAIN_SECONDS = 60.0


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
        swapped: Told what a zygote has loaded that begins to serve.
        sleep: Waits for a number of seconds.
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
        swapped: Callable[[Loaded], None] = lambda _loaded: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._order = order
        self._make_zygote = make_zygote
        self._publish = publish
        self._clock = clock
        self._timeout = startup_timeout
        self._reload_timeout = reload_timeout
        self._swapped = swapped
        self._sleep = sleep
        self.state = LocationState(name=order.name, status=LoadStatus.LOADING, server_id=server_id, version=1)
        self.files: frozenset[str] = frozenset()
        self._file_states: dict[str, tuple[int, int] | None] = {}
        self._never_fork: str | None = None
        self._fork_refused: str | None = None
        self._renewed: ZygoteProcess | None = None
        self._renew_not_before = 0.0
        self._loads = 0
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
                self._never_fork = None  # other code may have other ways
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

    def never_fork(self, reason: str) -> None:
        """Have zygotes fork no more until the code is loaded anew."""
        self._never_fork = reason

    async def renew(self, zygote: ZygoteProcess, reason: str) -> None:
        """Put a new zygote of the same code into the place of `zygote`, if that is the one that serves.

        Not where a file has changed since: what it holds now is loaded when somebody asks for that.
        """
        now = self._clock.monotonic()
        if zygote is not self._serving or self._renewed is zygote or now < self._renew_not_before or self._closing:
            return
        self._renewed, self._renew_not_before = zygote, now + _RENEW_AGAIN_SECONDS
        try:
            async with self._loading:
                if zygote is not self._serving or self._closing:
                    return
                if state_of_files(self.files) != self._file_states:
                    logger.info("%s: not renewed (%s), since files have changed; reload.", self.state.name, reason)
                    return
                state = self.state
                new, loaded, error, _outcome = await self._try_to_load()
                if loaded is not None:
                    logger.info("%s: the process that holds user code is renewed: %s", self.state.name, reason)
                    self._renew_not_before = 0.0
                    await self._swap(new, loaded)
                elif error is not None:
                    logger.warning("%s: could not be renewed (%s)\n%s", self.state.name, reason, error.render())
                    self._change(progress=state.progress)
                self._in_background(self._see_off(new))
        finally:
            self._renewed = None

    def order(self, *, fresh: bool) -> LoadCode:
        """What a process is told that is to load the code. A fresh one would find what kept the zygote from a fork."""
        refused = self._fork_refused if fresh else None
        return msgspec.structs.replace(self._order, never_fork=self._order.never_fork or self._never_fork or refused)

    async def failed(self) -> None:
        """Wait until the newest load has failed."""
        await self._until(lambda: self.state.status is LoadStatus.FAILED)

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
        self._change(status=LoadStatus.LOADING, progress="starting", error=None)
        self._publish(self.state, None)
        began = self._clock.monotonic()
        zygote, loaded, error, outcome = await self._try_to_load()
        if loaded is not None:
            logger.info("%s: loaded in %.2f s", self.state.name, self._clock.monotonic() - began)
            await self._swap(zygote, loaded)
        elif error is not None:
            logger.error("%s: could not be loaded\n%s", self.state.name, error.render())
            self._change(status=LoadStatus.FAILED, error=error, progress=None)
            self._publish(self.state, None)
            self._try_again(outcome)
        self._in_background(self._see_off(zygote))

    async def _try_to_load(self) -> tuple[ZygoteProcess, Loaded | None, ErrorInfo | None, Outcome]:
        """A new zygote with what it has loaded, or with the error that kept it from it and its kind."""
        zygote = await self._started()
        timeout, self._timeout = self._timeout, self._reload_timeout
        try:
            async with asyncio.timeout(timeout):
                answer = await zygote.loaded()
        except TimeoutError:
            await zygote.ask_where_it_is()
            zygote.kill()
            message = (
                f"The code did not load within {timeout:g} seconds; it was busy with: {self.state.progress}. "
                "Let it do less while it is imported, or raise code_servers.local_startup_timeout or reload_timeout "
                "in penstock.yaml."
            )
            return zygote, None, self._fault("LoadTimeout", message, await zygote.last_frames()), Outcome.TOOK_TOO_LONG
        except ZygoteGoneError:
            how = describe_exit(await zygote.ended)
            if self.state.progress == TRYING_A_FORK and self._never_fork is None:
                self._never_fork = f"when a fork was tried, the process {how}"
                return await self._try_to_load()
            message = f"The process that imports the code {how} It was busy with: {self.state.progress}."
            return zygote, None, self._fault("LoadCrash", message, await zygote.last_frames()), Outcome.CRASHED
        if isinstance(answer, LoadFailed):
            self.files |= frozenset(answer.files)
            return zygote, None, answer.error, Outcome.RAISED
        return zygote, answer, None, Outcome.DIED_AFTERWARDS

    async def _started(self) -> ZygoteProcess:
        self._loads += 1
        zygote = self._make_zygote(self._tell_progress)
        self._alive.add(zygote)
        await zygote.start(self.order(fresh=False))
        return zygote

    def _fault(self, cls: str, message: str, frames: tuple[Frame, ...]) -> ErrorInfo:
        self.files |= {frame.file for frame in frames if frame.user and frame.file.endswith(".py")}
        return ErrorInfo(cls=cls, message=message, frames=frames)

    async def _swap(self, zygote: ZygoteProcess, loaded: Loaded) -> None:
        old, self._serving = self._serving, zygote
        self.files = frozenset(loaded.files)
        self._file_states = state_of_files(self.files)
        self._fork_refused = loaded.fork_refused
        self._swapped(loaded)
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
            self._try_again(Outcome.DIED_AFTERWARDS)
        await zygote.heard_out()
        self._alive.discard(zygote)

    def _try_again(self, outcome: Outcome) -> None:
        self._failures += 1
        pause = pause_before_next_load(outcome, self._failures)
        if pause is not None and not self._closing:
            self._in_background(self._load_later(pause))

    async def _load_later(self, seconds: float) -> None:
        loads = self._loads
        await self._sleep(seconds)
        async with self._loading:
            if self._loads == loads and not self._closing:  # else somebody has asked meanwhile
                await self._load()

    def _in_background(self, act: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
