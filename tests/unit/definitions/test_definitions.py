"""`Definitions`: what fits together and what does not."""

from typing import Any

import pytest

from penstock import (
    AssetCheckKey,
    AssetSelection,
    AssetSpec,
    ConfigurableResource,
    Definitions,
    ResourceParam,
    ScheduleDefinition,
    asset,
    asset_check,
    define_asset_job,
    failure_hook,
    in_process_executor,
    job,
    op,
    resource,
    sensor,
)
from penstock.errors import DefinitionError, NotFoundError


@asset
def a() -> int:
    return 1


@asset(deps=[a])
def b() -> int:
    return 1


@op(required_resource_keys={"db"})
def ask(context: object) -> None: ...


@job
def asking() -> None:
    ask()


@job
def idle() -> None: ...


def test_all_assets_have_a_job_and_names_are_found() -> None:
    defs = Definitions(assets=[a, b], jobs=[idle, define_asset_job("only_b", [b])])
    assert sorted(defs.resolved.jobs) == ["__ASSET_JOB", "idle", "only_b"]
    layer = defs.get_job_def("only_b").asset_layer
    assert layer is not None
    assert layer.assets == {"b"}
    assert [key.to_user_string() for key in defs.resolve_all_asset_keys()] == ["a", "b"]
    assert [spec.key for spec in defs.resolve_all_asset_specs()] == [a.key, b.key]
    with pytest.raises(NotFoundError, match=r'no job "onlyb" here; did you mean "only_b"\?'):
        defs.get_job_def("onlyb")
    assert Definitions().resolved.jobs == {}


def test_jobs_come_with_what_starts_them() -> None:
    @sensor(jobs=[idle])
    def look() -> None: ...

    daily = ScheduleDefinition(job=define_asset_job("assets", AssetSelection.all()), cron_schedule="@daily")
    defs = Definitions(assets=[a], schedules=[daily], sensors=[look])
    assert sorted(defs.resolved.jobs) == ["__ASSET_JOB", "assets", "idle"]
    assert defs.get_schedule_def("assets_schedule") is daily
    assert defs.get_sensor_def("look") is look


def test_resources_and_executor_reach_the_jobs() -> None:
    defs = Definitions(jobs=[asking], resources={"db": 1, "spare": 2}, executor=in_process_executor)
    bound = defs.get_job_def("asking")
    assert sorted(bound.resource_defs) == ["db", "spare"]
    assert bound.executor_def is in_process_executor
    assert asking.resource_defs == {}


