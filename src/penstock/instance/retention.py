"""What is old of an instance, in its storage and in what was captured, and its removal in small steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from ..clock import Clock
from ..codec import decode_json, encode_json
from ..engine.retention import Pace, Rule, cuts, next_time, pace_after, rest_after, words_of
from ..errors import StorageError
from ..ids import created_at
from ..logs.store import STREAMS, LogStore
from ..records.retention import (
    Cut,
    Kept,
    KindReport,
    OldOutput,
    OldRuns,
    Removed,
    RetentionKind,
    RetentionReport,
)
from ..storage.protocols import BackfillFilter, RunStorage, Storage
from ..storage.retention import MOST_COUNTED, Retained, Retention

__all__ = ["Sweeper", "expired_output", "last_report", "store_report"]

_REPORT = "retention"
"""The name of the report among the named values, and the topic by which its readers hear of a new one."""

_SAMPLE = 50
_LONG_LOG = 2000
_BACKFILLS = 10


class Sweeper:
    """Says what there is and what is old, and removes it. One thread at a time may use it.

    Args:
        storage: Where runs, events and ticks are. Of one that is not `Retained`, only captured output is removed.
        logs: What steps have printed.
        clock: Tells how long a step takes.
    """

    def __init__(self, storage: Storage, logs: LogStore, clock: Clock) -> None:
        self._runs = storage.runs
        self._backfills = storage.backfills
        self._logs = logs
        self._clock = clock
        self._pace = Pace()
        self._retention: Retention | None = storage.retention if isinstance(storage, Retained) else None
        self._expired: tuple[float, Iterator[str]] | None = None

    def report(self, rules: Sequence[Rule], now: float) -> tuple[KindReport, ...]:
        """How it stands with each kind at a time, by these rules."""
        old = [(cut.kind, self.old(cut)) for cut in self.cuts(rules, now)]
        return tuple(
            KindReport(
                kept=kept,
                rule=words_of(rules, kept.kind),
                going=sum(rows for kind, rows in old if kind is kept.kind),
                next=next_time(rules, kept, now),
            )
            for kept in self.kept()
        )

    def cuts(self, rules: Sequence[Rule], now: float) -> list[Cut]:
        """What is too old at a time, as far as it can be removed here, in the order in which it is to be removed."""
        return [cut for cut in cuts(rules, now) if isinstance(cut, OldOutput) or self._retention is not None]

    def kept(self) -> list[Kept]:
        """What there is of each kind."""
        of_storage = [] if self._retention is None else self._retention.kept()
        return [*of_storage, _kept_output(self._logs)]

    def old(self, cut: Cut) -> int:
        """How much of it is too old; counting stops at a limit."""
        if isinstance(cut, OldOutput):
            found = expired_output(self._logs, self._runs, before=cut.before)
            return sum(1 for _ in islice(found, MOST_COUNTED))
        return self._of_storage().old(cut)

    def step(self, cut: Cut) -> tuple[Removed, float]:
        """Remove a little of what is too old, the oldest first; gives for how many seconds to rest then.

        Raises:
            StorageError: The storage cannot do so.
            LogStoreError: What was captured cannot be reached.
        """
        began = self._clock.monotonic()
        removed = self._remove(cut, self._pace.rows)
        took = self._clock.monotonic() - began
        self._pace = pace_after(self._pace, took)
        return removed, rest_after(took)

    def _remove(self, cut: Cut, at_most: int) -> Removed:
        match cut:
            case OldOutput():
                return self._remove_output(cut.before, at_most)
            case OldRuns():
                return self._remove_runs(self._of_storage(), cut.before, at_most)
            case _:
                return self._of_storage().remove(cut, at_most=at_most)

    def _of_storage(self) -> Retention:
        if self._retention is None:
            raise StorageError("This storage cannot remove what is old; see to that by its own means.")
        return self._retention

    def _remove_runs(self, retention: Retention, before: float, at_most: int) -> Removed:
        """Each run in transactions of its own: most of a long log first, then what it printed, then the run."""
        removed = left = 0
        found = retention.old_runs(before, limit=max(1, at_most // 10))
        for run_id in found:
            while left < at_most and (shortened := retention.shorten(run_id, at_most=_LONG_LOG)):
                left += shortened
            if left >= at_most:
                return Removed(rows=removed, more=True)
            self._logs.delete(run_id)
            removed += self._runs.delete(run_id)
        if not found:
            return self._remove_backfills(before)
        return Removed(rows=removed, more=bool(removed))

    def _remove_backfills(self, before: float) -> Removed:
        """A backfill goes with its runs; it is not counted."""
        old = self._backfills.page(BackfillFilter(ended_before=before), limit=_BACKFILLS)
        for backfill in old:
            self._backfills.delete(backfill.backfill_id)
        return Removed(rows=0, more=len(old) == _BACKFILLS)

    def _remove_output(self, before: float, at_most: int) -> Removed:
        # To list the captures takes long where there are many, so it is done once for all steps of a look.
        if self._expired is None or self._expired[0] != before:
            self._expired = before, expired_output(self._logs, self._runs, before=before)
        removed = 0
        for run_id in islice(self._expired[1], at_most):
            self._logs.delete(run_id)
            removed += 1
        more = removed == at_most
        if not more:
            self._expired = None
        return Removed(rows=removed, more=more)


def expired_output(logs: LogStore, runs: RunStorage, *, before: float) -> Iterator[str]:
    """The runs whose output is to be removed: oldest first, looked up one by one.

    A run that has not ended keeps its output; what is left of a run that was deleted goes by the time of its making.

    Args:
        logs: The captures.
        runs: The runs.
        before: The time before which a run has to have ended.
    """
    for run_id in logs.runs():
        created = created_at(run_id)
        if created is not None and created > before:
            continue  # it cannot have ended before it was made
        run = runs.get(run_id)
        ended = created if run is None else run.ended
        if (run is None or run.is_finished) and (ended or 0.0) <= before:
            yield run_id


def store_report(storage: Storage, report: RetentionReport) -> None:
    """Let everybody know what was found and done."""
    storage.locations.set_value(_REPORT, encode_json(report).decode())
    storage.notifier.publish({_REPORT})


def last_report(storage: Storage) -> RetentionReport | None:
    """What was found and done at the last look; None before the first one."""
    stored = storage.locations.get_value(_REPORT)
    return None if stored is None else decode_json(stored, RetentionReport)


def _kept_output(logs: LogStore) -> Kept:
    found = list(logs.runs())
    oldest = created_at(found[0]) if found else None
    size = None
    if logs.upload_interval is None:  # on this machine, where it costs little to look
        some = found[:: max(1, len(found) // _SAMPLE)]
        seen = sum(logs.size(key, stream) for run_id in some for key in logs.keys(run_id) for stream in STREAMS)
        size = round(seen / len(some) * len(found)) if some else 0
    return Kept(kind=RetentionKind.COMPUTE_LOGS, rows=len(found), oldest=oldest, aged_from=oldest, bytes=size)
