"""The executor that forks a process for each step from the run worker, and follows them all from one select loop.

The worker has no threads of its own, so that a fork is safe. A step's process inherits the loaded code and the plan,
captures its own output, sends its facts through a pipe, and is killed by the system if the worker dies.
"""

from __future__ import annotations

import contextlib
import gc
import os
import selectors
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from ..engine.limits import TagLimit
from ..engine.step_messages import Done, Start
from ..engine.steps import StepScheduler
from ..records.errors import ErrorInfo
from ..records.event import (
    EngineNote,
    StepFailure,
    StepOutput,
    StepRestarted,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarting,
)
from ..records.wire import StepDone, StepEvents, StepMessage
from .child import attempt_alone, die_with, run_child
from .drive import Driven, fact_of
from .frames import FrameReader
from .interrupt import INTERRUPTS
from .meter import Meter
from .recorder import Recorder
from .scope import RunScope, specs_of
from .step import wait_by_policy

__all__ = ["GRACE", "MultiprocessExecution", "Watch"]

GRACE = 8.0
"""Seconds that steps have to end after they were asked to; then they are killed. The code server waits a little longer
before it kills the whole worker."""

_CHUNK = 1 << 16
_STOPPING = (signal.SIGTERM, signal.SIGINT)


class Watch(Protocol):
    """Something else that the worker's loop attends to."""

    def fileno(self) -> int:
        """A descriptor that is readable when it wants attention; -1 if it has none."""
        ...

    def due_in(self) -> float | None:
        """Seconds until it wants attention by itself; None if it does not."""
        ...

    def attend(self) -> None:
        """Give it attention."""
        ...


class _StepProcess:
    """A step's process as the worker sees it."""

    __slots__ = ("descriptor", "done", "kill_at", "outputs", "overdue", "pid", "reader", "start")

    def __init__(self, start: Start, pid: int, descriptor: int) -> None:
        self.start = start
        self.pid = pid
        self.descriptor = descriptor
        self.reader: FrameReader[StepMessage] = FrameReader(StepMessage)
        self.outputs: list[tuple[str, str | None]] = []
        self.kill_at: float | None = None  # it should have stopped itself long before
        self.overdue = False
        self.done: StepDone | None = (
            None  # what is to follow, as it said; or as its facts say, should it die before that
        )