@failure_hook(required_resource_keys={"pager"})
def hook(context: object) -> None: ...


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (
            lambda: Definitions(jobs=[asking]),
            r'Op "ask" \(.*test_definitions\.py:\d+\) needs the resource "db", which job',
        ),
        (lambda: Definitions(jobs=[asking], resources={"dbb": 1}), r'did you mean "dbb"\?'),
        (lambda: Definitions(jobs=[idle, idle.with_hooks([])]), 'Two jobs have the name "idle"'),
        (lambda: Definitions(schedules=[_schedule(), _schedule()]), 'Two schedules have the name "s"'),
        (lambda: Definitions(sensors=[_sensor(), _sensor()]), 'Two sensors have the name "look"'),
        (
            lambda: Definitions(schedules=[_schedule("idel")], jobs=[idle]),
            r'starts the job "idel".*did you mean "idle"\?',
        ),
        (lambda: Definitions(sensors=[_sensor("none")]), 'Sensor "look" .* starts the job "none", which is not there'),
        (lambda: Definitions(sensors=[_needing()]), 'Sensor "needing" .* needs the resource "db"'),
        (lambda: Definitions(jobs=[define_asset_job("j", "zzz")]), 'no asset "zzz"'),
        (lambda: Definitions(resources={"x": _needs("y")}), 'resource "x" needs the resource "y", which is not there'),
        (lambda: Definitions(resources={"x": _needs("y"), "y": _needs("x")}), "in a circle: x -> y -> x"),
        (lambda: Definitions(jobs=[idle.with_hooks([hook])]), 'Hook "hook" .* needs the resource "pager"'),
        (lambda: Definitions(assets=[_storing()]), 'Asset stored .* needs the resource "lake"'),
        (lambda: Definitions(jobs=[define_asset_job("__ASSET_JOB")], assets=[a]), "is taken"),
    ],
)
def test_what_does_not_fit_together_is_refused(build: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        build().resolved  # noqa: B018 - the first look checks


def _schedule(job_name: str | None = None) -> ScheduleDefinition:
    return ScheduleDefinition(
        "s", job_name=job_name, job=None if job_name is not None else idle, cron_schedule="0 0 * * *"
    )


def _sensor(job_name: str | None = None) -> Any:
    @sensor(job_name)
    def look() -> None: ...

    return look


def _needing() -> Any:
    @sensor(job=idle)
    def needing(db: ResourceParam[int]) -> None: ...

    return needing


def _needs(key: str) -> Any:
    @resource(required_resource_keys={key})
    def made() -> None: ...

    return made


def _storing() -> Any:
    @asset(io_manager_key="lake")
    def stored() -> int:
        return 1

    return stored


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"assets": [[a]]}, "put the items of that list into this one"),
        (
            {"assets": [lambda: 1]},
            "the function <lambda> .* among its assets, where each is an asset; add the decorator",
        ),
        ({"assets": a}, "give a list"),
        ({"jobs": [a]}, "among its jobs, where each is a job"),
        ({"schedules": [idle]}, "where each is a schedule"),
        ({"sensors": [idle]}, "where each is a sensor"),
    ],
)
def test_parts_in_the_wrong_place_name_the_definitions(given: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words) as caught:
        Definitions(**given)
    assert "test_definitions.py:" in str(caught.value)


def test_asset_resources_join_but_may_not_clash() -> None:
    class Db(ConfigurableResource):
        url: str

    db = Db(url="x")

    @asset(resource_defs={"db": db})
    def first(db: Db) -> None: ...

    @asset(resource_defs={"db": db})
    def second(db: Db) -> None: ...

    @asset(resource_defs={"db": Db(url="y")})
    def third(db: Db) -> None: ...

    assert Definitions(assets=[first, second]).resolved.jobs["__ASSET_JOB"].resource_defs["db"].type_name == "Db"
    with pytest.raises(DefinitionError, match=r'Asset third .* brings another resource "db"'):
        Definitions(assets=[first, third]).resolved  # noqa: B018 - the first look checks


def test_merging() -> None:
    merged = Definitions.merge(
        Definitions(assets=[a], resources={"x": 1}, metadata={"m": 1}),
        Definitions(assets=[a, b], jobs=[idle], resources={"x": 1, "y": 2}, executor=in_process_executor),
    )
    assert merged.assets == [a, b]
    assert merged.resources == {"x": 1, "y": 2}
    assert merged.executor is in_process_executor
    with pytest.raises(DefinitionError, match='another resource "x"'):
        Definitions.merge(Definitions(resources={"x": 1}), Definitions(resources={"x": 2}))


def test_checks_may_be_given_in_either_place() -> None:
    @asset_check(asset=a)
    def fine() -> None: ...

    for defs in (Definitions(assets=[a, fine]), Definitions(assets=[a], asset_checks=[fine])):
        assert list(defs.resolve_asset_graph().checks) == ["a:fine"]


def test_validate_loadable() -> None:
    Definitions.validate_loadable(Definitions(assets=[a, AssetSpec("s")]))
    with pytest.raises(DefinitionError, match='needs the resource "db"'):
        Definitions.validate_loadable(Definitions(jobs=[asking]))


def test_the_asset_graph_tells_its_keys() -> None:
    @asset_check(asset=b)
    def fine() -> None: ...

    graph = Definitions(assets=[a, b], asset_checks=[fine]).resolve_asset_graph()
    assert graph.get_all_asset_keys() == {a.key, b.key}
    assert graph.asset_check_keys == {AssetCheckKey(b.key, "fine")}


def test_definitions_are_a_repository_too() -> None:
    found = Definitions(jobs=[idle]).get_repository_def()
    assert (found.name, found.has_job("idle")) == ("__repository__", True)
