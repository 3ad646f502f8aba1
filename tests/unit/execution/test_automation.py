"""Automation conditions over a real storage: what runs and reports leave there, and what conditions make of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from penstock.definitions.assets.asset import asset
from penstock.definitions.assets.asset_check import asset_check
from penstock.definitions.assets.definition import AssetsDefinition
from penstock.definitions.assets.job import define_asset_job
from penstock.definitions.assets.multi_asset import multi_asset
from penstock.definitions.assets.observe import observable_source_asset
from penstock.definitions.assets.spec import AssetDep, AssetSpec
from penstock.definitions.automation.automation_sensor import AutomationConditionSensorDefinition
from penstock.definitions.definitions import Definitions
from penstock.definitions.events import AssetCheckResult
from penstock.engine.automation.graph import AutomationGraph, Entity
from penstock.errors import DefinitionError
from penstock.execution.api import materialize
from penstock.execution.automation import EvaluateAutomationConditionsResult, evaluate_automation_conditions
from penstock.execution.automation_facts import StoredFacts
from penstock.execution.evaluate import evaluate_sensor
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.partitions.definition import DynamicPartitionsDefinition, StaticPartitionsDefinition
from penstock.partitions.mapping import LastPartitionMapping
from penstock.partitions.subset import Subset
from penstock.partitions.time_window import DailyPartitionsDefinition
from penstock.records.automation import PartitionChoice
from penstock.records.backfill import Backfill, BackfillGroup, BackfillLine, BackfillPlan, BackfillStatus
from penstock.records.conditions.condition import AutomationCondition
from penstock.records.conditions.evaluation import render
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetFact,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    Event,
    RunStart,
)
from penstock.records.freshness import FreshnessPolicy
from penstock.records.keys import AssetCheckKey, AssetKey
from penstock.records.run import Run, Tag
from penstock.records.wire import EvaluateSensor
from penstock.storage.protocols import BackfillAdvance, NewRun
from penstock.testing.clock import FakeClock

A = AutomationCondition
LETTERS = StaticPartitionsDefinition(["x", "y"])


class World:
    """Definitions and an instance, evaluated tick by tick."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.cursor: str | None = None
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def tick(self, defs: Any, **options: Any) -> EvaluateAutomationConditionsResult:
        """The next tick, 30 seconds after the last one."""
        self.time += timedelta(seconds=30)
        result = evaluate_automation_conditions(
            defs, self.instance, evaluation_time=self.time, cursor=self.cursor, **options
        )
        self.cursor = result.cursor
        return result

    def report(self, *facts: AssetFact) -> None:
        """Something happened without a run."""
        self.instance.storage.assets.report(facts, now=self.time.timestamp())


@pytest.fixture
def world() -> Iterator[World]:
    with Instance.ephemeral() as instance:
        yield World(instance)


def made(key: str, partition: str | None = None, **tags: str) -> AssetMaterialization:
    """A materialization."""
    return AssetMaterialization(
        asset=key, partition=partition, tags={name.replace("__", "/"): value for name, value in tags.items()}
    )


def one(condition: AutomationCondition, name: str = "one", **options: Any) -> AssetsDefinition:
    """An asset with a condition."""

    @asset(name=name, automation_condition=condition, **options)
    def function() -> None: ...

    return function


def test_what_is_missing_is_requested_until_it_is_made(world: World) -> None:
    defs = [one(A.missing())]
    result = world.tick(defs)
    assert result.get_requested_partitions("one") == {None}
    assert (result.get_num_requested(AssetKey("one")), result.total_requested) == (1, 1)
    assert [(each.key, each.size) for each in result.requested_subsets] == [(AssetKey("one"), 1)]
    assert [(each.entity, each.requested) for each in result.results] == [("one", 1)]
    materialize(defs, instance=world.instance)
    assert world.tick(defs).total_requested == 0
    assert world.tick(defs).get_requested_partitions("unknown") == set()


def test_partitions_are_requested_by_key(world: World) -> None:
    defs = Definitions([one(A.missing(), partitions_def=LETTERS)])
    assert world.tick(defs).get_requested_partitions("one") == {"x", "y"}
    materialize(list(defs.assets), instance=world.instance, partition_key="x")
    assert world.tick(defs).get_requested_partitions("one") == {"y"}


