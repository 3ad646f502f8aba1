"""Automation conditions of a real deployment: what is missing or has changed is made, once, without being asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock import AssetMaterialization
from penstock.records.automation import InstigatorKind, TickStatus, instigator_id
from penstock.records.backfill import BackfillStatus
from penstock.records.event import FreshnessStateChange
from penstock.records.freshness_state import FreshnessState
from penstock.records.run import Run, RunStatus, Tag
from penstock.storage.protocols import BackfillFilter, RunFilter
from support.deployment import Deployment

pytestmark = [pytest.mark.system, pytest.mark.timeout(150)]

PROJECT = """
from penstock import (
    AutomationCondition, AutomationConditionSensorDefinition, AutomationResult, DefaultSensorStatus, Definitions,
    StaticPartitionsDefinition, asset,
)

absent = AutomationCondition.missing() & ~AutomationCondition.in_progress()

class OnlyOnce(AutomationCondition):
    def evaluate(self, context):
        context.log.info("looked")
        subset = context.candidate_subset if context.cursor is None else context.get_empty_subset()
        return AutomationResult(context, true_subset=subset, cursor="done")

@asset(automation_condition=absent)
def raw():
    return 1

@asset(automation_condition=AutomationCondition.eager())
def clean(raw):
    return raw

@asset(automation_condition=absent, partitions_def=StaticPartitionsDefinition(["x", "y"]))
def parts():
    return 2

@asset(automation_condition=OnlyOnce())
def own():
    return 3

defs = Definitions(
    assets=[raw, clean, parts, own],
    sensors=[
        AutomationConditionSensorDefinition(
            "automation", target="*", minimum_interval_seconds=1, default_status=DefaultSensorStatus.RUNNING,
            run_tags={"team": "data"},
        )
    ],
)
"""
LOCATION = "project.py"
KEY = instigator_id(LOCATION, InstigatorKind.SENSOR, "automation")


@pytest.fixture
def dev(start: Callable[..., Deployment], tmp_path: Path) -> Deployment:
    (tmp_path / "project.py").write_text(PROJECT)
    return start("-f", str(tmp_path / "project.py"))


def test_conditions_make_what_is_missing_and_what_follows_once(dev: Deployment) -> None:
    def runs() -> list[Run]:
        return dev.instance.storage.runs.page(RunFilter(tags={Tag.SENSOR: "automation"}), limit=100)

    found: list[Run] = dev.wait(lambda: len(made := runs()) >= 4 and made, seconds=60)
    for run in found:
        assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
        assert (run.tags["team"], run.tags[Tag.FROM_AUTOMATION_CONDITION]) == ("data", "true")
    # A few more evaluations find nothing to do.
    seen = len(dev.instance.storage.instigators.ticks(KEY))
    dev.wait(lambda: len(dev.instance.storage.instigators.ticks(KEY, statuses=[TickStatus.SKIPPED])) > seen)
    by_assets = sorted((run.assets or (), run.partition or "") for run in runs())
    assert by_assets == [(("clean",), ""), (("own", "raw"), ""), (("parts",), "x"), (("parts",), "y")]
    (backfill,) = dev.wait(
        lambda: [
            each for each in dev.instance.storage.backfills.page(BackfillFilter(), limit=5) if each.ended is not None
        ]
    )
    assert backfill.status is BackfillStatus.COMPLETED_SUCCESS
    assert {run.tags.get(Tag.BACKFILL) for run in runs() if run.partition is not None} == {backfill.backfill_id}
    ticks = dev.instance.storage.instigators.ticks(KEY)
    assert [tick.backfill_id for tick in ticks if tick.backfill_id is not None] == [backfill.backfill_id]
    assert "INFO looked" in ticks[-1].log
    kept = dev.instance.storage.instigators.evaluations("clean")
    assert max(each.record.requested for each in kept) == 1


PUSHED = """
from datetime import timedelta

from penstock import (
    AutomationCondition, AutomationConditionSensorDefinition, DefaultSensorStatus, Definitions, FreshnessPolicy, asset,
)

@asset(freshness_policy=FreshnessPolicy.time_window(fail_window=timedelta(hours=1)))
def source():
    return 1

@asset(deps=[source], automation_condition=AutomationCondition.eager())
def copy():
    return 1

defs = Definitions(
    assets=[source, copy],
    sensors=[
        AutomationConditionSensorDefinition(
            "automation", target="*", minimum_interval_seconds=1, default_status=DefaultSensorStatus.RUNNING
        )
    ],
)
"""


def test_conditions_rest_until_something_happens_and_freshness_is_kept(
    start: Callable[..., Deployment], tmp_path: Path
) -> None:
    (tmp_path / "project.py").write_text(PUSHED)
    dev = start("-f", str(tmp_path / "project.py"))
    storage = dev.instance.storage

    def rests() -> bool:
        state = storage.instigators.get(KEY)
        return state is not None and state.next_due is not None and state.next_due > time.time() + 60

    def told() -> list[str]:
        facts = [stored.event.fact for stored in storage.events.of_types(["FRESHNESS_STATE_CHANGE"])]
        return [f"{fact.asset} {fact.state}" for fact in facts if isinstance(fact, FreshnessStateChange)]

    dev.wait(rests, seconds=60)
    assert told() == []
    dev.instance.report_runless_asset_event(AssetMaterialization("source"))
    dev.wait(lambda: told() == ["source PASS"])
    (run,) = dev.wait(lambda: storage.runs.page(RunFilter(tags={Tag.SENSOR: "automation"}), limit=10), seconds=60)
    assert dev.wait_until_finished(run.run_id).status is RunStatus.SUCCESS
    assert run.assets == ("copy",)
    dev.wait(rests, seconds=60)
    assert storage.assets.freshness()["source"].state is FreshnessState.PASS
    assert [each.record.requested for each in storage.instigators.evaluations("copy")][-1] == 1
