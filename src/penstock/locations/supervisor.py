"""The supervisor of one code location: outside of user code, so that somebody always knows.

It keeps the code loaded (`loader`), the runs' workers watched (`run_table`), evaluations bounded (`evaluations`), and
the location's stored state true. It never imports user code.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec

from ..clock import Clock
from ..engine.loss import DEFAULT_RESUMES
from ..errors import StorageError
from ..ids import new_holder_id
from ..logs.store import LogStore
from ..records.lease import ProcessInfo
from ..records.wire import (
    EvaluateSchedule,
    EvaluateSensor,
    ExecuteRun,
    Loaded,
    LoadStatus,
    LocationState,
    StorageAccess,
    Work,
)
from ..storage.protocols import Storage, StoredLocation
from ..storage.remote.token import EvaluationScope, Scope, Tokens
from ..version import __version__
from .evaluations import Evaluations
from .fresh_pool import FreshPool
from .fresh_process import FreshProcess
from .load_policy import reason_to_renew
from .loader import CodeLoader
from .reaper import Reaper
from .run_table import RunTable
from .storage_calls import StorageCalls
from .user_code import LoadCode
from .watch import watch_files
from .zygote_process import ForkRefusedError, WorkProcess, ZygoteGoneError, ZygoteProcess, ZygoteStuckError

__all__ = ["Supervisor", "SupervisorSettings"]

logger = logging.getLogger("penstock.code_server")

_BEAT_SECONDS = 10.0
_LOAD_PATIENCE_SECONDS = 10.0
_FORK_SECONDS = 20.0  # less than a client waits for a launch, so that it is never answered into the void
_STOP_GRACE_SECONDS = 5.0
_STORED_SECONDS = 3.0


class SupervisorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How one code location is served.

    Args:
        order: What to load, and what the floors above need for it.
        origin: Where the code is, in words.
        folders: Where a new file may matter to the load, besides the folders of files that it has read.
        address: Where this server answers.
        zygote_command: Starts a process that becomes a zygote.
        fresh_command: Starts a process for one work.
        watch: Reload when a file changes.
        kill_workers: Whether run workers end with this server; otherwise they live on and keep their own leases.
        startup_timeout: Seconds that the first load may take.
        reload_timeout: Seconds that each later one may take.
        max_resume_run_attempts: How often a run goes on under a new worker when one is lost.
        variables: Environment variables of the processes with user code, besides those of this one.
        withheld: Those of this one which they do not get.
        gateway: Where they reach the storage, if they shall not open the database themselves.
        fallback: Where else they do.
        ready_processes: How many fresh processes are kept ready where works cannot be forked.
        ready_memory: Bytes that they may have together.
        evaluations_per_process: After so many evaluations a process is replaced; 1 for a process of its own for each.
        renew_after_forks: After so many forks the zygote is renewed; 0 for never.
        renew_after_growth: When its own memory has grown by so many bytes it is renewed; 0 for never.
    """

    order: LoadCode
    origin: str
    address: str
    zygote_command: tuple[str, ...]
    fresh_command: tuple[str, ...]
    folders: tuple[str, ...] = ()
    watch: bool = False
    kill_workers: bool = False
    startup_timeout: float = 180.0
    reload_timeout: float = 180.0
    max_resume_run_attempts: int = DEFAULT_RESUMES
    variables: dict[str, str] = {}
    withheld: frozenset[str] = frozenset()
    gateway: str | None = None
    fallback: str | None = None
    ready_processes: int = 2
    ready_memory: int = 2**30
    evaluations_per_process: int = 500
    renew_after_forks: int = 10_000
    renew_after_growth: int = 256 * 2**20