def test_an_update_by_a_run_of_both_is_not_one_for_the_dependent(world: World) -> None:
    upstream = one(A.newly_requested(), "up")

    @asset(deps=[upstream], automation_condition=A.any_deps_updated())
    def down() -> None: ...

    defs = [upstream, down]
    world.tick(defs)
    materialize(defs, instance=world.instance)
    assert world.tick(defs).total_requested == 0
    materialize([upstream], instance=world.instance)
    assert world.tick(defs).get_num_requested("down") == 1


def test_a_failed_run_is_seen_until_another_succeeds(world: World) -> None:
    broken = [True]

    @asset(automation_condition=A.execution_failed())
    def fragile() -> None:
        if broken:
            raise ValueError("broken")

    assert world.tick([fragile]).total_requested == 0
    materialize([fragile], instance=world.instance, raise_on_error=False)
    assert world.tick([fragile]).total_requested == 1
    broken.clear()
    materialize([fragile], instance=world.instance)
    assert world.tick([fragile]).total_requested == 0


def test_failed_partitions_are_told_apart(world: World) -> None:
    @asset(automation_condition=A.execution_failed(), partitions_def=LETTERS)
    def fragile(context: Any) -> None:
        if context.partition_key == "y":
            raise ValueError("broken")

    for key in ("x", "y"):
        materialize([fragile], instance=world.instance, partition_key=key, raise_on_error=False)
    assert world.tick([fragile]).get_requested_partitions("fragile") == {"y"}


def test_a_run_at_work_is_seen(world: World) -> None:
    seen = []

    @asset(automation_condition=A.in_progress())
    def busy() -> None:
        seen.append(world.tick([busy]).total_requested)

    world.tick([busy])
    materialize([busy], instance=world.instance)
    seen.append(world.tick([busy]).total_requested)
    assert seen == [1, 0]


def test_what_a_backfill_has_not_begun_is_in_progress(world: World) -> None:
    @asset(automation_condition=A.in_progress(), partitions_def=LETTERS)
    def busy() -> None: ...

    assert world.tick([busy]).total_requested == 0
    group = BackfillGroup(
        location="here", job="job", assets=("busy",), partitions=LETTERS.spec, chosen=Subset.span(1, 2)
    )
    now = world.instance.clock.now()
    backfill = Backfill(backfill_id=new_run_id(), created=now, updated=now)
    backfills, line = world.instance.storage.backfills, BackfillLine(time=now, message="Asked for.")
    backfills.add(backfill, BackfillPlan(groups=(group,), now=now), line=line)
    assert world.tick([busy]).get_requested_partitions("busy") == {"y"}
    lease = world.instance.storage.leases.acquire("backfills/0", "daemon", ttl=60.0, now=now)
    assert lease is not None
    end = BackfillAdvance(status=BackfillStatus.CANCELED)
    backfills.advance(backfill.backfill_id, end, lease=lease, now=world.instance.clock.now())
    assert world.tick([busy]).total_requested == 0


def test_tags_of_the_latest_run(world: World) -> None:
    defs = [one(A.executed_with_tags(tag_values={"team": "data"}), partitions_def=LETTERS)]
    materialize(defs, instance=world.instance, partition_key="x", tags={"team": "data"})
    materialize(defs, instance=world.instance, partition_key="y")
    assert world.tick(defs).get_requested_partitions("one") == {"x"}


def test_an_observation_counts_for_what_is_observed_here_alone(world: World) -> None:
    @observable_source_asset(automation_condition=A.newly_updated())
    def watched() -> None: ...

    defs = [watched, one(A.newly_updated()), AssetSpec("outside"), one(A.any_deps_updated(), "below", deps=["outside"])]
    world.tick(defs)
    world.report(AssetObservation(asset="watched"), AssetObservation(asset="one"), AssetObservation(asset="outside"))
    result = world.tick(defs)
    assert [result.get_num_requested(key) for key in ("watched", "one", "below")] == [1, 0, 0]
    world.report(made("outside"))
    assert world.tick(defs).get_num_requested("below") == 1


def test_data_versions(world: World) -> None:
    defs = [one(A.data_version_changed(), partitions_def=LETTERS)]
    world.tick(defs)
    found = []
    for version in ("1", "1", "2"):
        world.report(made("one", "x", penstock__data_version=version))
        found.append(world.tick(defs).get_requested_partitions("one"))
    assert found == [{"x"}, set(), {"x"}]


