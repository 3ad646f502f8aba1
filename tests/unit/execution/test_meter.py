"""Where an attempt's time goes is measured without a gap, in whatever process it runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from penstock import DynamicOut, DynamicOutput, ExecuteInProcessResult, RetryPolicy, job, op
from penstock.execution.meter import COMPUTING, LOADING, STORING, Meter, memory_of
from penstock.records.event import StepFailure, StepSuccess, StepUpForRetry
from penstock.records.step_figures import StepFigures
from penstock.testing.clock import FakeClock


def test_phases_follow_each_other_without_a_gap() -> None:
    clock = FakeClock()
    meter = Meter(clock.monotonic, 7.0)
    clock.advance(1)
    meter.enter(LOADING)
    clock.advance(2)
    for _ in range(2):  # a generator's results are stored one by one
        meter.enter(COMPUTING)
        clock.advance(4)
        meter.enter(STORING)
        clock.advance(8)
    figures = meter.figures()
    phases = (figures.queued, figures.starting, figures.loading, figures.computing, figures.storing)
    assert phases == (7.0, 1.0, 2.0, 8.0, 16.0)


def test_an_attempt_that_failed_in_between_has_the_phases_until_then() -> None:
    clock = FakeClock()
    meter = Meter(clock.monotonic)
    meter.enter(LOADING)
    clock.advance(3)
    figures = meter.figures()
    assert (figures.starting, figures.loading, figures.computing, figures.storing) == (0.0, 3.0, 0.0, 0.0)


def test_a_process_of_its_own_is_measured_from_its_begin() -> None:
    clock = FakeClock()
    shared = Meter(clock.monotonic).figures()
    own = Meter(clock.monotonic, own_process=True).figures()
    assert (shared.shared, own.shared) == (True, False)
    assert shared.cpu is not None
    assert own.cpu is not None
    assert shared.cpu < own.cpu  # this process has worked before
    assert shared.peak_memory
    assert own.peak_memory


def test_memory_is_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert memory_of(3) == 3072
    monkeypatch.setattr("sys.platform", "darwin")
    assert memory_of(3) == 3


def figures_of(result: ExecuteInProcessResult, step: str) -> list[StepFigures]:
    return [
        event.fact.figures
        for event in result.all_node_events
        if event.step_key == step
        and isinstance(event.fact, StepSuccess | StepFailure | StepUpForRetry)
        and event.fact.figures is not None
    ]


def test_every_end_of_an_attempt_in_this_process_has_its_figures() -> None:
    @op(out=DynamicOut(int))
    def several() -> Iterator[DynamicOutput[int]]:
        for number in range(2):
            yield DynamicOutput(number, mapping_key=str(number))

    @op(retry_policy=RetryPolicy(max_retries=1))
    def fails(number: int) -> None:
        raise ValueError(number)

    @job
    def work() -> None:
        several().map(fails)

    result = work.execute_in_process(raise_on_error=False)
    for step, attempts in (("several", 1), ("fails[0]", 2), ("fails[1]", 2)):
        found = figures_of(result, step)
        assert len(found) == attempts
        for figures in found:
            assert figures.shared
            assert None not in (figures.queued, figures.starting, figures.loading, figures.computing, figures.storing)
            assert figures.peak_memory
