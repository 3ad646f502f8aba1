"""Definitions out of modules, repositories, functions and folders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from penstock import (
    AssetCheckKey,
    AssetKey,
    AssetSpec,
    AutomationCondition,
    Definitions,
    Instance,
    RepositoryDefinition,
    SourceAsset,
    asset,
    asset_check,
    create_repository_using_definitions_args,
    define_asset_job,
    definitions,
    graph,
    in_process_executor,
    job,
    load_assets_from_modules,
    load_definitions_from_current_module,
    load_definitions_from_module,
    load_definitions_from_package_name,
    load_from_defs_folder,
    materialize,
    op,
    repository,
    schedule,
    sensor,
)
from penstock.definitions.load import load_definitions
from penstock.errors import DefinitionError, LocationLoadError, NotFoundError
from penstock.records.code_target import CodeTarget

Write = Callable[[str, str], Path]


@asset
def orders() -> int:
    return 1


@asset_check(asset=orders)
def fine() -> None: ...


@op
def work() -> None: ...


@graph
def worked() -> None:
    work()


@job
def nightly() -> None:
    work()


making = define_asset_job("making", "orders")


@schedule(cron_schedule="@daily", job=nightly)
def each_night() -> None: ...


@sensor(job=nightly)
def watch() -> None: ...


source = SourceAsset("outside")
ALL: list[Any] = [orders, [fine, source], worked, nightly, making, each_night, watch]


# -- repositories ------------------------------------------------------------------------------------------------------


def test_a_repository_gives_what_it_holds() -> None:
    @repository(metadata={"a": 1}, default_executor_def=in_process_executor)
    def shop() -> list[Any]:
        """All of it."""
        return ALL

    assert (shop.name, shop.description, list(shop.metadata)) == ("shop", "All of it.", ["a"])
    assert set(shop.job_names) == {"__ASSET_JOB", "worked", "nightly", "making"}
    assert {each.name for each in shop.get_all_jobs()} == set(shop.job_names)
    assert (shop.has_job("making"), shop.has_job("other")) == (True, False)
    assert shop.get_job("making").executor_def is in_process_executor
    assert [each.name for each in shop.schedule_defs] == ["each_night"]
    assert [each.name for each in shop.sensor_defs] == ["watch"]
    assert (shop.has_schedule_def("each_night"), shop.get_schedule_def("each_night")) == (True, each_night)
    assert (shop.has_sensor_def("watch"), shop.get_sensor_def("watch")) == (True, watch)
    assert list(shop.assets_defs_by_key) == [AssetKey("orders")]
    assert list(shop.source_assets_by_key) == [AssetKey("outside")]
    assert list(shop.asset_checks_defs_by_key) == [AssetCheckKey(AssetKey("orders"), "fine")]
    with pytest.raises(NotFoundError, match='no job "other"'):
        shop.get_job("other")


def test_a_repository_loads_stored_values() -> None:
    @repository
    def shop() -> list[Any]:
        return [orders]

    with Instance.ephemeral() as instance:
        materialize([orders], instance=instance)
        assert shop.load_asset_value("orders", instance=instance) == 1
        with shop.get_asset_value_loader(instance) as loader:
            assert loader.load_asset_value("orders") == 1


def test_a_repository_may_be_a_dict() -> None:
    @repository(name="named")
    def some() -> dict[str, Any]:
        return {"jobs": {"nightly": lambda: nightly}, "schedules": {"each_night": each_night}, "assets": [orders]}

    assert (some.name, set(some.job_names)) == ("named", {"nightly", "__ASSET_JOB"})


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (3, "returns 3; return a list of definitions"),
        ([3], "has 3, which is none"),
        ({"pipelines": {}}, "a dict with the key 'pipelines'"),
        ({"jobs": {"other": nightly}}, "give it under its own name, 'nightly'"),
    ],
)
def test_what_a_repository_cannot_hold(returned: Any, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):

        @repository
        def wrong() -> Any:
            return returned


def test_a_repository_is_made_of_the_arguments_of_definitions() -> None:
    made = create_repository_using_definitions_args("made", assets=[orders], asset_checks=[fine], jobs=[making])
    assert isinstance(made, RepositoryDefinition)
    assert set(made.job_names) == {"__ASSET_JOB", "making"}


# -- modules -----------------------------------------------------------------------------------------------------------


def module_of(**values: Any) -> ModuleType:
    module = ModuleType("some")
    vars(module).update(values)
    return module


def test_everything_of_a_module_is_found_once() -> None:
    module = module_of(a=orders, b=[orders, fine], c=nightly, d=each_night, e=watch, f=AssetSpec("x"), g=source, h=3)
    found = load_definitions_from_module(module, resources={"r": 1}, executor=in_process_executor)
    assert [each.key for each in found.assets] == [AssetKey("orders"), AssetKey("outside"), AssetKey("x")]
    assert (found.asset_checks, found.jobs, found.schedules, found.sensors) == (
        [fine],
        [nightly],
        [each_night],
        [watch],
    )
    assert (found.resources, found.executor) == ({"r": 1}, in_process_executor)


def test_the_calling_module_and_packages(write: Write) -> None:
    here = load_definitions_from_current_module()
    assert orders in here.assets
    assert nightly in here.jobs
    write("pack/__init__.py", "")
    write("pack/inner/__init__.py", "from penstock import asset\n\n@asset\ndef deep(): ...\n")
    found = load_definitions_from_package_name("pack")
    assert found.resolve_all_asset_keys() == [AssetKey("deep")]


def test_loaders_give_conditions_and_prefixes_of_sources() -> None:
    condition = AutomationCondition.eager()

    @asset(deps=[source])
    def plain() -> None: ...

    @asset(automation_condition=AutomationCondition.on_missing())
    def own() -> None: ...

    found = load_assets_from_modules(
        [module_of(a=plain, b=own, c=source)],
        key_prefix="p",
        source_key_prefix=["raw", "s"],
        automation_condition=condition,
    )
    specs = {str(spec.key): spec for each in found for spec in (each.specs if not isinstance(each, AssetSpec) else ())}
    assert set(specs) == {"p/plain", "p/own", "raw/s/outside"}
    assert [str(dep.asset_key) for dep in specs["p/plain"].deps] == ["raw/s/outside"]
    assert specs["p/plain"].automation_condition == condition
    assert specs["p/own"].automation_condition == AutomationCondition.on_missing()
    assert specs["raw/s/outside"].automation_condition is None


# -- functions and folders ---------------------------------------------------------------------------------------------


def test_a_function_gives_definitions_once() -> None:
    calls = []

    @definitions
    def lazy() -> Definitions:
        calls.append(1)
        return Definitions(assets=[orders])

    assert calls == []
    assert lazy() is lazy()
    assert calls == [1]

    @definitions
    def wrong() -> Definitions:
        return 3  # type: ignore[return-value]

    with pytest.raises(DefinitionError, match="gives 3"):
        wrong()
    with pytest.raises(DefinitionError, match="takes arguments"):
        definitions(lambda x: Definitions())  # type: ignore[arg-type, misc]


REPOSITORY = (
    "from penstock import asset, repository\n\n@asset\ndef a(): ...\n\n@repository\ndef repo():\n    return [a]\n"
)
LAZY = (
    "from penstock import *\n\n@asset\ndef b(): ...\n\n@definitions\ndef defs():\n    return Definitions(assets=[b])\n"
)


@pytest.mark.parametrize(("text", "key"), [(REPOSITORY, "a"), (LAZY, "b")])
def test_a_code_location_may_offer_a_repository_or_a_function(write: Write, text: str, key: str) -> None:
    write("offered.py", text)
    loaded = load_definitions(CodeTarget(python_file="offered.py"))
    assert loaded.resolve_all_asset_keys() == [AssetKey(key)]


def test_two_repositories_are_told_apart_by_attribute(write: Write) -> None:
    write("offered.py", REPOSITORY + "\n@repository\ndef other():\n    return []\n")
    with pytest.raises(LocationLoadError, match=r"2 objects of the kind Definitions \(other, repo\)"):
        load_definitions(CodeTarget(python_file="offered.py"))
    assert load_definitions(CodeTarget(python_file="offered.py", attribute="repo")).resolve_all_asset_keys()


def project(write: Write) -> Path:
    write("pyproject.toml", '[tool.dg.project]\nroot_module = "shop_code"\n')
    write("src/shop_code/__init__.py", "")
    write("src/shop_code/defs/__init__.py", "")
    write("src/shop_code/defs/raw.py", "from penstock import asset\n\n@asset\ndef raw(): ...\n")
    write("src/shop_code/defs/more/__init__.py", "")
    write("src/shop_code/defs/more/definitions.py", LAZY)
    return write("src/shop_code/defs/more/ignored.py", "from penstock import asset\n\n@asset\ndef ignored(): ...\n")


def test_a_folder_of_definitions(write: Write, tmp_path: Path) -> None:
    inside = project(write)
    loaded = load_from_defs_folder(path_within_project=inside)
    assert set(loaded.resolve_all_asset_keys()) == {AssetKey("raw"), AssetKey("b")}
    assert set(load_from_defs_folder(project_root=tmp_path).resolve_all_asset_keys()) == {
        AssetKey("raw"),
        AssetKey("b"),
    }


def test_folders_that_cannot_be_loaded(write: Write, tmp_path: Path) -> None:
    with pytest.raises(LocationLoadError, match="and not both"):
        load_from_defs_folder()
    write("pyproject.toml", '[tool.penstock.project]\nroot_module = "absent"\n')
    with pytest.raises(LocationLoadError, match=r"has no package absent\.defs"):
        load_from_defs_folder(project_root=tmp_path)
    project(write)
    write("src/shop_code/defs/more/defs.yaml", "type: x\n")
    with pytest.raises(LocationLoadError, match="describes a component"):
        load_from_defs_folder(project_root=tmp_path)