def test_checks(world: World) -> None:
    @asset_check(asset="one", blocking=True, automation_condition=A.missing())
    def good() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    below = one(A.all_deps_blocking_checks_passed(), "below", deps=["one"])
    failing = one(A.any_checks_match(A.check_failed()))
    defs = Definitions([failing, below], asset_checks=[good])
    result = world.tick(defs)
    key = AssetCheckKey(AssetKey("one"), "good")
    # The check is requested now, so what waits for it may run with it.
    assert (result.get_num_requested(key), result.get_num_requested("below")) == (1, 1)
    world.report(AssetCheckEvaluation(asset="one", check="good", passed=False))
    result = world.tick(defs)
    assert [result.get_num_requested(each) for each in (key, "below", "one")] == [0, 0, 1]
    world.report(AssetCheckEvaluation(asset="one", check="good", passed=True))
    result = world.tick(defs)
    assert [result.get_num_requested(each) for each in (key, "below", "one")] == [0, 1, 0]


def test_new_dynamic_partitions_are_newly_missing(world: World) -> None:
    names = DynamicPartitionsDefinition(name="names")
    defs = [one(A.newly_missing(), partitions_def=names)]
    add = world.instance.storage.assets.add_dynamic_partitions
    add("names", ["a", "b"])
    assert world.tick(defs).get_requested_partitions("one") == {"a", "b"}
    add("names", ["c"])
    assert world.tick(defs).get_requested_partitions("one") == {"c"}
    world.instance.storage.assets.delete_dynamic_partitions("names", ["a"])
    assert world.tick(defs).total_requested == 0
    add("names", ["d"])
    assert world.tick(defs).get_requested_partitions("one") == {"d"}


def test_a_mapping_says_which_partitions_follow(world: World) -> None:
    upstream = AssetSpec("up", partitions_def=LETTERS)

    @asset(automation_condition=A.any_deps_updated(), partitions_def=LETTERS, deps=["up"])
    def same() -> None: ...

    @asset(automation_condition=A.any_deps_updated(), deps=[AssetDep("up", partition_mapping=LastPartitionMapping())])
    def last() -> None: ...

    defs = [upstream, same, last]
    world.tick(defs)
    world.report(made("up", "x"))
    result = world.tick(defs)
    assert (result.get_requested_partitions("same"), result.get_num_requested("last")) == ({"x"}, 0)
    world.report(made("up", "y"))
    assert world.tick(defs).get_num_requested("last") == 1


def test_what_a_function_cannot_but_make_along_is_requested(world: World) -> None:
    @multi_asset(specs=[AssetSpec("left", automation_condition=A.missing()), AssetSpec("right")])
    def both() -> None: ...

    result = world.tick([both])
    assert (result.get_num_requested("left"), result.get_num_requested("right")) == (1, 1)
    assert [each.assets for each in result.run_requests] == [("left", "right")]


def test_a_job_has_a_condition(world: World) -> None:
    job = define_asset_job("nightly", ["one"], automation_condition=A.any_job_root_assets_match(A.newly_updated()))
    defs = Definitions([one(A.newly_requested())], jobs=[job])
    assert not world.tick(defs).is_job_requested("nightly")
    world.report(made("one"))
    result = world.tick(defs)
    assert result.is_job_requested("nightly")
    assert [each.job for each in result.run_requests] == ["nightly"]


def test_only_selected_assets_are_evaluated(world: World) -> None:
    defs = [one(A.missing()), one(A.missing(), "two")]
    assert world.tick(defs, asset_selection=["two"]).get_num_requested("one") == 0


def test_selections_are_bound_to_each_asset(world: World) -> None:
    condition = A.any_deps_match(A.missing()).ignore("key:one")
    defs = [one(A.newly_requested()), one(condition, "below", deps=["one"]), one(condition, "other", deps=["one", "x"])]
    result = world.tick(defs)
    assert (result.get_num_requested("below"), result.get_num_requested("other")) == (0, 1)


