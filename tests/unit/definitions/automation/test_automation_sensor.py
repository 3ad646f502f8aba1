"""Sensors that evaluate automation conditions: whose, and how they are described."""

from __future__ import annotations

import pytest

from penstock.definitions.assets.asset import asset
from penstock.definitions.assets.asset_check import asset_check
from penstock.definitions.assets.definition import AssetsDefinition
from penstock.definitions.assets.job import define_asset_job
from penstock.definitions.assets.selection import AssetSelection
from penstock.definitions.assets.spec import AssetSpec
from penstock.definitions.automation.automation_sensor import AutomationConditionSensorDefinition
from penstock.definitions.automation.target import DefaultSensorStatus
from penstock.definitions.definitions import Definitions
from penstock.definitions.describe import describe
from penstock.definitions.events import AssetCheckResult
from penstock.errors import DefinitionError, UsageError
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.conditions.nodes import And, CustomCondition

A = AutomationCondition
DEFAULT = "default_automation_condition_sensor"


class Own(AutomationCondition):
    """A condition of the user's."""


def one(name: str, condition: AutomationCondition | None = None) -> AssetsDefinition:
    """An asset."""

    @asset(name=name, automation_condition=condition)
    def function() -> None: ...

    return function


def test_a_location_with_conditions_has_a_sensor_for_them() -> None:
    @asset_check(asset="a", automation_condition=A.missing())
    def good() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    job = define_asset_job("nightly", ["b"], automation_condition=A.on_cron("@daily"))
    defs = Definitions([one("a", A.eager()), one("b")], asset_checks=[good], jobs=[job])
    assert defs.resolved.automation == {DEFAULT: {"a", "check a:good", "job nightly"}}
    (sensor,) = describe(defs, "shop").sensors
    assert (sensor.name, sensor.kind, sensor.assets, sensor.default_status) == (
        DEFAULT,
        "AUTOMATION",
        ("a",),
        "STOPPED",
    )


def test_without_conditions_there_is_none() -> None:
    defs = Definitions([one("a"), AssetSpec("outside", automation_condition=A.eager())])
    assert (defs.resolved.automation, describe(defs, "shop").sensors) == ({}, ())


def test_sensors_share_the_conditions_out() -> None:
    mine = AutomationConditionSensorDefinition(
        "mine",
        target=AssetSelection.keys("a", "b"),
        minimum_interval_seconds=5,
        default_status=DefaultSensorStatus.RUNNING,
        default_condition=A.missing(),
        tags={"team": "x"},
        run_tags={"by": "mine"},
        description="mine",
        metadata={"one": 1},
    )
    defs = Definitions([one("a", A.eager()), one("b"), one("c", A.eager()), one("d")], sensors=[mine])
    assert defs.resolved.automation == {"mine": {"a", "b"}, DEFAULT: {"c"}}
    assert defs.resolved.conditions["b"] == A.missing()
    told = {each.name: each for each in describe(defs, "shop").sensors}
    assert (told["mine"].interval, told["mine"].default_status, told["mine"].tags) == (5.0, "RUNNING", {"team": "x"})


def test_the_default_sensor_may_be_given() -> None:
    mine = AutomationConditionSensorDefinition(DEFAULT, target="*", minimum_interval_seconds=7)
    defs = Definitions([one("a", A.eager())], sensors=[mine])
    assert defs.resolved.automation == {DEFAULT: {"a"}}
    assert [each.interval for each in describe(defs, "shop").sensors] == [7.0]


def test_a_description_has_each_different_condition_once_and_names_those_of_users() -> None:
    own = Own() & A.missing()
    described = describe(Definitions([one("a", A.eager()), one("b", A.eager()), one("c", own), one("d")]), "shop")
    assert [each.condition for each in described.assets] == [0, 0, 1, None]
    assert described.conditions == (A.eager(), And(operands=(CustomCondition(kind="Own"), A.missing())))


def test_two_sensors_of_one_condition_are_refused() -> None:
    sensors = [AutomationConditionSensorDefinition(name, target="*") for name in ("first", "second")]
    with pytest.raises(DefinitionError, match=r'Sensor "second" .* and Sensor "first" .* both evaluate .* of a'):
        _ = Definitions([one("a", A.eager())], sensors=sensors).resolved


def test_mistakes_are_named() -> None:
    with pytest.raises(DefinitionError, match=r'Sensor "s" .* has minimum_interval_seconds=0'):
        AutomationConditionSensorDefinition("s", target="*", minimum_interval_seconds=0)
    with pytest.raises(DefinitionError, match="default_condition takes a condition"):
        AutomationConditionSensorDefinition("s", target="*", default_condition="eager")  # type: ignore[arg-type]
    missing = AutomationConditionSensorDefinition("s", target=AssetSelection.keys("nowhere"))
    with pytest.raises(DefinitionError, match=r'Sensor "s" .*nowhere'):
        _ = Definitions([one("a", A.eager())], sensors=[missing]).resolved


def test_it_has_no_function_to_call() -> None:
    sensor = AutomationConditionSensorDefinition("s", target="*")
    with pytest.raises(UsageError, match="evaluate_automation_conditions"):
        sensor()
