"""Selections as text mean what a plain walk over the graph says, on any graph."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock import AssetSelection, AssetSpec, asset
from penstock.definitions.assets.graph import build_asset_graph

NAMES = [f"n{index}" for index in range(6)]


@st.composite
def graphs(draw: st.DrawFn) -> dict[str, dict[str, Any]]:
    """Assets by key: what they depend on, their group, kind and tag, and whether something here makes them."""
    drawn: dict[str, dict[str, Any]] = {}
    for index, name in enumerate(NAMES):
        drawn[name] = {
            "deps": sorted(draw(st.sets(st.sampled_from(NAMES[:index]), max_size=3))) if index else [],
            "group": draw(st.sampled_from(["red", "blue"])),
            "kind": draw(st.sampled_from(["sql", None])),
            "made": draw(st.booleans()),
        }
    return drawn


leaves = st.one_of(
    st.sampled_from([("key", name) for name in NAMES]),
    st.sampled_from(
        [("key", "n*"), ("group", "red"), ("group", "b*"), ("kind", "sql"), ("kind", "<null>"), ("all", "*")]
    ),
)
expressions = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner),
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["roots", "sinks"]), inner),
        st.tuples(st.just("walk"), st.sampled_from([None, 1, 2, "+"]), inner, st.sampled_from([None, 1, 2, "+"])),
    ),
    max_leaves=5,
)


def text_of(expression: Any) -> str:
    match expression:
        case ("all", _):
            return "*"
        case (("key" | "group" | "kind") as name, value):
            return f"{name}:{value}" if value == "<null>" else f'{name}:"{value}"'
        case (("and" | "or") as word, left, right):
            return f"({text_of(left)} {word} {text_of(right)})"
        case ("not", inner):
            return f"(not {text_of(inner)})"
        case (("roots" | "sinks") as name, inner):
            return f"{name}({text_of(inner)})"
        case (_, up, inner, down):
            before = "" if up is None else "+" if up == "+" else f"{up}+"
            behind = "" if down is None else "+" if down == "+" else f"+{down}"
            return f"({before}({text_of(inner)}){behind})"
    raise AssertionError(expression)


def reached(graph: dict[str, dict[str, Any]], start: set[str], steps: int, *, up: bool) -> set[str]:
    """By the definition: one edge after the other, as often as asked."""
    found = set(start)
    for _ in range(steps):
        found |= {
            other
            for key in found
            for other in graph
            if other in (graph[key]["deps"] if up else [each for each in graph if key in graph[each]["deps"]])
        }
    return found


def walked(graph: dict[str, dict[str, Any]], start: set[str], steps: Any, *, up: bool) -> set[str]:
    """What is reached; of assets that nothing makes only the start."""
    found = reached(graph, start, len(graph) if steps == "+" else steps, up=up)
    return {key for key in found if graph[key]["made"] or key in start}


def linked(graph: dict[str, dict[str, Any]], key: str, *, up: bool) -> set[str]:
    """All that one depends on, or that depends on it, on whatever way."""
    return reached(graph, {key}, len(graph), up=up)


def meaning_of(expression: Any, graph: dict[str, dict[str, Any]]) -> set[str]:
    made = {key for key, about in graph.items() if about["made"]}
    match expression:
        case ("all", _):
            return made
        case ("key", "n*"):
            return set(graph)
        case ("key", name):
            return {name}
        case ("group", "b*"):
            return {key for key in made if graph[key]["group"] == "blue"}
        case ("group", name):
            return {key for key in made if graph[key]["group"] == name}
        case ("kind", value):
            return {key for key in made if graph[key]["kind"] == (None if value == "<null>" else value)}
        case ("and", left, right):
            return meaning_of(left, graph) & meaning_of(right, graph)
        case ("or", left, right):
            return meaning_of(left, graph) | meaning_of(right, graph)
        case ("not", inner):
            return made - meaning_of(inner, graph)
        case (("roots" | "sinks") as which, inner):
            chosen = meaning_of(inner, graph)
            return {key for key in chosen if not (linked(graph, key, up=which == "roots") & chosen) - {key}}
        case (_, up, inner, down):
            start = meaning_of(inner, graph)
            above = start if up is None else walked(graph, start, up, up=True)
            below = start if down is None else walked(graph, start, down, up=False)
            return above | below
    raise AssertionError(expression)


@given(graphs(), expressions)
def test_a_text_means_what_a_plain_walk_says(drawn: dict[str, dict[str, Any]], expression: Any) -> None:
    functions, specs = [], []
    for name, about in drawn.items():
        kinds = {about["kind"]} if about["kind"] else None
        if about["made"]:

            def fn() -> None: ...

            functions.append(asset(name=name, deps=about["deps"], group_name=about["group"], kinds=kinds)(fn))
        else:
            specs.append((AssetSpec(name, deps=about["deps"], group_name=about["group"], kinds=kinds), None))
    graph = build_asset_graph(functions, specs)
    selection = AssetSelection.from_string(text_of(expression))
    assert selection.keys_in(graph) == meaning_of(expression, drawn)
    assert AssetSelection.from_string(str(selection)).keys_in(graph) == meaning_of(expression, drawn)