class Supervisor:
    """See the head of this file. Its methods are called on one event loop, in the main thread.

    Args:
        settings: What to serve and how.
        storage: The instance's storage.
        logs: Where what steps print is kept.
        clock: Tells the time.
    """

    def __init__(self, settings: SupervisorSettings, storage: Storage, logs: LogStore, clock: Clock) -> None:
        self.settings = settings
        self.server_id = new_holder_id("code-server")
        self._storage = storage
        self._clock = clock
        self._calls = StorageCalls()
        self._tokens = Tokens(storage.locations)
        kept = {name: value for name, value in os.environ.items() if name not in settings.withheld}
        self._environment = kept | settings.variables
        self._reaper = Reaper()
        self._unpublished: asyncio.Queue[StoredLocation] = asyncio.Queue()
        self._tasks: set[asyncio.Task[object]] = set()
        self._started = clock.now()
        self.loader = CodeLoader(
            settings.order,
            self.server_id,
            self._make_zygote,
            self._publish,
            clock,
            startup_timeout=settings.startup_timeout,
            reload_timeout=settings.reload_timeout,
            swapped=self._renew_processes,
        )
        self.fresh = FreshPool(self._make_fresh_process, idle=settings.ready_processes, memory=settings.ready_memory)
        self.runs = RunTable(
            storage,
            logs,
            self._calls,
            clock,
            self.server_id,
            settings.order.name,
            self.fork,
            resumes=settings.max_resume_run_attempts,
        )
        self.evaluations = Evaluations(self.fork, self._access, clock, per_process=settings.evaluations_per_process)

    async def start(self) -> None:
        """Begin to load and to watch; returns at once."""
        self._reaper.start()
        self._go(self._serve())
        self._go(self._store_states())
        self._go(self.runs.keep_leases())
        self._go(self._beat())
        self._go(self.runs.adopt())

    async def stop(self) -> None:
        """Launch no more, end the workers or let them go, and let go of everything."""
        self.refuse_work()
        if self.settings.kill_workers:
            await self.runs.stop_all(_STOP_GRACE_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.runs.close()
        self.fresh.drain()
        await self.evaluations.close()
        await self.loader.close()
        self._reaper.stop()
        try:
            await self._calls.once(self._storage.leases.gone, self.server_id)
        except StorageError as error:
            logger.warning("The storage was not told that this server ends: %s", error)
        self._calls.close()

    def refuse_work(self) -> None:
        """Accept no more runs: the server is about to stop."""
        self.runs.refuse("the code server is stopping")
        self.loader.refuse()

    async def reload(self) -> LocationState:
        """Load the code anew; gives the state after the load has ended and, where the storage answers, is stored."""
        state = await self.loader.reload()
        await self._stored()
        return state

    async def description(self, digest: str) -> bytes | None:
        """The JSON of the location's description, if it is the one of that hash."""
        await self._stored()
        stored = await self._calls.once(self._storage.locations.get, self.settings.order.name)
        return stored.description if stored is not None and stored.digest == digest else None

    async def fork(self, work: Work, channel: socket.socket) -> tuple[WorkProcess, str | None]:
        """A process for `work`: a fork of the zygote, or else a fresh one and the reason why.

        Raises:
            NotLoadedError: There is no loaded code.
            ZygoteGoneError: The zygote died, and its successor too, or it took too long.
        """
        try:
            async with asyncio.timeout(_FORK_SECONDS):
                return await self._fork(work, channel)
        except TimeoutError as error:
            raise ZygoteGoneError(f"There was no process for the work within {_FORK_SECONDS:g} seconds.") from error

    # -- inside -------------------------------------------------------------------------------------------------------

    async def _fork(self, work: Work, channel: socket.socket) -> tuple[WorkProcess, str | None]:
        access = await self._access(work)
        for last_try in (False, True):
            zygote = await self.loader.zygote(_LOAD_PATIENCE_SECONDS)
            try:
                process = await zygote.fork(work, channel, access)
            except ForkRefusedError as refused:
                return self.fresh.give(work, channel, access), str(refused)
            except ZygoteStuckError as stuck:
                self.loader.never_fork(str(stuck))
                if last_try:
                    raise
                await self.loader.replaced(zygote)
            except ZygoteGoneError:
                if last_try:
                    raise
                await self.loader.replaced(zygote)
            else:
                self._renew_if_worn(zygote)
                return process, None
        raise AssertionError("the last try returns or raises")

    async def _access(self, work: Work) -> StorageAccess | None:
        """How the process of a work reaches the storage, where it does not open the database itself."""
        address, now = self.settings.gateway, self._clock.now()
        if address is None or not isinstance(work, ExecuteRun | EvaluateSchedule | EvaluateSensor):
            return None
        if isinstance(work, ExecuteRun):
            scope: Scope = self._tokens.scope_of_run(work.run, now=now)
        else:
            seconds = work.timeout + self.settings.startup_timeout
            scope = EvaluationScope(location=self.settings.order.name, expires=now + seconds)
        token = await self._calls.once(self._tokens.sign, scope)
        return StorageAccess(address=address, token=token, fallback=self.settings.fallback)

    def _renew_processes(self, loaded: Loaded) -> None:
        self.evaluations.renew()
        self.fresh.renew(wanted=loaded.fork_refused is not None)

    def _renew_if_worn(self, zygote: ZygoteProcess) -> None:
        settings = self.settings
        reason = reason_to_renew(
            zygote.forks,
            zygote.grown,
            after_forks=settings.renew_after_forks,
            after_growth=settings.renew_after_growth,
        )
        if reason is not None:
            self._go(self.loader.renew(zygote, reason))

    async def _serve(self) -> None:
        stored = await self._calls.until_done(self._storage.locations.get, self.settings.order.name)
        if stored is not None:
            self.loader.recall(stored.digest, stored.loaded_at)
        await self.loader.reload()
        while True:
            if not self.settings.watch:
                # Whoever looks for changes by hand still does not want to be asked once more when code is corrected.
                await self.loader.failed()
            await watch_files(self._folders, lambda: self._go(self.loader.reload()), self._watches)

    def _watches(self) -> bool:
        return self.settings.watch or self.loader.state.status is not LoadStatus.LOADED

    def _folders(self) -> frozenset[Path]:
        of_files = {Path(file).parent for file in self.loader.files}
        return frozenset(of_files | {Path(folder) for folder in self.settings.folders})

    def _make_zygote(self, told: Callable[[str], None]) -> ZygoteProcess:
        settings = self.settings
        return ZygoteProcess(settings.zygote_command, settings.order.name, self._reaper, told, self._environment)

    def _make_fresh_process(self, changed: Callable[[FreshProcess], None]) -> FreshProcess:
        settings = self.settings
        return FreshProcess(
            settings.fresh_command,
            self.loader.order(fresh=True),
            self._reaper,
            variables=self._environment,
            patience=settings.startup_timeout,
            changed=changed,
        )

    def _publish(self, state: LocationState, description: bytes | None) -> None:
        self._unpublished.put_nowait(
            StoredLocation(
                name=state.name,
                status=state.status,
                digest=state.digest,
                description=description,
                error=state.error,
                loaded_at=state.loaded_at,
                updated=self._clock.now(),
                origin=self.settings.origin,
                address=self.settings.address,
            )
        )

    async def _store_states(self) -> None:
        while True:
            await self._calls.until_done(self._storage.locations.put, await self._unpublished.get())
            self._unpublished.task_done()

    async def _stored(self) -> None:
        """Wait until the storage knows the present state; a storage that is away is not waited for."""
        try:
            async with asyncio.timeout(_STORED_SECONDS):
                await self._unpublished.join()
        except TimeoutError:
            logger.warning("The storage does not know the newest state of the code yet.")

    async def _beat(self) -> None:
        while True:
            state = self.loader.state
            info = ProcessInfo(
                id=self.server_id,
                kind="code-server",
                host=socket.gethostname(),
                pid=os.getpid(),
                version=__version__,
                started=self._started,
                seen=self._clock.now(),
                duties=(self.settings.order.name,),
                error=f"{state.error.cls}: {state.error.message}" if state.error else None,
            )
            await self._calls.until_done(self._storage.leases.beat, info)
            await asyncio.sleep(_BEAT_SECONDS)

    def _go(self, act: Coroutine[Any, Any, object]) -> None:
        task: asyncio.Task[object] = asyncio.create_task(act)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        task.add_done_callback(_tell_crash)


def _tell_crash(task: asyncio.Task[object]) -> None:
    if not task.cancelled() and task.exception() is not None:
        logger.critical("A duty of the code server has failed; please report it.", exc_info=task.exception())