def test_an_evaluation_is_explained(world: World) -> None:
    result = world.tick([one(A.missing() & ~A.in_progress(), partitions_def=LETTERS)])
    assert result.explain("one").splitlines() == [
        "AND of one (all of these): true for 2 of 2 partitions: x, y",
        "  missing (it was never updated): true for 2 of 2 partitions: x, y",
        "  NOT (the opposite of this): true for 2 of 2 partitions: x, y",
        "    in_progress (any of these): false for all 2 partitions",
        "      run_in_progress (a run is at work on it): false for all 2 partitions",
        "      backfill_in_progress (a backfill is at work on it): false for all 2 partitions",
    ]
    assert "was not evaluated" in result.explain("two")
    assert result.explain() == result.explain("one")


def test_more_events_than_are_looked_through_wake_everything(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.execution.automation_facts._MOST", 4)
    monkeypatch.setattr("penstock.execution.automation_facts._PAGE", 2)
    defs = [one(A.newly_updated()), one(A.newly_updated(), "two", partitions_def=LETTERS)]
    world.tick(defs)
    world.report(*(made("other") for _ in range(5)), made("one"), *(made("two", "y") for _ in range(3)))
    result = world.tick(defs)
    assert (result.get_num_requested("one"), result.get_requested_partitions("two")) == (1, {"y"})


@pytest.mark.parametrize(
    ("condition", "match"),
    [
        (A.asset_matches("nowhere", A.missing()), "condition of one: It asks about the asset nowhere"),
        (A.any_deps_match(A.missing()).allow("key:"), "condition of one"),
        ("eager", "as its automation_condition; give an AutomationCondition"),
    ],
)
def test_mistakes_are_found_when_the_definitions_are_tied_together(condition: Any, match: str) -> None:
    with pytest.raises(DefinitionError, match=match):
        _ = Definitions([one(condition)]).resolved


def test_a_run_without_the_check_is_news_to_it() -> None:
    @asset
    def made() -> None: ...

    @asset_check(asset=made, automation_condition=AutomationCondition.eager())
    def fine() -> AssetCheckResult:
        return AssetCheckResult(passed=True)

    key = AssetCheckKey(AssetKey("made"), "fine")
    with Instance.ephemeral() as instance:
        materialize([made], instance=instance)
        first = evaluate_automation_conditions([made, fine], instance)
        materialize([made], instance=instance)
        without = evaluate_automation_conditions([made, fine], instance, cursor=first.cursor)
        materialize([made, fine], instance=instance)
        together = evaluate_automation_conditions([made, fine], instance, cursor=without.cursor)
    assert [each.get_num_requested(key) for each in (first, without, together)] == [0, 1, 0]


def test_what_a_tick_explains_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [f"up_{number}" for number in range(12)]

    updated = A.any_deps_match(A.newly_updated())
    conditions = [updated, updated, updated.with_label("news"), updated.with_label("more")]
    downs = [one(each, name=f"down_{number}", deps=names) for number, each in enumerate(conditions)]
    defs: list[Any] = [*map(AssetSpec, names), *downs]
    world.tick(defs)
    world.report(*map(made, names))
    monkeypatch.setattr("penstock.execution.automation._PARTS", 20)
    result = world.tick(defs)
    assert [each.requested for each in result.results] == [1, 1, 1, 1]
    # What came to the same counts once.
    assert [len(each.root.children) for each in result.results] == [12, 12, 12, 1]


def test_in_short_an_evaluation_tells_the_parts_that_it_is_true_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    updated = A.any_deps_match(A.newly_updated())
    asked = [
        one(A.missing(), "full"),
        one(updated & (A.missing() | updated) & ~A.any_deps_missing(), "true", deps=["up"]),
        one(A.missing() & (A.in_progress() | A.newly_requested()), "false"),
    ]
    defs = [AssetSpec("up"), *asked]
    monkeypatch.setattr("penstock.execution.automation._PARTS", 1)
    first = world.tick(defs).results
    world.report(made("up"))
    told = {each.entity: render(each.root).splitlines() for each in (*first, *world.tick(defs).results)}
    assert [line.split(" (")[0].strip() for line in told["true"]] == [
        "AND of true",
        "ANY_DEPS_MATCH",
        "newly_updated of up",
        "OR",
        "missing",
        "NOT",
        "any_deps_missing",
    ]
    assert [line.split(" (")[0].strip() for line in told["false"]] == [
        "AND of false",
        "missing",
        "OR",
        "in_progress",
        "run_in_progress",
        "backfill_in_progress",
        "newly_requested",
    ]


def test_a_sensor_rests_until_something_may_change_by_itself(world: World) -> None:
    def until(*conditions: AutomationCondition, **options: Any) -> float:
        """Until when the sensor rests, in seconds from the tick."""
        assets = [one(each, name=f"asset_{number}", **options) for number, each in enumerate(conditions)]
        answer = evaluate_sensor(
            Definitions(assets=assets),
            EvaluateSensor(name="default_automation_condition_sensor", due=0.0),
            world.instance,
            "here",
        )
        assert answer.error is None
        assert answer.until is not None
        return answer.until - now

    now = world.instance.clock.now()
    world.instance.clock = FakeClock(now)
    a_day = -now % 86_400
    assert until(A.eager()) == pytest.approx(3600.0)
    assert until(A.eager(), A.missing()) == pytest.approx(0.0)  # it is asked for again
    assert until(A.cron_tick_passed("0 0 * * *")) == pytest.approx(min(a_day, 3600.0))
    assert until(A.cron_tick_passed("* * * * *")) == pytest.approx(-now % 60)
    days = DailyPartitionsDefinition("2026-01-01")
    assert until(A.in_progress(), partitions_def=days) == pytest.approx(min(a_day, 3600.0))
    assert until(A.in_progress(), partitions_def=DynamicPartitionsDefinition(name="files")) == pytest.approx(0.0)
    fresh = FreshnessPolicy.time_window(fail_window=timedelta(minutes=30))
    world.instance.storage.assets.report([made("asset_0")], now=now)
    assert until(A.freshness_failed(), freshness_policy=fresh) == pytest.approx(1800.0, abs=0.01)
    backfill = Backfill(backfill_id=new_run_id(), created=now, updated=now)
    line = BackfillLine(time=now, message="Asked for.")
    world.instance.storage.backfills.add(backfill, BackfillPlan(groups=(), now=now), line=line)
    assert until(A.eager()) == pytest.approx(0.0)


@pytest.mark.parametrize("emits", [True, False])
def test_a_sensor_asks_for_a_backfill_of_several_partitions_unless_it_is_told_not_to(world: World, emits: bool) -> None:
    sensor = AutomationConditionSensorDefinition(
        "automation", target="*", run_tags={"team": "data"}, emit_backfills=emits
    )
    parts, alone = one(A.missing(), "parts", partitions_def=LETTERS), one(A.missing(), "alone")
    answer = evaluate_sensor(
        Definitions([parts, alone], sensors=[sensor]), EvaluateSensor(name="automation", due=0.0), world.instance
    )
    assert (answer.error, answer.skip_reason) == (None, None)
    runs = {(each.assets, each.partition) for each in answer.run_requests}
    if not emits:
        assert answer.backfill is None
        assert runs == {(("alone",), None), (("parts",), "x"), (("parts",), "y")}
        return
    assert answer.backfill is not None
    assert answer.backfill.choices == (PartitionChoice(assets=("parts",), keys=("x", "y"), count=2),)
    assert answer.backfill.tags == {"team": "data", Tag.FROM_AUTOMATION_CONDITION: "true", Tag.ASSET_EVALUATION_ID: "1"}
    assert runs == {(("alone",), None)}


def test_what_is_made_while_facts_are_read_was_in_progress(world: World) -> None:
    storage, entity = world.instance.storage, Entity(id="one", partitions=LETTERS.spec)
    graph, now = AutomationGraph([entity]), world.instance.clock.now()
    planned = tuple(AssetMaterializationPlanned(asset="one", partition=key) for key in ("x", "y"))
    new = Run(run_id=new_run_id(), location="here", job="job", created=now, updated=now)
    (run,) = storage.runs.create([NewRun(run=new, facts=planned)])
    before = StoredFacts(storage, graph, now)
    (at_work,) = storage.runs.claim([run.run_id], owner="worker", until=now + 60, now=now)
    events = [Event(seq=1, time=now, fact=RunStart()), Event(seq=2, time=now, fact=made("one", "x"))]
    storage.events.append(at_work.run_id, at_work.attempt, events, now=now)
    after = StoredFacts(storage, graph, now)
    both, only_y = Subset.span(0, 2), Subset.span(1, 2)
    assert [facts.in_progress(entity, backfill=False) for facts in (before, after)] == [both, only_y]
