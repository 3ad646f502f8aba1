"""Execution plans of jobs and of parts of them."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import AssetCheckSpec, AssetKey, Definitions, DynamicOut, asset, asset_check, job, multi_asset_check, op
from penstock.errors import DefinitionError, NotFoundError
from penstock.plan.build import build_plan
from penstock.plan.model import ExecutionPlan, FromAsset, OrderOnly


@asset
def a() -> int:
    return 1


@asset
def b(a: int) -> int:
    return a


@asset(deps=["a"], io_manager_key="lake", required_resource_keys={"db"})
def c(context: object) -> int:
    return 1


@asset_check(asset=b)
def fine() -> Any: ...


@multi_asset_check(specs=[AssetCheckSpec("x", asset="a"), AssetCheckSpec("y", asset="c")])
def over_two() -> Any: ...


ASSETS = Definitions(assets=[a, b, c], asset_checks=[fine, over_two], resources={"lake": 1, "db": 2}).get_job_def(
    "__ASSET_JOB"
)


@op
def one() -> int:
    return 1


@op
def two(x: int) -> int:
    return x


@op
def three(x: int) -> int:
    return x


@job
def chain() -> None:
    three(two(one()))


@op(out=DynamicOut(int))
def several(x: int) -> Any: ...


@op
def total(xs: list[int]) -> int:
    return sum(xs)


@job
def fanned() -> None:
    total(several(one()).map(two).map(three).collect())


@pytest.mark.parametrize(
    ("at_hand", "steps", "inherited"),
    [
        (set(), ["one", "several", "two", "three", "total"], []),
        ({"one"}, ["several", "two", "three", "total"], ["one"]),
        ({"one", "several", "two", "three"}, ["total"], ["several", "two", "three"]),
        ({"one", "several", "two"}, ["three", "total"], ["several", "two"]),
        ({"one", "two", "three"}, ["several", "two", "three", "total"], ["one"]),  # there may be other keys this time
    ],
)
def test_what_an_earlier_run_has_stored_is_not_run(at_hand: set[str], steps: list[str], inherited: list[str]) -> None:
    plan = build_plan(fanned, step_keys=["total"], at_hand=at_hand)
    assert list(plan.steps) == steps
    assert list(plan.inherited) == inherited
    assert [given.name for given in plan.inherited["two"].inputs] == ["x"] if "two" in inherited else True
    if "one" in inherited:
        assert plan.inherited["one"].inputs == ()


def test_the_whole_job() -> None:
    plan = build_plan(ASSETS)
    assert set(plan.steps) == {"a", "b", "c", "b_fine", "over_two"}
    assert plan.resources == {"io_manager", "lake", "db"}
    assert list(build_plan(chain).steps) == ["one", "two", "three"]


def test_assets_bring_their_checks_unless_others_are_named() -> None:
    assert list(build_plan(ASSETS, assets=["b"]).steps) == ["b", "b_fine"]
    assert list(build_plan(ASSETS, assets=["b"], checks=[]).steps) == ["b"]
    assert list(build_plan(ASSETS, checks=["b:fine"]).steps) == ["b_fine"]
    # A function over checks of several assets comes along only with all of them.
    assert list(build_plan(ASSETS, assets=["a"]).steps) == ["a"]
    assert set(build_plan(ASSETS, assets=["a", "c"]).steps) == {"a", "c", "over_two"}


def test_steps_of_assets_run_alone_and_load_the_rest() -> None:
    plan = build_plan(ASSETS, step_keys=["b", "c"])
    assert list(plan.steps) == ["b", "c"]
    source = plan.steps["b"].inputs[0].source
    assert isinstance(source, FromAsset)
    assert source.made_by is None
    assert plan.steps["c"].inputs == ()


def test_steps_of_ops_need_the_steps_before_them() -> None:
    assert list(build_plan(chain, step_keys=["one", "two"]).steps) == ["one", "two"]
    with pytest.raises(DefinitionError, match='"three" of job "chain" needs the value of step "two"'):
        build_plan(chain, step_keys=["one", "three"])


def test_a_mapped_step_may_be_named_with_its_key() -> None:
    assert list(build_plan(chain, step_keys=["one[x]"]).steps) == ["one"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"assets": ["bb"]}, r'does not make the asset "bb"; did you mean "b"\?'),
        ({"checks": ["b:fin"]}, r'does not evaluate the check "b:fin"; did you mean "b:fine"\?'),
        ({"step_keys": ["zzz"]}, 'has no step "zzz"'),
    ],
)
def test_what_is_not_there_names_the_nearest(options: dict[str, Any], words: str) -> None:
    with pytest.raises(NotFoundError, match=words):
        build_plan(ASSETS, **options)


def test_a_job_of_ops_has_no_assets() -> None:
    with pytest.raises(DefinitionError, match="makes no assets"):
        build_plan(chain, assets=["a"])


def _check_plan(plan: ExecutionPlan) -> None:
    seen: set[str] = set()
    for key, step in plan.steps.items():
        assert key == step.key
        for given_input in step.inputs:
            for source in given_input.upstream():
                assert source.step in seen
                assert source.output in {output.name for output in plan.steps[source.step].outputs}
            if isinstance(given_input.source, OrderOnly):
                assert given_input.source.sources
        seen.add(key)


def _random_job(edges: set[tuple[int, int]], count: int) -> Any:
    made = []
    for number in range(count):

        def fn() -> None: ...

        deps = sorted({low % number for low, high in edges if number and high % count == number})
        made.append(asset(key=f"n{number}", deps=[AssetKey(f"n{each}") for each in deps])(fn))

        @asset_check(asset=f"n{number}", name="ok", blocking=number % 2 == 0)
        def check() -> Any: ...

        made.append(check)
    return Definitions(assets=made).get_job_def("__ASSET_JOB")


@given(
    edges=st.sets(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=25),
    count=st.integers(1, 10),
    chosen=st.sets(st.integers(0, 9)),
    dropped=st.sets(st.integers(0, 9)),
)
def test_any_selection_of_any_graph_is_a_plan(
    edges: set[tuple[int, int]], count: int, chosen: set[int], dropped: set[int]
) -> None:
    made = _random_job(edges, count)
    _check_plan(build_plan(made))
    assets = sorted({f"n{each % count}" for each in chosen})
    plan = build_plan(made, assets=assets)
    _check_plan(plan)
    assert {key for step in plan.steps.values() for key in step.asset_keys} == set(assets)
    assert {key for step in plan.steps.values() for key in step.check_keys} == {f"{each}:ok" for each in assets}
    kept = [key for index, key in enumerate(plan.steps) if index not in dropped]
    narrowed = build_plan(made, assets=assets, step_keys=kept)
    _check_plan(narrowed)
    assert list(narrowed.steps) == kept