class MultiprocessExecution:
    """Runs the steps of a run, each in a process of its own.

    It must run in the main thread, since it takes the signals of the process.

    Args:
        scope: The run.
        recorder: Takes its facts.
        relay: Takes what the processes of steps have sent, which they have written to loggers; `recorder` if not given.
        max_concurrent: How many steps run at once; None for as many as there are CPUs.
        tag_limits: Limits on steps with certain tags.
        watches: What else to attend to.

    Attributes:
        interrupted: Whether the run was asked to stop.
        error: None: what user code raised stays in the processes of the steps.
    """

    def __init__(
        self,
        scope: RunScope,
        recorder: Recorder,
        *,
        relay: Recorder | None = None,
        max_concurrent: int | None = None,
        tag_limits: Sequence[TagLimit] = (),
        watches: Sequence[Watch] = (),
    ) -> None:
        self._scope = scope
        self._recorder = recorder
        self._relay = relay or recorder
        self._watches = list(watches)
        self._clock = scope.environment.clock
        self._scheduler = StepScheduler(
            specs_of(scope.plan), max_concurrent=max_concurrent or os.cpu_count() or 1, tag_limits=tag_limits
        )
        self._processes: dict[int, _StepProcess] = {}
        self._selector = selectors.PollSelector()  # not epoll, which would go on watching what a child inherited
        self._bell: tuple[int, int] = (-1, -1)
        self._kill_at: float | None = None
        self._step_ended = False
        self.interrupted = False
        self.error: BaseException | None = None

    def run(self) -> Done:
        """Run all steps; gives how they came out.

        Raises:
            FencedError: The run's attempt is over; the processes of its steps are dead.
        """
        gc.freeze()  # what is loaded stays shared with the children, as a collection would not touch it
        self._bell = _pipe()
        before = (signal.set_wakeup_fd(self._bell[1]), signal.signal(signal.SIGCHLD, lambda *_: None))
        self._selector.register(self._bell[0], selectors.EVENT_READ)
        for watch in self._watches:
            if watch.fileno() >= 0:
                self._selector.register(watch.fileno(), selectors.EVENT_READ, watch)
        try:
            return self._loop()
        finally:
            self._kill_all()
            signal.set_wakeup_fd(before[0])
            signal.signal(signal.SIGCHLD, before[1])
            self._selector.close()
            for each in self._bell:
                os.close(each)

    # -- the loop -----------------------------------------------------------------------------------------------------

    def _loop(self) -> Done:
        driven = Driven(self._recorder)
        now = self._clock.monotonic
        driven.take(self._scheduler.begin(now()))
        while True:
            self._heed(driven)
            while driven.starts:
                self._start(driven.starts.pop(0), driven)
                self._heed(driven)  # a step that had to run here may have taken long
            if driven.done is not None:
                return driven.done
            if self._step_ended:
                # Only now: the next steps come up while the ends of the last ones are being stored.
                self._step_ended = False
                self._recorder.flush()
            for key, _ in self._selector.select(self._timeout()):
                self._attend(key.data)
            self._heed(driven)
            for start, done in self._reap():
                self._finish(start, done, driven)
            self._tick()
            driven.take(self._scheduler.wake(now()))

    def _heed(self, driven: Driven) -> None:
        """Stop the steps once that is asked for."""
        if self.interrupted or not INTERRUPTS.requested:
            return
        self.interrupted = True
        driven.stop(self._scheduler, self._clock.monotonic())
        self._signal_all(signal.SIGTERM)
        self._kill_at = self._clock.monotonic() + GRACE

    def _timeout(self) -> float | None:
        now = self._clock.monotonic()
        due = self._scheduler.next_due()
        waits = [watch.due_in() for watch in self._watches]
        kills = [self._kill_at, *(process.kill_at for process in self._processes.values())]
        waits += [None if due is None else due - now, *(None if each is None else each - now for each in kills)]
        return max(0.0, min((each for each in waits if each is not None), default=3600.0))

    def _attend(self, what: object) -> None:
        match what:
            case _StepProcess():
                self._read(what, chunks=1)  # the next one when the others have had their turn
            case None:
                _drain(self._bell[0])
            case _:
                watch: Watch = what  # type: ignore[assignment]  # all else that is registered is a watch
                watch.attend()
                if watch.fileno() < 0:
                    self._unregister_closed(watch)

    def _unregister_closed(self, watch: Watch) -> None:
        for key in list(self._selector.get_map().values()):
            if key.data is watch:
                self._selector.unregister(key.fileobj)

    def _tick(self) -> None:
        for watch in self._watches:
            due = watch.due_in()
            if due is not None and due <= 0:
                watch.attend()
        if self._kill_at is not None and self._clock.monotonic() >= self._kill_at:
            self._kill_at = None
            self._signal_all(signal.SIGKILL)
        for process in self._processes.values():
            if process.kill_at is not None and self._clock.monotonic() >= process.kill_at:
                process.kill_at = None
                process.overdue = True
                os.kill(process.pid, signal.SIGKILL)

    def _time_of(self, start: Start) -> float | None:
        """When the process of a step is killed that does not heed its timeout."""
        timeout = self._scope.prepared(start.spec).step.timeout
        return None if timeout is None else self._clock.monotonic() + timeout + GRACE

    # -- one process --------------------------------------------------------------------------------------------------

    def _start(self, start: Start, driven: Driven) -> None:
        if self._scope.prepared(start.spec).step.check_keys:
            self._recorder.flush()  # a check may look in the storage for what was made just now
        others = [each.name for each in threading.enumerate() if each is not threading.current_thread()]
        if others:
            self._run_here(start, others, driven)
            return
        self._recorder.emit(StepWorkerStarting(), start.step)
        reading, writing = os.pipe()
        parent = os.getpid()
        _flush_output()
        # A signal that comes between fork and the child's own handlers must reach the child, not a copy of our state.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            _be_child(self, start, writing, parent)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        os.close(writing)
        os.set_blocking(reading, False)
        process = self._processes[pid] = _StepProcess(start, pid, reading)
        self._selector.register(reading, selectors.EVENT_READ, process)

    def _run_here(self, start: Start, threads: Iterable[str], driven: Driven) -> None:
        """Run a step in this process, since a fork of a process with threads may hang."""
        names = ", ".join(sorted(threads))
        self._recorder.emit(
            EngineNote(
                message=f"Step {start.step} runs in the run's own process: the code started threads ({names}), and a "
                "process with threads cannot be forked safely. Start threads inside ops or resources instead."
            ),
            start.step,
        )
        self._finish(
            start, attempt_alone(self._scope, start, self._recorder, Meter(self._clock.monotonic, start.queued)), driven
        )

    def _read(self, process: _StepProcess, chunks: int | None = None) -> None:
        """Take what a step has sent so far, or only so many chunks of it."""
        while process.descriptor >= 0 and chunks != 0:
            chunks = None if chunks is None else chunks - 1
            try:
                data = os.read(process.descriptor, _CHUNK)
            except BlockingIOError:
                return
            if not data:
                self._close(process)
                return
            for message in process.reader.feed(data):
                self._take(process, message)

    def _take(self, process: _StepProcess, message: StepMessage) -> None:
        match message:
            case StepDone():
                process.done = message
            case StepEvents(events=events):
                for event in events:
                    self._relay.emit(event.fact, event.step_key, event.time)
                    match event.fact:
                        case StepOutput(output=output, mapping_key=mapping_key):
                            process.outputs.append((output, mapping_key))
                        case StepSuccess():
                            process.done = StepDone(outcome="success", outputs=tuple(process.outputs))
                        case StepUpForRetry(wait=wait):
                            process.done = StepDone(outcome="retry", wait=wait)
                        case StepStart() | StepRestarted():
                            process.kill_at = self._time_of(process.start)
                        case StepFailure():
                            process.done = StepDone(outcome="failure")

    def _close(self, process: _StepProcess) -> None:
        if process.descriptor >= 0:
            self._selector.unregister(process.descriptor)
            os.close(process.descriptor)
            process.descriptor = -1

    def _reap(self) -> Iterator[tuple[Start, StepDone]]:
        """Attempts whose processes have ended, once all that they sent is taken."""
        for pid, process in list(self._processes.items()):
            reaped, status = os.waitpid(pid, os.WNOHANG)
            if reaped:
                del self._processes[pid]
                self._read(process)
                self._close(process)
                yield process.start, process.done or self._tell_death(process, os.waitstatus_to_exitcode(status))

    def _finish(self, start: Start, done: StepDone, driven: Driven) -> None:
        self._step_ended = True
        now = self._clock.monotonic()
        driven.take(self._scheduler.handle(fact_of(start.step, done, now), now))

    def _tell_death(self, process: _StepProcess, code: int) -> StepDone:
        """A process ended without saying how its step did: the attempt has failed, and its policy may allow another."""
        start = process.start
        if self.interrupted:
            message = f"The process {process.pid} of the step was stopped with the run."
            wait, source = None, "INTERRUPT"
        elif process.overdue:
            timeout = self._scope.prepared(start.spec).step.timeout
            message = (
                f"The process {process.pid} of the step was killed: it did not stop within {GRACE:g} s after its "
                f"timeout of {timeout:g} s."
            )
            wait, source = wait_by_policy(self._scope, start), "USER_CODE_ERROR"
        else:
            message = f"The process {process.pid} of the step {_how(code)}"
            wait, source = wait_by_policy(self._scope, start), "UNEXPECTED_ERROR"
        error = ErrorInfo(cls="StepTimeoutError" if process.overdue else "StepProcessEnded", message=message)
        if wait is None:
            self._recorder.emit(StepFailure(error=error, source=source), start.step)
            return StepDone(outcome="failure")
        self._recorder.emit(StepUpForRetry(error=error, retry=start.retry + 1, wait=wait), start.step)
        return StepDone(outcome="retry", wait=wait)

    # -- all processes ------------------------------------------------------------------------------------------------

    def _signal_all(self, number: signal.Signals) -> None:
        for pid in self._processes:
            os.kill(pid, number)  # not yet reaped, so the number is still theirs

    def _kill_all(self) -> None:
        self._signal_all(signal.SIGKILL)
        for pid, process in self._processes.items():
            os.waitpid(pid, 0)
            self._close(process)
        self._processes.clear()


