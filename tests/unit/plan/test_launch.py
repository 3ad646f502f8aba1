"""Runs planned from descriptions."""

from typing import Any

import pytest

from penstock import (
    AssetCheckSpec,
    AssetSpec,
    Config,
    ConfigurableResource,
    DailyPartitionsDefinition,
    Definitions,
    DynamicPartitionsDefinition,
    StaticPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
    graph,
    job,
    multi_asset,
    op,
)
from penstock.codec import decode_json
from penstock.definitions.describe import describe
from penstock.errors import ConfigurationError, DefinitionError, InvalidRunConfigError, NotFoundError
from penstock.plan.build import build_plan
from penstock.plan.launch import plan_run
from penstock.records.event import AssetCheckEvaluationPlanned, AssetMaterializationPlanned
from penstock.records.location import JobDescription
from penstock.records.run import Run, RunStatus, Tag
from penstock.storage.protocols import NewRun

NOW = 1_704_500_000.0  # 2024-01-06


class Settings(Config):
    n: int


class Db(ConfigurableResource):
    url: str


@asset
def plain(config: Settings) -> int:
    return config.n


@asset(partitions_def=DailyPartitionsDefinition("2024-01-01"))
def daily(plain: int) -> int:
    return plain


@asset(partitions_def=StaticPartitionsDefinition(["x", "y"]))
def static() -> int:
    return 1


@asset(partitions_def=DynamicPartitionsDefinition(name="regions"), required_resource_keys={"late"})
def dynamic(context: object) -> int:
    return 1


@asset_check(asset=daily)
def fine() -> Any: ...


@multi_asset(specs=[AssetSpec("m1"), AssetSpec("m2")], check_specs=[AssetCheckSpec("own", asset="m1")])
def together() -> Any: ...


@op
def one(config: Settings) -> int:
    return config.n


@op
def two(x: int) -> int:
    return x


@op
def three(x: int) -> int:
    return x


@graph
def nested() -> Any:
    return one()


@job(tags={"a": "job", "b": "job"}, config={"ops": {"one": {"config": {"n": 1}}}})
def chain() -> None:
    three(two(one()))


@job
def deep() -> None:
    nested()
    two()


@job(partitions_def=DailyPartitionsDefinition("2024-01-01"))
def by_day() -> None:
    two.alias("t")(one.alias("o")())


DEFS = Definitions(
    assets=[plain, daily, static, dynamic, together],
    asset_checks=[fine],
    jobs=[chain, deep, by_day, define_asset_job("days", "plain or daily")],
    resources={"late": Db.configure_at_launch()},
)
LOCATION = describe(DEFS, "here")
CONFIG = {"ops": {"plain": {"config": {"n": 1}}}}


def _plan(**options: Any) -> NewRun:
    return plan_run(LOCATION, now=NOW, **options)


def _steps(planned: NewRun) -> list[str]:
    assert planned.snapshot is not None
    return [step.key for step in decode_json(planned.snapshot, JobDescription).steps]


def test_a_run_of_a_job_of_ops() -> None:
    planned = _plan(job="chain", tags={"b": "run", "c": "run"}, run_id="id")
    run = planned.run
    assert (run.run_id, run.location, run.job, run.status) == ("id", "here", "chain", RunStatus.NOT_STARTED)
    assert run.tags == {"a": "job", "b": "run", "c": "run"}
    assert run.run_config == {"ops": {"one": {"config": {"n": 1}}}}
    assert (run.step_keys, run.assets, run.checks, run.created) == (None, None, None, NOW)
    assert planned.facts == ()
    assert _steps(planned) == ["one", "two", "three"]


def test_given_config_replaces_the_default() -> None:
    given = {"ops": {"one": {"config": {"n": 5}}}}
    assert _plan(job="chain", run_config=given).run.run_config == given


def test_all_mistakes_in_the_config_come_at_once() -> None:
    with pytest.raises(InvalidRunConfigError) as caught:
        _plan(job="chain", run_config={"ops": {"one": {"config": {"m": "x"}}, "tow": {}}, "execution": 3})
    assert len(caught.value.problems) == 4
    assert 'The run config of job "chain" has 4 mistakes' in str(caught.value)


