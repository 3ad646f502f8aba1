"""The run worker: a process that executes one attempt of one run, and writes what happens into the log itself."""

from __future__ import annotations

import signal
import socket
import sys
import threading
from contextlib import closing, nullcontext

from ..definitions.definitions import Definitions
from ..definitions.ops.job import JobDefinition
from ..errors import FencedError, InternalError, StorageError
from ..plan.build import build_plan
from ..plan.selection import base_step_key
from ..records.event import RunCanceled
from ..records.run import Run, RunStatus
from ..storage.derive import RUN_EVENTS
from ..storage.protocols import Storage
from ..storage.writer import EventWriter
from .configuration import configure
from .data_versions import with_data_versions
from .environment import Environment
from .executions import executor_of, prepare
from .inherited import inherited_by, kept_past
from .interrupt import INTERRUPTS
from .lease import EXIT_FENCED, LeaseThread, OwnLease
from .log_keeping import keeper_of, kept_by, upload_logs
from .loop import Watch
from .resumed import beginning_of, recall
from .run_life import live, not_initialized
from .scope import RunScope

__all__ = ["EXIT_UNTOLD", "IN_PROCESS_URGENT", "OUTAGE", "WriterWatch", "execute_run", "scope_of", "scope_of_job"]

OUTAGE = 300.0
"""Seconds for which a worker that has done its work goes on trying to store the last events."""

EXIT_UNTOLD = 75
"""The exit code of a worker that could not store the run's last events within `OUTAGE`."""

IN_PROCESS_URGENT = RUN_EVENTS | {"STEP_FAILURE", "STEP_UP_FOR_RETRY", "RESOURCE_INIT_FAILURE"}
"""What is stored at once where steps may take microseconds: the end of each step waits up to 50 ms for company."""


def execute_run(definitions: Definitions, run: Run, environment: Environment, channel: socket.socket | None) -> int:
    """Execute a run whose attempt this process was given, to its end.

    It takes SIGTERM and SIGINT as the wish to cancel: steps are interrupted, and the run ends as canceled.

    Args:
        definitions: The loaded user code.
        run: The run, with its attempt.
        environment: The world; it must have a storage.
        channel: A channel to the code server, which renews the attempt's lease while it lives; its end means that the
            server is gone. None: this process keeps the lease itself.

    Returns:
        The exit code for this process: 0 when the run's end is in the log (whichever it is), `EXIT_FENCED` when the
        attempt had passed to another or ended before,
        `EXIT_UNTOLD` when the database stayed away and has no end of it.
    """
    storage = environment.storage
    if storage is None:
        raise InternalError("A run worker needs a storage for its events.")
    INTERRUPTS.reset()
    INTERRUPTS.install(signal.SIGTERM, signal.SIGINT)
    try:
        lease = OwnLease(storage.runs, run, environment.clock, channel, stop=_interrupt)
        return _execute(definitions, run, environment, storage, lease)
    except FencedError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the worker's own output
        return EXIT_FENCED


def _interrupt() -> None:
    """Ask this process to stop, as a code server does; the signal ends what the main thread waits for."""
    main = threading.main_thread().ident
    assert main is not None
    signal.pthread_kill(main, signal.SIGTERM)


def _execute(definitions: Definitions, run: Run, environment: Environment, storage: Storage, lease: OwnLease) -> int:
    try:
        canceled = (storage.runs.get(run.run_id) or run).status is RunStatus.CANCELING
    except StorageError:
        canceled = False  # the database is away, which fails no run; whoever cancels it sends a signal too
    writer = EventWriter(storage.events, run.run_id, run.attempt, environment.clock, urgent=RUN_EVENTS)
    if canceled:
        writer.emit(RunCanceled(message="The run was canceled before it began."))
        return _close(writer, run)
    try:
        scope = scope_of(definitions, run, environment)
        scope.past = recall(scope, storage)
        choice = executor_of(scope, reconstructable=True)
        if not choice.loops:
            writer = EventWriter(
                storage.events,
                run.run_id,
                run.attempt,
                environment.clock,
                background=True,
                urgent=IN_PROCESS_URGENT,
            )
        keeper = keeper_of(environment.logs, run.run_id, storage, environment.clock, writer)
        kept = with_data_versions(scope, kept_by(keeper, writer, run.run_id))
        recorder = scope.logged(kept)
        watches: list[Watch] = [WriterWatch(writer), lease, *([] if keeper is None else [keeper])]
        execution = prepare(choice, scope, recorder, kept, watches)
    except StorageError as error:
        # Its log says how far the run had come. Whoever watches this worker starts another one.
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the worker's own output
        return EXIT_UNTOLD
    except Exception as error:  # noqa: BLE001 - whatever it is, the run cannot begin, and its log says why
        not_initialized(writer, error)
        return _close(writer, run)
    # A process with threads cannot fork: the loop that follows steps in other processes keeps the lease.
    with (
        nullcontext() if keeper is None else closing(keeper),
        nullcontext() if choice.loops else LeaseThread(lease, keeper, may_exit=True),
    ):
        live(recorder, beginning_of(scope, choice.name), execution.run, lambda: execution.interrupted)
    code = _close(writer, run)
    upload_logs(environment.logs, run.run_id)
    return code


def _close(writer: EventWriter, run: Run) -> int:
    if writer.close(OUTAGE):
        return 0
    lost = f"The last {writer.waiting} events of the run {run.run_id} could not be stored within {OUTAGE:g} s."
    print(lost, file=sys.stderr)  # noqa: T201 - the worker's own output
    return EXIT_UNTOLD


def scope_of(definitions: Definitions, run: Run, environment: Environment) -> RunScope:
    """The run with its job, plan and config.

    Raises:
        ConfigurationError: The job or a part of the selection does not exist, or the config has mistakes.
        StorageError: The run repeats another one, whose log cannot be read.
    """
    return scope_of_job(definitions.get_job_def(run.job), run, environment)


def scope_of_job(job: JobDefinition, run: Run, environment: Environment) -> RunScope:
    """The run with a job that was loaded for it, its plan and config; raises as `scope_of` does."""
    inherited = inherited_by(run.parent_run_id, run.step_keys, job, environment)
    plan = build_plan(
        job,
        step_keys=run.step_keys,
        assets=run.assets,
        checks=run.checks,
        at_hand=None if inherited is None else {base_step_key(key) for key in inherited},
    )
    config = configure(plan, job, run.run_config or job.config_for(run.partition))
    return RunScope(
        run=run,
        job=job,
        plan=plan,
        config=config,
        environment=environment,
        resources=job.resource_defs,
        past=kept_past(plan, inherited, run.step_keys),
    )


class WriterWatch:
    """Lets the worker's select loop store events that have waited long enough."""

    def __init__(self, writer: EventWriter) -> None:
        self._writer = writer

    def fileno(self) -> int:
        """None."""
        return -1

    def due_in(self) -> float | None:
        """Seconds until events have waited long enough."""
        return self._writer.due_in()

    def attend(self) -> None:
        """Store them."""
        self._writer.flush()
