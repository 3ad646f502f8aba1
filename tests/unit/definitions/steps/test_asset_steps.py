"""Jobs of assets in order."""

from typing import Any

import pytest

from penstock import AssetIn, AssetKey, AssetOut, AssetSpec, Definitions, Nothing, asset, asset_check, multi_asset
from penstock.definitions.steps.job_steps import job_steps
from penstock.definitions.steps.model import FromAsset, FromOutput, OrderOnly, Step
from penstock.errors import DefinitionError


@asset(io_manager_key="lake", metadata={"path": "x"})
def raw() -> int:
    return 1


@asset(deps=["outside"])
def clean(raw: int) -> int:
    return raw


@asset(deps=[clean], ins={"raw": AssetIn(input_manager_key="fast")})
def report(raw: int) -> int:
    return raw


@asset_check(asset=clean, blocking=True)
def fine(clean: int) -> Any: ...


@asset_check(asset=raw)
def there() -> Any: ...


DEFS = Definitions(
    assets=[report, clean, raw, AssetSpec("outside")], asset_checks=[fine, there], resources={"lake": 1, "fast": 2}
)
JOB = DEFS.get_job_def("__ASSET_JOB")


def _sources(step: Step) -> dict[str, object]:
    return {given.name: given.source for given in step.inputs}


def test_steps_come_after_what_they_need() -> None:
    steps = job_steps(JOB)
    order = list(steps)
    assert order.index("raw") < order.index("clean") < order.index("clean_fine") < order.index("report")
    assert steps["clean"].asset_keys == ("clean",)
    assert steps["clean_fine"].check_keys == ("clean:fine",)


def test_values_are_loaded_from_assets_and_orders_are_kept() -> None:
    steps = job_steps(JOB)
    loaded = _sources(steps["clean"])
    assert loaded == {
        "raw": FromAsset(
            asset_key="raw", io_manager_key="lake", made_by=FromOutput("raw", "result"), metadata={"path": "x"}
        )
    }
    assert _sources(steps["report"]) == {
        "raw": FromAsset(
            asset_key="raw", io_manager_key="fast", made_by=FromOutput("raw", "result"), metadata={"path": "x"}
        ),
        "clean": OrderOnly((FromOutput("clean", "result"),)),
        "clean_fine": OrderOnly((FromOutput("clean_fine", "clean_fine"),)),
    }
    assert _sources(steps["raw_there"]) == {"raw": OrderOnly((FromOutput("raw", "result"),))}


def test_what_is_not_made_is_loaded_as_it_is() -> None:
    steps = job_steps(JOB, {"report"}, set())
    assert list(steps) == ["report"]
    source = _sources(steps["report"])["raw"]
    assert isinstance(source, FromAsset)
    assert source.made_by is None
    assert len(steps["report"].inputs) == 1


def test_outputs_name_what_they_make() -> None:
    steps = job_steps(JOB)
    (output,) = steps["raw"].outputs
    assert (output.asset_key, output.io_manager_key, output.metadata) == ("raw", "lake", {"path": "x"})
    (check,) = steps["clean_fine"].outputs
    assert (check.check_key, check.check_blocking, check.required) == ("clean:fine", True, True)


def test_a_function_that_cannot_choose_is_taken_whole() -> None:
    @multi_asset(outs={"a": AssetOut(), "b": AssetOut()})
    def together() -> Any: ...

    job = Definitions(assets=[together]).get_job_def("__ASSET_JOB")
    assert job_steps(job)["together"].asset_keys == ("a", "b")
    with pytest.raises(
        DefinitionError, match='makes a together with b, and job "__ASSET_JOB" asks for the first alone'
    ):
        job_steps(job, {"a"}, set())


def test_a_function_that_can_choose_gets_its_part() -> None:
    @multi_asset(specs=[AssetSpec("a"), AssetSpec("b", deps=["a"])], can_subset=True)
    def apart() -> Any: ...

    job = Definitions(assets=[apart]).get_job_def("__ASSET_JOB")
    step = job_steps(job, {"b"}, set())["apart"]
    assert step.asset_keys == ("b",)
    assert [output.name for output in step.outputs] == ["b"]
    assert step.can_subset


def test_steps_that_would_wait_for_each_other_are_refused() -> None:
    @multi_asset(specs=[AssetSpec("a"), AssetSpec("c", deps=["b"])])
    def outer() -> Any: ...

    @asset(deps=["a"])
    def b() -> Any: ...

    job = Definitions(assets=[outer, b]).get_job_def("__ASSET_JOB")
    with pytest.raises(DefinitionError, match=r"would wait for each other: (outer -> b -> outer|b -> outer -> b)"):
        job_steps(job)


def test_an_input_without_value_only_waits() -> None:
    @asset(ins={"raw": AssetIn(key=AssetKey("raw"), python_type=Nothing)})
    def after() -> None: ...

    job = Definitions(assets=[raw, after], resources={"lake": 1}).get_job_def("__ASSET_JOB")
    assert _sources(job_steps(job)["after"]) == {"raw": OrderOnly((FromOutput("raw", "result"),))}
    assert job_steps(job, {"after"}, set())["after"].inputs == ()