def test_what_does_not_run_need_not_be_configured() -> None:
    _plan(job="deep", run_config={"ops": {"two": {"inputs": {"x": 1}}}}, step_keys=["two"])
    with pytest.raises(InvalidRunConfigError, match=r'"ops" lacks the required field "ops.nested.ops.one.config.n"'):
        _plan(job="deep", run_config={"ops": {"two": {"inputs": {"x": 1}}}})
    _plan(assets=["static"], partition="x")
    with pytest.raises(InvalidRunConfigError, match="resources"):
        _plan(assets=["dynamic"], partition="eu")


def test_assets_are_planned_with_their_checks_in_order() -> None:
    planned = _plan(job="days", run_config=CONFIG, partition="2024-01-03")
    assert planned.facts == (
        AssetMaterializationPlanned(asset="daily", partition="2024-01-03"),
        AssetMaterializationPlanned(asset="plain"),
        AssetCheckEvaluationPlanned(asset="daily", check="fine", partition="2024-01-03"),
    )
    assert planned.run.tags == {Tag.PARTITION: "2024-01-03"}
    assert planned.run.partition == "2024-01-03"


def test_a_part_of_the_assets() -> None:
    planned = _plan(job="days", assets=["daily"], partition="2024-01-03")
    assert (planned.run.assets, planned.run.checks) == (("daily",), None)
    assert _steps(planned) == ["daily", "daily_fine"]
    assert planned.snapshot is not None
    narrowed = decode_json(planned.snapshot, JobDescription)
    assert narrowed.steps[0].inputs[0].sources == ()
    assert narrowed.steps[0].inputs[0].asset == "plain"
    assert _steps(_plan(job="days", assets=["daily"], checks=[], partition="2024-01-03")) == ["daily"]
    assert _steps(_plan(checks=["daily:fine"], run_config={})) == ["daily_fine"]


def test_without_a_job_the_one_of_all_assets_runs() -> None:
    assert _plan(assets=["m1", "m2"]).run.job == "__ASSET_JOB"
    assert [type(fact).__name__ for fact in _plan(assets=["m1", "m2"]).facts] == [
        "AssetMaterializationPlanned",
        "AssetMaterializationPlanned",
        "AssetCheckEvaluationPlanned",
    ]
    with pytest.raises(ConfigurationError, match="Say what to run"):
        _plan()
    with pytest.raises(NotFoundError, match="makes no assets"):
        plan_run(describe(Definitions(), "empty"), assets=["a"], now=NOW)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"job": "chian"}, r'no job "chian"; did you mean "chain"\?'),
        ({"assets": ["dail"]}, r'does not make the asset "dail"; did you mean "daily"\?'),
        ({"checks": ["daily:f"]}, 'does not evaluate the check "daily:f"'),
        ({"job": "chain", "step_keys": ["thre"]}, r'no step "thre"; did you mean "three"\?'),
        (
            {"job": "days", "run_config": CONFIG, "partition": "2024-01-06"},
            "no partition '2024-01-06'; the keys go from",
        ),
        ({"assets": ["static"], "partition": "z"}, "no partition 'z'"),
    ],
)
def test_what_is_not_there_is_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NotFoundError, match=words):
        _plan(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"job": "days", "run_config": CONFIG}, "Asset daily has partitions, so a run of it needs one"),
        ({"job": "by_day", "run_config": {"ops": {"o": {"config": {"n": 1}}}}}, 'Job "by_day" has partitions'),
        ({"job": "chain", "partition": "x"}, "has no partitions, but the partition 'x'"),
        ({"assets": ["daily", "static"], "partition": "x"}, "have different partitions"),
        ({"job": "chain", "step_keys": ["three"]}, 'needs the value of step "two"'),
        ({"job": "chain", "assets": ["daily"]}, "runs ops and makes no assets"),
        ({"assets": ["m1"]}, r'Step "together" .* makes m1, m1:own together with m2, which are not selected'),
    ],
)
def test_what_cannot_run_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        _plan(**options)


def test_a_mere_check_needs_no_partition() -> None:
    assert _plan(job="days", run_config=CONFIG, partition_required=False).run.partition is None


