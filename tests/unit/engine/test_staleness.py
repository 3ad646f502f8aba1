"""Whether assets are up to date."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from penstock.engine.staleness import StaleCause, StaleCauseCategory, Staleness, StaleStatus
from penstock.partitions.spec import StaticSpec
from penstock.records.data_version import DataVersionState
from penstock.records.location import AssetDescription

LETTERS = StaticSpec(keys=("a", "b"))


def described(key: str, *deps: str, op: str | None = "op", **fields: object) -> AssetDescription:
    return AssetDescription(key=key, deps=deps, op=op, **fields)  # type: ignore[arg-type]  # fields of a description


def made(key: str, version: str = "1", code: str | None = "c", **inputs: str) -> DataVersionState:
    return DataVersionState(asset=key, event=1, time=1.0, version=version, code_version=code, inputs=inputs)


def staleness(
    assets: list[AssetDescription], versions: list[DataVersionState], partition: str | None = None
) -> Staleness:
    return Staleness({each.key: each for each in assets}, {each.asset: each for each in versions}, partition=partition)


CHAIN = [described("src", op=None), described("a", "src"), described("b", "a")]
FRESH = [made("src", "s1"), made("a", "a1", src="s1"), made("b", "b1", a="a1")]


def test_what_was_made_of_the_present_versions_is_fresh() -> None:
    found = staleness(CHAIN, FRESH)
    assert [found.status(key) for key in ("src", "a", "b")] == [StaleStatus.FRESH] * 3
    assert found.causes("b") == []
    assert found.stale(["src", "a", "b"]) == set()


def test_what_was_never_made_is_missing_and_makes_nothing_stale() -> None:
    found = staleness(CHAIN, [FRESH[0], FRESH[2]])
    assert (found.status("a"), found.status("b")) == (StaleStatus.MISSING, StaleStatus.FRESH)
    assert found.stale(["a", "b"]) == {"a"}


def test_new_content_of_an_input_makes_all_that_is_built_on_it_stale() -> None:
    found = staleness(CHAIN, [made("src", "s2"), *FRESH[1:]])
    assert (found.status("a"), found.status("b")) == (StaleStatus.STALE, StaleStatus.STALE)
    expected = StaleCause(
        asset="a",
        category=StaleCauseCategory.DATA,
        reason="src has other content than it was made of",
        dependency="src",
    )
    assert found.causes("a") == found.causes("b") == [expected]


def test_a_new_code_version() -> None:
    found = staleness([CHAIN[0], replace(CHAIN[1], code_version="d"), CHAIN[2]], FRESH)
    assert [(cause.category, cause.asset) for cause in found.causes("a")] == [(StaleCauseCategory.CODE, "a")]
    unversioned = staleness(CHAIN, [FRESH[0], replace(FRESH[1], code_version="some run"), FRESH[2]])
    assert unversioned.status("a") is StaleStatus.FRESH


def test_other_dependencies() -> None:
    found = staleness([CHAIN[0], described("x"), described("a", "x")], [made("x"), FRESH[0], FRESH[1]])
    assert [(cause.category, cause.dependency) for cause in found.causes("a")] == [
        (StaleCauseCategory.DEPENDENCIES, "x"),
        (StaleCauseCategory.DEPENDENCIES, "src"),
    ]


def test_a_report_from_outside_says_nothing_of_its_inputs() -> None:
    found = staleness(CHAIN, [made("src", "s2"), made("a", "7", code=None), FRESH[2]])
    assert found.status("a") is StaleStatus.FRESH
    assert [cause.dependency for cause in found.causes("b")] == ["a"]


def test_an_observed_asset_is_never_stale_and_a_view_passes_staleness_on() -> None:
    observed = replace(described("o", "a"), observable=True)
    view = replace(described("v", "a"), is_virtual=True)
    found = staleness([*CHAIN, observed, view], FRESH)
    assert (found.status("o"), found.status("v")) == (StaleStatus.FRESH, StaleStatus.FRESH)
    found = staleness([*CHAIN, observed, view], [made("src", "s2"), *FRESH[1:]])
    assert (found.status("o"), found.status("v")) == (StaleStatus.FRESH, StaleStatus.STALE)


@pytest.mark.parametrize(
    ("change", "partition", "expected"),
    [
        ({}, "a", StaleStatus.STALE),
        ({}, None, StaleStatus.FRESH),  # which partition it was made of is not asked
        ({"mapped_deps": ("up",)}, "a", StaleStatus.FRESH),
        ({"partitions": StaticSpec(keys=("z",))}, "a", StaleStatus.FRESH),
    ],
)
def test_partitions_are_compared_where_they_are_the_same(
    change: dict[str, object], partition: str | None, expected: StaleStatus
) -> None:
    up = described("up", partitions=LETTERS)
    down = replace(described("down", "up", partitions=LETTERS), **change)
    versions = [replace(made("up", "2"), partition="a"), replace(made("down", up="1"), partition="a")]
    found = staleness([up, down], versions, partition)
    assert found.status("down") is expected
    assert all(cause.partition == "a" for cause in found.causes("down"))


def test_a_deep_chain_needs_no_deep_stack() -> None:
    assets = [described("n0")] + [described(f"n{n}", f"n{n - 1}") for n in range(1, 5000)]
    versions = [made("n0", "new")] + [made(f"n{n}", "1", **{f"n{n - 1}": "1"}) for n in range(1, 5000)]
    found = staleness(assets, versions)
    assert found.status("n4999") is StaleStatus.STALE
    assert [cause.asset for cause in found.causes("n4999")] == ["n1"]


@given(st.data())
def test_an_asset_is_stale_exactly_when_something_at_or_above_it_has_changed(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 7))
    assets, versions = [], []
    changed: set[str] = set()
    reach: dict[str, set[str]] = {}
    for n in range(count):
        key = f"n{n}"
        deps = data.draw(st.sets(st.sampled_from([f"n{m}" for m in range(n)]))) if n else set()
        assets.append(described(key, *sorted(deps), code_version="c"))
        is_new = data.draw(st.booleans())
        versions.append(made(key, "1", code="old" if is_new else "c", **dict.fromkeys(deps, "1")))
        if is_new:
            changed.add(key)
        reach[key] = {key}.union(*(reach[dep] for dep in deps))
    found = staleness(assets, versions)
    for key, above in reach.items():
        assert (found.status(key) is StaleStatus.STALE) == bool(above & changed)
        assert {cause.asset for cause in found.causes(key)} == above & changed
