"""Selections of assets, as objects and as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    AssetSpec,
    TableColumn,
    TableSchema,
    asset,
    asset_check,
    multi_asset,
)
from penstock.definitions.assets.graph import AssetGraph, build_asset_graph
from penstock.errors import DefinitionError, NotFoundError

# A diamond behind a source, and one asset apart: src -> a -> (b, p/c) -> d, e
EDGES = {"a": ["src"], "b": ["a"], "p/c": ["a"], "d": ["b", "p/c"], "e": []}
GROUPS = {"a": "raw", "b": "clean", "p/c": "clean", "d": "out", "e": "out"}


ABOUT_B = {
    "penstock/column_schema": TableSchema(columns=[TableColumn("id", "int")]),
    "penstock/table_name": "sales.b",
}


def _graph() -> AssetGraph:
    made = []
    for key, deps in EDGES.items():

        def fn() -> None: ...

        made.append(
            asset(
                key=AssetKey.from_user_string(key),
                deps=[AssetKey.from_user_string(dep) for dep in deps],
                group_name=GROUPS[key],
                kinds={"sql"} if key in ("a", "b") else None,
                tags={"tier": "gold", "odd": ""} if key == "d" else None,
                owners=["team:x"] if key == "e" else None,
                metadata=ABOUT_B if key == "b" else None,
            )(fn)
        )

    @asset_check(asset="a")
    def fine() -> None: ...

    @asset_check(asset="d")
    def good() -> None: ...

    return build_asset_graph([*made, fine, good], [(AssetSpec("src"), None)])


GRAPH = _graph()
ALL = set(EDGES)


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (AssetSelection.all(), ALL),
        (AssetSelection.all(include_sources=True), ALL | {"src"}),
        (AssetSelection.assets("a", AssetKey(["p", "c"])), {"a", "p/c"}),
        (AssetSelection.keys("p/c"), {"p/c"}),
        (AssetSelection.groups("clean", "raw"), {"a", "b", "p/c"}),
        (AssetSelection.key_prefixes("p"), {"p/c"}),
        (AssetSelection.key_substring("c"), {"p/c"}),
        (AssetSelection.tag("tier", "gold"), {"d"}),
        (AssetSelection.kind("sql"), {"a", "b"}),
        (AssetSelection.owner("team:x"), {"e"}),
        (AssetSelection.assets("d").upstream(), {"a", "b", "p/c", "d"}),
        (AssetSelection.assets("d").upstream(depth=1), {"b", "p/c", "d"}),
        (AssetSelection.assets("d").upstream(depth=0), {"d"}),
        (AssetSelection.assets("d").upstream(include_self=False), {"a", "b", "p/c"}),
        (AssetSelection.assets("a").downstream(), {"a", "b", "p/c", "d"}),
        (AssetSelection.keys("src").downstream(depth=1, include_self=False), {"a"}),
        (AssetSelection.all().roots(), {"a", "e"}),
        (AssetSelection.all().sinks(), {"d", "e"}),
        (AssetSelection.assets("b").upstream().sources(), {"a"}),
        (AssetSelection.all(include_sources=True).materializable(), ALL),
        (AssetSelection.assets("a").upstream_source_assets(), {"src"}),
        (AssetSelection.all() - AssetSelection.groups("clean"), {"a", "d", "e"}),
        (AssetSelection.all() & AssetSelection.groups("clean"), {"b", "p/c"}),
        (AssetSelection.keys("a") | AssetSelection.keys("e"), {"a", "e"}),
        (~AssetSelection.keys("a"), ALL - {"a"}),
        (AssetSelection.all_asset_checks(), set()),
    ],
)
def test_selection(selection: AssetSelection, expected: set[str]) -> None:
    assert selection.keys_in(GRAPH) == expected
    assert repr(selection).startswith("AssetSelection(")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("*", ALL),
        ("a", {"a"}),
        ('key:"p/c"', {"p/c"}),
        ("p/c", {"p/c"}),
        ("p/*", {"p/c"}),
        ('"a"', {"a"}),
        ("group:clean", {"b", "p/c"}),
        ('group:"clean" or a', {"a", "b", "p/c"}),
        ("tag:tier=gold", {"d"}),
        ('tag:"odd"', {"d"}),
        ("kind:sql and not a", {"b"}),
        ('owner:"team:x"', {"e"}),
        ("+d", {"b", "p/c", "d"}),
        ("++d", {"a", "b", "p/c", "d"}),
        ("*d", {"a", "b", "p/c", "d"}),
        ("1+d", {"b", "p/c", "d"}),
        ("2+d", {"a", "b", "p/c", "d"}),
        ('+key:"d"', {"a", "b", "p/c", "d"}),
        ("a+", {"a", "b", "p/c"}),
        ("a++", {"a", "b", "p/c", "d"}),
        ("a*", {"a", "b", "p/c", "d"}),
        ("key:a+", {"a", "b", "p/c", "d"}),
        ("*b*", {"a", "b", "d"}),
        ('*b or "p/c"+', {"a", "b", "p/c", "d"}),
        ("*/c", {"p/c"}),
        ("group:cl*", {"b", "p/c"}),
        ('tag:"t*"=g*', {"d"}),
        ("tag:tier", set()),
        ("tag:<null>", {"a", "b", "p/c", "e"}),
        ("kind:<null>", {"p/c", "d", "e"}),
        ("owner:<null> and group:out", {"d"}),
        ("column:id", {"b"}),
        ("column:i*", {"b"}),
        ('table_name:"sales.b"', {"b"}),
        ("a+1", {"a", "b", "p/c"}),
        ("1+b+1", {"a", "b", "d"}),
        ("+(b or e)", {"a", "b", "e"}),
        ("roots(*)", {"a", "e"}),
        ("sinks(group:clean or group:raw)", {"b", "p/c"}),
        ("not (a or b) AND NOT d", {"p/c", "e"}),
        ("a or b and d", {"a"}),
        ("key:*", ALL | {"src"}),
        ("src+", {"src", "a"}),
        ("src*", {"src", "a", "b", "p/c", "d"}),
    ],
)
def test_text(text: str, expected: set[str]) -> None:
    assert AssetSelection.from_string(text).keys_in(GRAPH) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "at character 1: expected an asset"),
        ("a b", "at character 3: expected and, or, or the end"),
        ("(a", "at character 3: expected \\)"),
        ("a or", "at character 5"),
        ("colour:red", 'no "colour:"; did you mean "column:"'),
        ("code_location:x", "at character 1: code_location: is not known"),
        ("changed_in_branch:ANY", "changed_in_branch: is not known"),
        ("leaves(a)", 'no function "leaves"'),
        ("a & b", "did not expect '&'"),
        ("+", "expected an asset"),
        (")", "did not expect '\\)'"),
        ("group:", "expected a name"),
        ("(" * 500 + "a", "nested too deeply"),
    ],
)
def test_text_that_cannot_be_read_names_the_place(text: str, words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        AssetSelection.from_string(text)


@given(st.text(alphabet='ab*+()"\\ :=12orandtkey/', max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        selection = AssetSelection.from_string(text)
    except DefinitionError as error:
        refused = str(error)
    else:
        assert selection.to_text()
        return
    assert refused.startswith(f"The asset selection {text!r} cannot be read at character ")


expressions = st.recursive(
    st.sampled_from(
        [
            AssetSelection.all(),
            AssetSelection.keys("a"),
            AssetSelection.keys("p/c"),
            AssetSelection.keys("a", "e"),
            AssetSelection.groups("out"),
            AssetSelection.groups("raw", "clean"),
            AssetSelection.kind("sql"),
            AssetSelection.tag("tier", "gold"),
        ]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda each: each[0] | each[1]),
        st.tuples(inner, inner).map(lambda each: each[0] & each[1]),
        st.tuples(inner, inner).map(lambda each: each[0] - each[1]),
        st.tuples(inner, st.one_of(st.none(), st.integers(0, 3))).map(lambda each: each[0].upstream(each[1])),
        st.tuples(inner, st.one_of(st.none(), st.integers(0, 3))).map(lambda each: each[0].downstream(each[1])),
        inner.map(lambda each: each.roots()),
        inner.map(lambda each: each.sinks()),
    ),
    max_leaves=6,
)


@given(expressions)
def test_the_text_of_a_selection_means_the_same(selection: AssetSelection) -> None:
    again = AssetSelection.from_string(selection.to_text())
    assert again.keys_in(GRAPH) == selection.keys_in(GRAPH)


def test_checks_come_along() -> None:
    assert AssetSelection.groups("raw").resolve_checks(GRAPH) == {"a:fine"}
    assert AssetSelection.groups("raw").without_checks().resolve_checks(GRAPH) == set()
    assert AssetSelection.all_asset_checks().resolve_checks(GRAPH) == {"a:fine", "d:good"}
    assert AssetSelection.checks_for_assets("d").resolve_checks(GRAPH) == {"d:good"}
    only = AssetSelection.checks(GRAPH.checks["a:fine"].definition)
    assert (only.keys_in(GRAPH), only.resolve_checks(GRAPH)) == (set(), {"a:fine"})
    both = AssetSelection.all() - AssetSelection.checks_for_assets("a")
    assert (both.keys_in(GRAPH), both.resolve_checks(GRAPH)) == (ALL, {"d:good"})


def test_an_unknown_asset_names_the_nearest() -> None:
    with pytest.raises(NotFoundError, match=r'no asset "p/d" to select; did you mean "p/c"\?'):
        AssetSelection.keys("p/d").keys_in(GRAPH)


def test_users_may_say_it_in_many_ways() -> None:
    b = GRAPH.assets["b"].definition
    assert AssetSelection.from_coercible(["a", b]).keys_in(GRAPH) == {"a", "b"}
    assert AssetSelection.from_coercible("+b").keys_in(GRAPH) == {"a", "b"}
    assert AssetSelection.from_coercible(AssetKey("a")).keys_in(GRAPH) == {"a"}
    with pytest.raises(DefinitionError, match="names no asset"):
        AssetSelection.from_coercible(3)


def test_neighbours_of_a_function_that_cannot_choose() -> None:
    @multi_asset(specs=[AssetSpec("x"), AssetSpec("y")])
    def together() -> None: ...

    @multi_asset(specs=[AssetSpec("v"), AssetSpec("w")], can_subset=True)
    def apart() -> None: ...

    graph = build_asset_graph([together, apart])
    assert AssetSelection.keys("x", "v").required_multi_asset_neighbors().keys_in(graph) == {"x", "y", "v"}


def test_selections_of_assets_given_as_they_are_and_compared_by_value() -> None:
    @asset
    def a() -> None: ...

    @asset(deps=[a])
    def b() -> None: ...

    feed = AssetSpec("feed")
    assert AssetSelection.assets(b).upstream().resolve([a, b, feed]) == {AssetKey("a"), AssetKey("b")}
    assert AssetSelection.keys("feed").resolve([a, feed]) == {AssetKey("feed")}
    assert AssetSelection.all().resolve(GRAPH) == {AssetKey.from_user_string(key) for key in ALL}
    one, same, other = AssetSelection.keys("a"), AssetSelection.assets(a), AssetSelection.keys("a").upstream()
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert AssetSelection.groups("x") == AssetSelection.groups("x")
    assert AssetSelection.groups("x") != AssetSelection.groups("x", include_sources=True)
    assert one | other == same | AssetSelection.keys("a").upstream()


def test_roots_and_sinks_look_through_what_is_not_selected() -> None:
    ends = AssetSelection.keys("a", "d")  # b and p/c lie between them
    assert ends.roots().keys_in(GRAPH) == {"a"}
    assert ends.sinks().keys_in(GRAPH) == {"d"}


def test_keys_of_checks_have_an_order() -> None:
    keys = [AssetCheckKey(AssetKey("b"), "x"), AssetCheckKey(AssetKey("a"), "y"), AssetCheckKey(AssetKey("a"), "x")]
    assert [key.to_user_string() for key in sorted(keys)] == ["a:x", "a:y", "b:x"]
