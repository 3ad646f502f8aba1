"""The log of one imported run: its old lines as numbered events that lead to the state in which the run ended."""

from __future__ import annotations

from collections.abc import Sequence

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
from ..records.run import FailureReason, Run, RunStatus
from ..storage.derive import END_EVENTS, RUN_EVENTS, move_run
from .history_facts import FactReader, read_entry
from .history_tables import RunRow
from .history_tally import UNREADABLE, Tally

__all__ = ["ImportedLog", "has_ended"]

_ENDS = {"SUCCESS": "RUN_SUCCESS", "FAILURE": "RUN_FAILURE", "CANCELED": "RUN_CANCELED"}


def has_ended(row: RunRow) -> bool:
    """Whether a run's row says that it has ended."""
    return row.status in _ENDS


class ImportedLog:
    """Turns the lines of a run's log into events, line by line.

    An event's number is that of its line, so that a line that comes again is known. A line that the run's state does
    not allow becomes a note. The end comes last: nothing follows the end of a run here, so that it waits for the lines
    that follow it there; where the lines do not tell the end that the run's row names, it is added.

    Args:
        run: As it was made.
        row: Its row.
    """

    def __init__(self, run: Run, row: RunRow, reader: FactReader, tally: Tally) -> None:
        self.run = run
        self.reached = run
        """The run as the events so far have moved it."""
        self._row = row
        self._reader = reader
        self._tally = tally
        self._end: Event | None = None
        self._last = 0
        self._time = run.created

    @property
    def may_be_stored(self) -> bool:
        """Whether what there is leaves the run in a state in which its log can go on."""
        return self.reached.status is not RunStatus.QUEUED

    def read(self, number: int, text: str) -> list[Event]:
        """The events of a line."""
        self._last = max(self._last, number)
        try:
            entry = read_entry(text)
            fact: Fact = self._reader.fact(entry)
            event = Event(time=entry.timestamp, fact=fact, step_key=entry.step_key, seq=number)
        except UNREADABLE as error:
            self._tally.unreadable(f"run {self._row.run_id}, event {number}", error)
            note = EngineNote(message=f"This line of the old log could not be read: {error}.")
            return [Event(time=self._time, fact=note, seq=number)]
        self._time = max(self._time, event.time)
        if event.type in END_EVENTS:
            before, self._end = self._end, event
            return [] if before is None else [_as_note(before)]
        if event.type not in RUN_EVENTS:
            return [event]
        return [event if self._move(event) else _as_note(event)]

    def close(self) -> list[Event]:
        """The events of the end."""
        row, end = self._row, self._end
        events: list[Event] = []
        wanted = _ENDS.get(row.status)
        if end is not None and wanted is not None and end.type != wanted:
            events.append(_as_note(end))
            end = None
        if end is None:
            time = row.ended or (row.updated if has_ended(row) else None) or self._time
            end = Event(time=time, fact=_end_fact(row), seq=self._last + 2)
        if end.type == "RUN_SUCCESS" and self.reached.status not in (RunStatus.STARTED, RunStatus.CANCELING):
            events += self._start(end)
        moved = self._move(end)
        assert moved, f"{end.type} cannot follow {self.reached.status}"
        return [*events, end]

    def _start(self, end: Event) -> Sequence[Event]:
        """What has to come before a success, for a log that does not have it."""
        time = self._row.started or end.time
        facts: list[Fact] = [RunStart()]
        if self.reached.status is RunStatus.QUEUED:
            facts.insert(0, RunStarting())
        events = [Event(time=time, fact=fact, seq=self._last + 3 + number) for number, fact in enumerate(facts)]
        for event in events:
            self._move(event)
        return events

    def _move(self, event: Event) -> bool:
        moved = move_run(self.reached, event)
        if moved is None or (isinstance(event.fact, RunEnqueued) and self.reached.status is RunStatus.STARTED):
            return False
        self.reached = moved
        return True


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