def test_a_range_of_partitions() -> None:
    tags = {Tag.PARTITION_RANGE_START: "2024-01-02", Tag.PARTITION_RANGE_END: "2024-01-04"}
    planned = _plan(job="days", run_config=CONFIG, tags=tags)
    assert planned.facts[:4] == (
        AssetMaterializationPlanned(asset="daily", partition="2024-01-02"),
        AssetMaterializationPlanned(asset="daily", partition="2024-01-03"),
        AssetMaterializationPlanned(asset="daily", partition="2024-01-04"),
        AssetMaterializationPlanned(asset="plain"),
    )
    assert Tag.PARTITION not in planned.run.tags
    backwards = {Tag.PARTITION_RANGE_START: "2024-01-04", Tag.PARTITION_RANGE_END: "2024-01-02"}
    with pytest.raises(ConfigurationError, match="runs backwards"):
        _plan(job="days", run_config=CONFIG, tags=backwards)


def test_dynamic_partitions_are_checked_where_their_keys_are_known() -> None:
    config = {"resources": {"late": {"config": {"url": "x"}}}}
    keys = {"regions": ["eu", "us"]}
    assert _plan(assets=["dynamic"], partition="xx", run_config=config).run.partition == "xx"
    planned = _plan(assets=["dynamic"], partition="us", run_config=config, dynamic_keys=keys.__getitem__)
    assert planned.facts == (AssetMaterializationPlanned(asset="dynamic", partition="us"),)
    with pytest.raises(NotFoundError, match="no partition 'xx'"):
        _plan(assets=["dynamic"], partition="xx", run_config=config, dynamic_keys=keys.__getitem__)


def test_a_repeated_run_knows_its_parent_and_gets_the_values_that_it_needs() -> None:
    parent = Run(run_id="parent", location="here", job="chain", root_run_id="root")
    assert _steps(_plan(job="chain", step_keys=["three"], parent=parent, at_hand={"two"})) == ["three"]
    assert _steps(_plan(job="chain", step_keys=["three"], parent=parent, at_hand={"one"})) == ["two", "three"]
    planned = _plan(job="chain", step_keys=["three"], parent=parent, at_hand=())
    assert _steps(planned) == ["one", "two", "three"]
    run = planned.run
    assert (run.parent_run_id, run.root_run_id) == ("parent", "root")
    assert (run.tags[Tag.PARENT_RUN], run.tags[Tag.ROOT_RUN]) == ("parent", "root")
    assert run.step_keys == ("one", "two", "three")
    first = _plan(job="chain", parent=Run(run_id="parent", location="here", job="chain")).run
    assert first.root_run_id == "parent"
    of_assets = _plan(job="days", step_keys=["daily"], parent=parent, partition="2024-01-03", run_config=CONFIG)
    assert _steps(of_assets) == ["daily"]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"assets": ("daily",)},
        {"checks": ("daily:fine",)},
        {"step_keys": ("daily_fine", "plain")},
        {"assets": ("plain", "daily"), "checks": (), "step_keys": ("daily",)},
        {"assets": ("m1", "m2")},
    ],
)
def test_the_plan_of_the_run_has_the_steps_that_were_announced(options: dict[str, Any]) -> None:
    config = {**CONFIG, "resources": {"late": {"config": {"url": "x"}}}}
    planned = _plan(job="__ASSET_JOB", run_config=config, partition_required=False, **_one_set(options))
    run = planned.run
    plan = build_plan(DEFS.get_job_def(run.job), step_keys=run.step_keys, assets=run.assets, checks=run.checks)
    assert list(plan.steps) == _steps(planned)


def _one_set(options: dict[str, Any]) -> dict[str, Any]:
    """All assets together have several partition sets, which one run cannot make."""
    return options or {"assets": ("daily", "plain", "m1", "m2")}


def test_an_impossible_selection_names_the_step() -> None:
    with pytest.raises(DefinitionError, match='Step "two"'):
        _plan(job="chain", step_keys=["two"])


def test_a_tag_that_the_daemon_could_not_heed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"max_resume_run_attempts has the value 'often'"):
        _plan(job="chain", tags={Tag.MAX_RESUMES: "often"})
