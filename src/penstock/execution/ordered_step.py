"""Inside a process that was launched for one attempt of a step: it carries out its order, and writes into the log."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import closing, nullcontext

from ..definitions.load import load_definitions
from ..errors import FencedError, InternalError
from ..records.event import StepFailure, StepWorkerStarted
from ..storage.writer import URGENT, EventWriter
from .blame import describe_user_error
from .child import attempt_alone
from .data_versions import with_data_versions
from .environment import Environment
from .interrupt import INTERRUPTS
from .lease import EXIT_FENCED, LeaseThread
from .log_keeping import keeper_of, kept_by, upload_logs
from .meter import Meter
from .narrowing import narrowed
from .recorder import Recorder
from .scope import RunScope
from .step_order import JobSource, StepOrder
from .worker import EXIT_UNTOLD, OUTAGE, scope_of, scope_of_job

__all__ = ["carry_out"]

_URGENT = URGENT | {"STEP_START", "STEP_RESTARTED"}
"""What is stored at once: also that user code is about to run, which may end this process."""


def carry_out(order: StepOrder, environment: Environment) -> int:
    """Load the code, run the attempt, and store all that happens.

    Args:
        order: Which attempt, and what it needs.
        environment: The world; it must have a storage.

    Returns:
        The exit code for this process: 0 when the attempt's end is in the log (whichever it is), `EXIT_FENCED` when the
        run's attempt is over, `EXIT_UNTOLD` when the database stayed away.
    """
    storage, run, start = environment.storage, order.run, order.start
    if storage is None:
        raise InternalError("A step that runs elsewhere needs a storage for its events.")
    meter = Meter(environment.clock.monotonic, start.queued, own_process=True)
    INTERRUPTS.reset()
    INTERRUPTS.install(signal.SIGTERM, signal.SIGINT)
    writer = EventWriter(
        storage.events,
        run.run_id,
        run.attempt,
        environment.clock,
        first_seq=order.first_seq,
        background=True,
        urgent=_URGENT,
    )
    keeper = keeper_of(environment.logs, run.run_id, storage, environment.clock, writer)
    try:
        writer.emit(StepWorkerStarted(pid=os.getpid()), start.step)
        try:
            scope = _scope(order, environment)
            recorder: Recorder = scope.logged(with_data_versions(scope, kept_by(keeper, writer, run.run_id)))
        except Exception as error:  # noqa: BLE001 - user code is loaded here: whatever it raises is why the step failed
            writer.emit(StepFailure(error=describe_user_error(error)), start.step)
        else:
            with nullcontext() if keeper is None else closing(keeper), LeaseThread(None, keeper, may_exit=False):
                attempt_alone(scope, start, recorder, meter)
            upload_logs(environment.logs, run.run_id)
        return 0 if writer.close(OUTAGE) else EXIT_UNTOLD
    except FencedError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # noqa: T201 - the process's own output
        return EXIT_FENCED


def _scope(order: StepOrder, environment: Environment) -> RunScope:
    """The run as its worker sees it."""
    code = order.where.code
    if isinstance(code, JobSource):
        job, _ = narrowed(code.job.get_definition(), code.op_selection)
        scope = scope_of_job(job, order.run, environment)
    else:
        scope = scope_of(load_definitions(code.target), order.run, environment)
    scope.retries = order.retries
    return scope
