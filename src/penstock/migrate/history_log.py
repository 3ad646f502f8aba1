"""The log of a run that is imported: its old lines as numbered events that lead to the state in which it ended."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ..records.event import (
    EngineNote,
    Event,
    Fact,
    RunCanceled,
    RunEnqueued,
    RunFailure,
    RunStart,
    RunStarting,
    RunSuccess,
)
from ..records.run import FailureReason, Run, RunStatus, StepStats
from ..storage.derive import END_EVENTS, RUN_EVENTS, derive, move_run
from .history_facts import FactReader, read_entry
from .history_tables import RunRow
from .history_tally import UNREADABLE, Tally

__all__ = ["ImportedLog", "has_ended", "read_log"]

_ENDS = {"SUCCESS": "RUN_SUCCESS", "FAILURE": "RUN_FAILURE", "CANCELED": "RUN_CANCELED"}


def has_ended(row: RunRow) -> bool:
    """Whether a run's row says that it has ended."""
    return row.status in _ENDS


class ImportedLog(NamedTuple):
    """A run as it ended, what is known of its steps, and its events."""

    run: Run
    steps: tuple[StepStats, ...]
    events: list[Event]


def read_log(run: Run, row: RunRow, lines: Iterable[tuple[int, str]], reader: FactReader, tally: Tally) -> ImportedLog:
    """Turn the lines of a run's log into events.

    An event's number is that of its line, so that a line that comes again is known. A line that the run's state does
    not allow becomes a note. The end comes last, for nothing follows the end of a run here; where the lines do not tell
    the end that the run's row names, it is added.

    Args:
        run: As it was made.
        row: Its row.
        lines: Numbers and JSON.
        reader: Reads facts; a new one for each run.
        tally: Counts.
    """
    log = _Log(run, row)
    for number, text in lines:
        try:
            entry = read_entry(text)
            log.add(Event(time=entry.timestamp, fact=reader.fact(entry), step_key=entry.step_key, seq=number))
        except UNREADABLE as error:
            tally.unreadable(f"run {row.run_id}, event {number}", error)
            log.add(Event(time=log.time, fact=EngineNote(message=f"A line of the old log: {error}."), seq=number))
    log.end()
    outcome = derive(run, {}, log.events)
    assert not outcome.refused, outcome.refused
    return ImportedLog(outcome.run, tuple(outcome.steps.values()), _numbered(outcome.events))


class _Log:
    """The events so far, and the run as they have moved it."""

    def __init__(self, run: Run, row: RunRow) -> None:
        self.events: list[Event] = []
        self.time = run.created
        self._run = run
        self._row = row
        self._end: Event | None = None

    def add(self, event: Event) -> None:
        """The event of a line."""
        self.time = max(self.time, event.time)
        if event.type in END_EVENTS:
            if self._end is not None:
                self.events.append(_as_note(self._end))
            self._end = event
        elif event.type in RUN_EVENTS and not self._move(event):
            self.events.append(_as_note(event))
        else:
            self.events.append(event)

    def end(self) -> None:
        """The end, when all lines are there."""
        row, end = self._row, self._end
        if end is not None and end.type != _ENDS.get(row.status, end.type):
            self.events.append(_as_note(end))
            end = None
        if end is None:
            time = row.ended or (row.updated if has_ended(row) else None) or self.time
            end = Event(time=time, fact=_end_fact(row))
        if end.type == "RUN_SUCCESS":
            self._start(row.started or end.time)
        self.events.append(end)

    def _start(self, time: float) -> None:
        """What has to come before a success, for a log that does not have it."""
        for fact in (RunStarting(), RunStart()):
            event = Event(time=time, fact=fact)
            if self._run.status not in (RunStatus.STARTED, RunStatus.CANCELING) and self._move(event):
                self.events.append(event)

    def _move(self, event: Event) -> bool:
        moved = move_run(self._run, event)
        if moved is None or (isinstance(event.fact, RunEnqueued) and self._run.status is RunStatus.STARTED):
            return False
        self._run = moved
        return True


def _numbered(events: Sequence[Event]) -> list[Event]:
    """The events, those that were added under numbers beyond those of all lines."""
    numbers = itertools.count(max((event.seq or 0 for event in events), default=0) + 1)
    return [msgspec.structs.replace(each, seq=next(numbers)) if each.seq is None else each for each in events]


def _as_note(event: Event) -> Event:
    return msgspec.structs.replace(event, fact=EngineNote(message=event.message))


def _end_fact(row: RunRow) -> Fact:
    match row.status:
        case "SUCCESS":
            return RunSuccess()
        case "CANCELED":
            return RunCanceled()
        case "FAILURE":
            return RunFailure(
                reason=FailureReason.UNKNOWN, message="The run failed; the log that was imported does not say why."
            )
        case status:
            return RunFailure(
                reason=FailureReason.UNKNOWN,
                message=f"The run had not ended ({status}) when its history was imported.",
            )
