"""Inside a process that was forked from the run worker for steps: it runs attempts, and tells what happens."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from threading import Lock

import msgspec

from ..clock import Clock
from ..engine.step_messages import Start
from ..errors import ExecutionInterruptedError, UserCodeError
from ..logs.store import log_key
from ..records.event import Event, Fact, StepFailure, StepWorkerStarted
from ..records.wire import StepDone, StepEvents
from ..storage.encoding import encode_event
from .blame import describe_user_error
from .frames import FrameReader, write_frame
from .interrupt import INTERRUPTS
from .log import managed_loggers
from .log_keeping import capturing
from .meter import Meter, peak_memory
from .recorder import Recorder
from .scope import RunScope
from .step import run_step

__all__ = ["EXIT_LOST", "PipeRecorder", "attempt_alone", "die_with", "run_child", "serve_attempts"]

MOST_ATTEMPTS = 1000
"""After so many attempts a process that takes many is replaced, so that what leaks does not grow for ever."""

MOST_GROWTH = 256 << 20
"""Bytes by which the peak memory of a process that takes many attempts may grow; then it is replaced."""

EXIT_LOST = 3
"""The exit code of a step's process whose run worker is gone."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class PipeRecorder:
    """Sends facts to the run worker as they happen.

    A fact is in the pipe when `emit` returns, so it is not lost when this process is killed. When the worker does not
    read, `emit` waits.
    """

    def __init__(self, descriptor: int, clock: Clock) -> None:
        self._descriptor = descriptor
        self._clock = clock
        self._lock = Lock()  # user code may log from its own threads

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> None:
        """Send a fact."""
        event = Event(time=self._clock.now() if time is None else time, fact=fact, step_key=step_key)
        storable, _ = encode_event(event)  # odd text or values of user code must not fail the step here
        self.send(StepEvents(events=(storable,)))

    def send(self, message: StepEvents | StepDone) -> None:
        """Send a message whole."""
        with self._lock, INTERRUPTS.our_code:
            try:
                write_frame(self._descriptor, message)
            except BrokenPipeError:
                # Nobody is left to tell. What would be done now would be done for nobody, and maybe done twice.
                os._exit(EXIT_LOST)

    def flush(self) -> None:
        """Nothing to do: it is sent."""


def die_with(parent: int) -> None:
    """Let this process be killed when its parent `parent` dies, where the system can do that."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        os._exit(EXIT_LOST)


def run_child(scope: RunScope, start: Start, descriptor: int, waiting: int = -1) -> None:
    """Run the attempt in this process and tell it through the pipe; returns when all is told.

    Args:
        scope: The run.
        start: The attempt.
        descriptor: The pipe to tell through.
        waiting: A pipe whose other end must be closed before anything of the user's is run; -1 if there is none.
    """
    recorder = PipeRecorder(descriptor, scope.environment.clock)
    recorder.emit(StepWorkerStarted(pid=os.getpid()), start.step)
    if waiting >= 0:
        os.read(waiting, 1)
        os.close(waiting)
    meter = Meter(scope.environment.clock.monotonic, start.queued, own_process=True)
    recorder.send(attempt_alone(scope, start, scope.logged(recorder), meter))


def serve_attempts(scope: RunScope, orders: int, descriptor: int) -> None:
    """Run attempts in this process one after another, as they are ordered, and tell them through the pipe.

    It returns when there are no more orders, or when this process should take no more: after an attempt that did not
    succeed, after `MOST_ATTEMPTS`, or when its memory has grown by `MOST_GROWTH`.

    Args:
        scope: The run.
        orders: A pipe of frames, each a `Start`.
        descriptor: The pipe to tell through.
    """
    recorder = PipeRecorder(descriptor, scope.environment.clock)
    logged = scope.logged(recorder)
    monotonic = scope.environment.clock.monotonic
    at_first = peak_memory() or 0
    for number, start in enumerate(_orders(orders), 1):
        meter = Meter(monotonic, start.queued)
        recorder.emit(StepWorkerStarted(pid=os.getpid()), start.step)
        done = attempt_alone(scope, start, logged, meter)
        grown = (peak_memory() or 0) - at_first
        last = done.outcome != "success" or number >= MOST_ATTEMPTS or grown > MOST_GROWTH
        recorder.send(msgspec.structs.replace(done, retires=last))
        if last:
            return


def _orders(descriptor: int) -> Iterator[Start]:
    reader: FrameReader[Start] = FrameReader(Start)
    while data := os.read(descriptor, 1 << 16):
        yield from reader.feed(data)


def attempt_alone(scope: RunScope, start: Start, recorder: Recorder, meter: Meter) -> StepDone:
    """Run one attempt of a step with its own capture, and with resources set up for it alone; `meter` measures it."""
    key = log_key(scope.run.run_id, start.step)
    with capturing(scope.environment.logs, key, (start.step,), recorder) as marked:

        def emit(fact: Fact) -> None:
            marked.emit(fact, start.step)

        with managed_loggers(scope.environment.python_logs, emit):
            try:
                with scope.open_resources(scope.prepared(start.spec).resource_keys, emit) as opened:
                    return run_step(scope, start, marked, opened, meter).done
            except ExecutionInterruptedError as error:
                emit(StepFailure(error=describe_user_error(error), source="INTERRUPT", figures=meter.figures()))
            except UserCodeError as error:  # a resource could not be set up
                emit(StepFailure(error=describe_user_error(error), figures=meter.figures()))
            return StepDone(outcome="failure")
