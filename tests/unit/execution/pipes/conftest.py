"""Fixtures of Pipes: a step's context whose facts a test can look at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from penstock import AssetExecutionContext, OpExecutionContext, asset, materialize, op
from penstock.definitions.ops.job import job
from penstock.records.event import LogLine
from penstock.records.run import RunStatus

Logged = list[tuple[str, str]]
InStep = Callable[..., Logged]


def lines_of(result: Any) -> Logged:
    """(level, message) of each line of a run's log."""
    return [(e.fact.level, e.fact.message) for e in result.all_events if isinstance(e.fact, LogLine)]


@pytest.fixture
def in_op() -> InStep:
    """Calls a function with the context of an op's step; gives the lines of the log."""

    def run(work: Callable[[OpExecutionContext], object]) -> Logged:
        @op
        def step(context: OpExecutionContext) -> None:
            work(context)

        @job
        def only() -> None:
            step()

        return lines_of(only.execute_in_process())

    return run


@pytest.fixture
def in_asset() -> InStep:
    """Calls a function with the context of the step of the asset `orders`, which gives what the function returns."""

    def run(work: Callable[[AssetExecutionContext], Any], **declared: Any) -> Logged:
        partition = declared.pop("partition", None)

        @asset(**declared)
        def orders(context: AssetExecutionContext) -> Any:
            return work(context)

        result = materialize([orders], partition_key=partition)
        assert result.success, RunStatus.FAILURE
        return lines_of(result)

    return run