def _be_child(execution: MultiprocessExecution, start: Start, writing: int, parent: int) -> None:
    """Be the process of a step; never returns."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        INTERRUPTS.reset()
        INTERRUPTS.install(*_STOPPING)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        die_with(parent)
        for each in execution._bell:
            os.close(each)
        for process in execution._processes.values():
            if process.descriptor >= 0:
                os.close(process.descriptor)
        run_child(execution._scope, start, writing)
        code = 0
    except BaseException:  # noqa: BLE001 - the process ends here; the worker tells of an end without an outcome
        traceback.print_exc()
    finally:
        try:
            _flush_output()
        finally:
            os._exit(code)  # whatever happened: what follows in the callers is the worker's work


def _flush_output() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError, OSError):  # none, closed by user code, or the disk is full
            stream.flush()


def _how(code: int) -> str:
    """How a process ended, from its exit code (negative: the signal that killed it)."""
    if code >= 0:
        return f"ended with exit code {code} before the step was done; look at its captured output."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    hint = " The system does that when memory runs out." if -code == signal.SIGKILL else ""
    return f"was killed by signal {-code} ({name}).{hint}"


def _pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    return reading, writing


def _drain(descriptor: int) -> None:
    try:
        while os.read(descriptor, 512):
            pass
    except BlockingIOError:
        return
