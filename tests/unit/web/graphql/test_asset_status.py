"""What is shown first of an asset."""

from __future__ import annotations

import pytest

from penstock.ids import new_run_id
from penstock.records.asset import AssetState
from penstock.records.run import Run, RunStatus
from penstock.web.graphql.asset_status import AssetStatus, latest_run_id, status_of


def run(status: RunStatus) -> Run:
    return Run(run_id=new_run_id(), location="shop", job="nightly", status=status)


@pytest.mark.parametrize(
    ("state", "executable", "status"),
    [
        (None, True, AssetStatus.NEVER_MATERIALIZED),
        (None, False, AssetStatus.EXTERNAL),
        (AssetState(asset="a", observed_at=1.0), True, AssetStatus.NEVER_MATERIALIZED),
        (AssetState(asset="a", materialized_at=1.0), True, AssetStatus.MATERIALIZED),
        (AssetState(asset="a", materialized_at=1.0), False, AssetStatus.MATERIALIZED),
        (AssetState(asset="a", failed_at=1.0), True, AssetStatus.FAILED),
        (AssetState(asset="a", materialized_at=1.0, failed_at=2.0), True, AssetStatus.FAILED),
        (AssetState(asset="a", materialized_at=2.0, failed_at=1.0), True, AssetStatus.MATERIALIZED),
    ],
)
def test_how_the_last_attempt_ended(state: AssetState | None, executable: bool, status: AssetStatus) -> None:
    assert status_of(state, None, executable=executable) is status


@pytest.mark.parametrize("status", [RunStatus.NOT_STARTED, RunStatus.QUEUED, RunStatus.STARTING])
def test_a_run_that_has_not_begun(status: RunStatus) -> None:
    state = AssetState(asset="a", materialized_at=1.0)
    assert status_of(state, run(status), executable=True) is AssetStatus.QUEUED


@pytest.mark.parametrize("status", [RunStatus.STARTED, RunStatus.CANCELING])
def test_a_run_at_work(status: RunStatus) -> None:
    state = AssetState(asset="a", failed_at=1.0)
    assert status_of(state, run(status), executable=True) is AssetStatus.MATERIALIZING


@pytest.mark.parametrize(
    ("state", "run_id"),
    [
        (None, None),
        (AssetState(asset="a"), None),
        (AssetState(asset="a", planned_run="p", materialized_run="m", materialized_at=9.0), "p"),
        (AssetState(asset="a", materialized_run="m", materialized_at=2.0, failed_run="f", failed_at=1.0), "m"),
        (AssetState(asset="a", materialized_run="m", materialized_at=1.0, failed_run="f", failed_at=2.0), "f"),
        (AssetState(asset="a", failed_run="f", failed_at=2.0), "f"),
    ],
)
def test_the_run_that_a_reader_wants_to_open(state: AssetState | None, run_id: str | None) -> None:
    assert latest_run_id(state) == run_id
