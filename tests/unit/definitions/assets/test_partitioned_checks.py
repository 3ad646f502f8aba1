"""Checks that look at one partition at a time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    AssetCheckExecutionContext,
    AssetCheckResult,
    AssetCheckSpec,
    AssetSelection,
    AutomationCondition,
    Definitions,
    Instance,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    materialize,
    multi_asset_check,
)
from penstock.definitions.describe import describe
from penstock.errors import ConfigurationError, DefinitionError
from penstock.plan.launch import plan_run
from penstock.records.event import AssetCheckEvaluation, AssetCheckEvaluationPlanned

LETTERS = StaticPartitionsDefinition(["a", "b"])


@asset(partitions_def=LETTERS)
def parts() -> None: ...


@asset_check(asset=parts, partitions_def=LETTERS, automation_condition=AutomationCondition.on_missing())
def fine(context: AssetCheckExecutionContext) -> AssetCheckResult:
    assert [spec.name for spec in context.check_specs] == ["fine"]
    return AssetCheckResult(passed=context.partition_key == "a")


def evaluated(result: Any) -> list[tuple[str | None, bool]]:
    facts = (event.fact for event in result.all_events)
    return [(fact.partition, fact.passed) for fact in facts if isinstance(fact, AssetCheckEvaluation)]


@pytest.mark.parametrize(("key", "passed"), [("a", True), ("b", False)])
@pytest.mark.parametrize("alone", [True, False])
def test_the_partition_of_the_run_is_looked_at(key: str, passed: bool, alone: bool) -> None:
    selection = AssetSelection.checks(fine) if alone else None
    with Instance.ephemeral() as instance:
        result = materialize([parts, fine], instance=instance, partition_key=key, selection=selection)
        (state,) = instance.storage.assets.check_history("parts", "fine")
    assert evaluated(result) == [(key, passed)]
    assert state.evaluation is not None
    assert state.evaluation.partition == key


def test_it_is_described_and_planned_for_its_partition() -> None:
    location = describe(Definitions(assets=[parts], asset_checks=[fine]), "here")
    (check,) = location.checks
    assert check.partitions == LETTERS.spec
    new = plan_run(location, checks=["parts:fine"], partition="b", now=0.0)
    assert list(new.facts) == [AssetCheckEvaluationPlanned(asset="parts", check="fine", partition="b")]
    with pytest.raises(ConfigurationError, match="needs one; name the partition"):
        plan_run(location, checks=["parts:fine"], now=0.0)
    assert next(iter(fine.check_specs)).automation_condition == AutomationCondition.on_missing()


def test_its_partitions_are_those_of_the_asset() -> None:
    @asset_check(asset=parts, partitions_def=StaticPartitionsDefinition(["z"]))
    def other() -> None: ...

    with pytest.raises(DefinitionError, match=r"parts:other .* has other partitions than the asset"):
        describe(Definitions(assets=[parts], asset_checks=[other]), "here")

    specs = [AssetCheckSpec("x", asset="parts", partitions_def=LETTERS), AssetCheckSpec("y", asset="parts")]
    with pytest.raises(DefinitionError, match="checks of different partitions"):

        @multi_asset_check(specs=specs)
        def several() -> Iterator[AssetCheckResult]:
            yield AssetCheckResult(passed=True)
