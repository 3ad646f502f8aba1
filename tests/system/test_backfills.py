"""A backfill in a whole deployment: its daemon is killed in the middle, and each partition is made once."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.engine.backfill_progress import Progress, progress_of
from penstock.records.backfill import Backfill, BackfillStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(200)]

PROJECT = """
import os
from penstock import AssetExecutionContext, BackfillPolicy, Definitions, StaticPartitionsDefinition, asset

parts = StaticPartitionsDefinition([f"p{number}" for number in range(8)])

def note(context, keys):
    with open(os.environ["NOTES"], "a") as notes:
        notes.write("".join(f"{context.asset_key.to_user_string()} {key}\\n" for key in keys))

@asset(partitions_def=parts)
def orders(context: AssetExecutionContext) -> None:
    note(context, [context.partition_key])
    if context.partition_key == "p3":
        raise ValueError("no p3 today")

@asset(partitions_def=parts, deps=[orders], backfill_policy=BackfillPolicy.single_run())
def report(context: AssetExecutionContext) -> None:
    note(context, context.partition_keys)

@asset(deps=[report])
def summary(context: AssetExecutionContext) -> None:
    note(context, ["-"])

defs = Definitions(assets=[orders, report, summary])
"""

LAUNCH = """mutation M($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""
AGAIN = """mutation M($params: ReexecutionParams!) { reexecutePartitionBackfill(reexecutionParams: $params) {
    __typename ... on LaunchBackfillSuccess { backfillId } ... on Error { message } } }"""


@pytest.fixture
def dev(tmp_path: Path) -> Iterator[Deployment]:
    (tmp_path / "shop.py").write_text(PROJECT)
    deployment = Deployment(
        tmp_path / "home", ["-f", "shop.py"], cwd=tmp_path, extra_env={"NOTES": str(tmp_path / "notes")}
    )
    yield deployment
    deployment.close()


def now(dev: Deployment, backfill_id: str) -> tuple[Backfill, Progress]:
    storage = dev.instance.storage.backfills
    backfill = storage.get(backfill_id)
    assert backfill is not None
    return backfill, progress_of(backfill, storage.counts([backfill_id]).get(backfill_id, []))


def test_a_backfill_outlives_its_daemon_and_goes_around_what_fails(dev: Deployment, tmp_path: Path) -> None:
    assets = [{"path": [key]} for key in ("orders", "report", "summary")]
    told = dev.graphql(LAUNCH, params={"assetSelection": assets, "allPartitions": True})["launchPartitionBackfill"]
    backfill_id = told["backfillId"]
    (daemon,) = dev.wait(lambda: dev.processes("daemon"))
    dev.wait(lambda: now(dev, backfill_id)[1].materialized >= 2)
    os.kill(daemon, signal.SIGKILL)
    dev.wait(lambda: not now(dev, backfill_id)[0].is_open, seconds=120.0)
    backfill, progress = now(dev, backfill_id)
    assert backfill.status is BackfillStatus.COMPLETED_FAILED
    # The report lacks p3, so the summary of all of it cannot be made.
    assert (progress.total, progress.materialized, progress.failed, progress.skipped) == (17, 14, 1, 2)
    noted = Counter((tmp_path / "notes").read_text().splitlines())
    assert set(noted.values()) == {1}
    assert len(noted) == 8 + 7
    runs = dev.instance.storage.runs.page(RunFilter(tags={Tag.BACKFILL: backfill_id}), limit=100)
    assert len(runs) == 8 + 2

    failed = {"parentRunId": backfill_id, "strategy": "FROM_FAILURE"}
    again = dev.graphql(AGAIN, params=failed)["reexecutePartitionBackfill"]["backfillId"]
    dev.wait(lambda: not now(dev, again)[0].is_open, seconds=60.0)
    assert now(dev, again)[1].failed == 1
    assert now(dev, again)[1].skipped == 2
