"""Step statistics, kept on write."""

from __future__ import annotations

from ...records.errors import ErrorInfo
from ...records.event import (
    Event,
    Fact,
    RunCanceled,
    RunEnqueued,
    RunFailure,
    RunResumed,
    StepFailure,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
)
from ...records.run import FailureReason, RunStatus, StepAttempt, StepStatus
from ...records.step_figures import StepFigures
from ...storage.protocols import Storage
from .builders import NOW, events_from, started_run

__all__ = ["StepContract"]

_ERROR = ErrorInfo(cls="ValueError", message="no")
_FIGURES = StepFigures(queued=0.5, computing=1.5, cpu=1.25, peak_memory=1 << 33)


class StepContract:
    """`EventStorage.step_stats`."""

    def test_each_step_that_began_is_known_in_order(self, storage: Storage) -> None:
        run = started_run(storage)
        events = [
            Event(time=NOW + 3, fact=StepWorkerStarted(pid=5), step_key="load", seq=2),
            Event(time=NOW + 4, fact=StepStart(), step_key="load", seq=3),
            Event(time=NOW + 5, fact=StepStart(), step_key="clean", seq=4),
            Event(time=NOW + 6, fact=StepSuccess(seconds=2, figures=_FIGURES), step_key="load", seq=5),
            Event(time=NOW + 7, fact=StepSkipped(reason="no rows"), step_key="extra", seq=6),
        ]
        for event in events:  # one by one, so that each meets what the ones before have stored
            storage.events.append(run.run_id, 1, [event], now=event.time)
        load, clean, extra = steps = storage.events.step_stats(run.run_id)
        other = started_run(storage)
        storage.events.append(other.run_id, 1, events_from(2, [StepStart()], step_key="load"), now=NOW + 8)
        idle = started_run(storage).run_id
        asked = storage.events.steps_of([run.run_id, idle, other.run_id, "unknown"])
        assert asked == {run.run_id: steps, other.run_id: storage.events.step_stats(other.run_id)}
        assert storage.events.steps_of([]) == {}
        assert (load.step_key, load.status, load.worker_started, load.started, load.ended, load.attempts) == (
            "load",
            StepStatus.SUCCESS,
            NOW + 3,
            NOW + 4,
            NOW + 6,
            (StepAttempt(NOW + 4, NOW + 6, _FIGURES),),
        )
        assert (clean.step_key, clean.status, clean.attempts) == (
            "clean",
            StepStatus.IN_PROGRESS,
            (StepAttempt(NOW + 5),),
        )
        assert (extra.step_key, extra.status, extra.ended) == ("extra", StepStatus.SKIPPED, NOW + 7)
        assert storage.events.step_stats("unknown") == []

    def test_each_try_has_its_times_and_figures(self, storage: Storage) -> None:
        run = started_run(storage)
        facts: list[Fact] = [
            StepStart(),
            StepUpForRetry(error=_ERROR, retry=1, figures=_FIGURES),
            StepRestarted(retry=1),
            StepFailure(error=_ERROR),
        ]
        events = [Event(time=NOW + 3 + i, fact=fact, step_key="load", seq=2 + i) for i, fact in enumerate(facts)]
        storage.events.append(run.run_id, 1, events, now=NOW)
        (load,) = storage.events.step_stats(run.run_id)
        assert load.status is StepStatus.FAILURE
        assert (load.started, load.ended) == (NOW + 3, NOW + 6)
        assert load.attempts == (StepAttempt(NOW + 3, NOW + 4, _FIGURES), StepAttempt(NOW + 5, NOW + 6))

    def test_a_try_is_over_when_its_worker_is_lost_and_another_one_follows(self, storage: Storage) -> None:
        run = started_run(storage)
        events = [
            Event(time=NOW + 3, fact=StepStart(), step_key="done", seq=2),
            Event(time=NOW + 4, fact=StepSuccess(seconds=1), step_key="done", seq=3),
            Event(time=NOW + 5, fact=StepStart(), step_key="open", seq=4),
        ]
        storage.events.append(run.run_id, 1, events, now=NOW)
        lost = RunEnqueued(reason="Its worker was killed.", lost_worker=True)
        assert storage.runs.record(run.run_id, [lost], now=NOW + 9, attempt=1)
        done, was_open = storage.events.step_stats(run.run_id)
        assert (done.status, done.attempts) == (StepStatus.SUCCESS, (StepAttempt(NOW + 3, NOW + 4),))
        assert (was_open.status, was_open.attempts) == (StepStatus.IN_PROGRESS, (StepAttempt(NOW + 5, NOW + 9),))
        (second,) = storage.runs.claim([run.run_id], owner="server-2", until=NOW + 40, now=NOW + 10)
        assert (second.attempt, second.started) == (2, NOW + 2)
        again = [
            Event(time=NOW + 11, fact=RunResumed(done=1), seq=1),
            Event(time=NOW + 12, fact=StepRestarted(retry=0, reason="Its worker was lost."), step_key="open", seq=2),
            Event(time=NOW + 14, fact=StepSuccess(seconds=2), step_key="open", seq=3),
        ]
        storage.events.append(run.run_id, 2, again, now=NOW)
        resumed = storage.runs.get(run.run_id)
        assert resumed is not None
        assert (resumed.status, resumed.started) == (RunStatus.STARTED, NOW + 2)
        was_open = storage.events.step_stats(run.run_id)[-1]
        assert (was_open.step_key, was_open.status, was_open.started) == ("open", StepStatus.SUCCESS, NOW + 5)
        assert was_open.attempts == (StepAttempt(NOW + 5, NOW + 9), StepAttempt(NOW + 12, NOW + 14))

    def test_a_step_that_is_open_when_the_run_ends_is_closed_in_the_same_call(self, storage: Storage) -> None:
        for end, source in (
            (RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="killed"), "UNEXPECTED_ERROR"),
            (RunCanceled(), "INTERRUPT"),
        ):
            run = started_run(storage)
            events = [
                Event(time=NOW + 3, fact=StepStart(), step_key="done", seq=2),
                Event(time=NOW + 4, fact=StepSuccess(seconds=1), step_key="done", seq=3),
                Event(time=NOW + 5, fact=StepStart(), step_key="open", seq=4),
            ]
            storage.events.append(run.run_id, 1, events, now=NOW)
            assert storage.runs.record(run.run_id, [end], now=NOW + 9)
            done, was_open = storage.events.step_stats(run.run_id)
            assert (done.status, done.ended) == (StepStatus.SUCCESS, NOW + 4)
            assert (was_open.status, was_open.ended, was_open.attempts) == (
                StepStatus.FAILURE,
                NOW + 9,
                (StepAttempt(NOW + 5, NOW + 9),),
            )
            closing, last = storage.events.of_run(run.run_id)[-2:]
            assert (closing.event.step_key, last.event.fact) == ("open", end)
            assert isinstance(closing.event.fact, StepFailure)
            assert closing.event.fact.source == source
