"""The loggers that a run config chooses: each gets every line of the run once, from the process that writes it."""

from __future__ import annotations

import logging
import sys
import traceback
from collections.abc import Mapping
from typing import Any

from ..clock import Clock
from ..definitions.loggers import InitLoggerContext
from ..definitions.ops.job import JobDefinition
from ..errors import UserCodeError
from ..logs.capture import told_in_events
from ..records.event import Event, Fact, LogLine
from ..records.phrases import level_of, phrase
from ..records.run import Run
from .recorder import Recorder

__all__ = ["LoggedRecorder", "make_loggers"]


def make_loggers(job: JobDefinition, config: Mapping[str, Any], run: Run) -> list[logging.Logger]:
    """The loggers that the section `loggers` of a run config names.

    Args:
        job: The job, which knows what they are.
        config: The run's whole config, checked.
        run: The run.

    Raises:
        UserCodeError: One could not be made.
    """
    made = []
    for name, entry in (config.get("loggers") or {}).items():
        definition = job.loggers[name]
        context = InitLoggerContext((entry or {}).get("config"), definition, job, run.run_id)
        try:
            made.append(definition.make(context))
        except Exception as error:
            raised = f"{type(error).__name__}: {error}"
            raise UserCodeError(f'The logger "{name}" ({definition.source}) could not be made: {raised}') from error
    return made


class LoggedRecorder:
    """Passes facts on, and writes them to loggers as lines: what user code logs as it is, all else as a sentence.

    Records carry `penstock_meta`: run, job, step, the event's type, and the stack of an error.

    Args:
        onward: Takes the facts.
        loggers: The loggers.
        run: The run.
        clock: The time of facts that are given none.
    """

    def __init__(self, onward: Recorder, loggers: list[logging.Logger], run: Run, clock: Clock) -> None:
        self._onward = onward
        self._loggers = loggers
        self._run = run
        self._clock = clock

    def emit(self, fact: Fact, step_key: str | None = None, time: float | None = None) -> None:
        """Take a fact."""
        event = Event(time=self._clock.now() if time is None else time, fact=fact, step_key=step_key)
        self._onward.emit(fact, step_key, event.time)
        for each in self._loggers:
            try:
                with told_in_events():
                    self._write(each, event)
            except Exception:  # noqa: BLE001 - a logger that does not work must not fail the run
                print(f"The logger {each.name!r} raised:", file=sys.stderr)  # noqa: T201 - where its lines would go
                traceback.print_exc()

    def flush(self) -> None:
        """Return when the facts passed on are where they shall stay."""
        self._onward.flush()

    def _write(self, logger: logging.Logger, event: Event) -> None:
        level = logging.getLevelNamesMapping()[level_of(event)]
        if not logger.isEnabledFor(level):
            return
        record = logger.makeRecord(logger.name, level, "", 0, phrase(event), (), None, extra=self._about(event))
        record.created = event.time
        logger.handle(record)

    def _about(self, event: Event) -> dict[str, Any]:
        error = getattr(event.fact, "error", None)
        return {
            "penstock_meta": {
                "run_id": self._run.run_id,
                "job_name": self._run.job,
                "step_key": event.step_key,
                "event_type": None if isinstance(event.fact, LogLine) else event.type,
                "stack": None if error is None else error.render(),
            }
        }
