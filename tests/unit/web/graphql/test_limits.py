"""A query that asks for too much is refused from its text."""

from __future__ import annotations

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, parse

from penstock.web.graphql.execute import GraphQLRequest, run_request
from penstock.web.graphql.limits import excess, excess_width
from penstock.web.graphql.schema import load_api


def judge(query: str) -> str | None:
    document = parse(query)
    (operation,) = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    return excess(load_api().schema, document, operation)


def nested(levels: int) -> str:
    inner = "id"
    for _ in range(levels):
        inner = f"repository {{ jobs {{ {inner} }} }}"
    return f"{{ assetNodes {{ {inner} }} }}"


def test_an_ordinary_page_passes() -> None:
    assert judge("{ assetNodes { assetKey { path } repository { location { name } } latestInfo { status } } }") is None


def test_the_schema_may_be_asked_for_itself() -> None:
    assert judge(get_introspection_query()) is None


def test_lists_inside_lists_multiply() -> None:
    assert judge(nested(3)) is None
    refused = judge(nested(6))
    assert refused is not None
    assert "lists inside lists" in refused


def test_a_limit_counts_as_what_it_says() -> None:
    events = "eventConnection(limit: %s) { events { message level } }"
    query = f"{{ runsOrError(limit: 1000) {{ ... on Runs {{ results {{ {events} }} }} }} }}"
    assert judge(query % "1000") is None
    assert judge(query % "10000") is not None


def test_of_what_is_asked_of_several_types_the_dearest_counts() -> None:
    costly = "metadataEntries { label }"
    kinds = ["MaterializationEvent", "ObservationEvent", "HandledOutputEvent", "LoadedInputEvent"]
    asked = " ".join(f"... on {kind} {{ {costly} }}" for kind in kinds)
    query = "{ logsForRun(runId: %s, limit: %s) { ... on EventConnection { events { %s } } } }"
    assert judge(query % ('"a"', 400_000, asked)) is None
    again = f"... on MaterializationEvent {{ more: {costly} }}"
    assert judge(query % ('"a"', 400_000, f"{asked} {again}")) is not None


def test_depth() -> None:
    deep = "message"
    for _ in range(20):
        deep = f"cause {{ {deep} }}"
    refused = judge(f'{{ workspaceLocationEntryOrError(name: "a") {{ ... on PythonError {{ {deep} }} }} }}')
    assert refused is not None
    assert "levels deep" in refused


def test_a_fragment_counts_where_it_is_spread() -> None:
    spread = "fragment F on AssetNode { repository { jobs { repository { jobs { repository { jobs { id } } } } } } }"
    assert judge(f"{{ assetNodes {{ ...F }} }} {spread}") is None
    nested = "repository { jobs { repository { assetNodes { ...F } } } }"
    assert judge(f"{{ assetNodes {{ repository {{ assetNodes {{ {nested} }} }} }} }} {spread}") is not None


def test_many_aliases() -> None:
    assert excess_width(parse("{" + " ".join(f"a{n}: version" for n in range(30)) + "}")) is None
    refused = excess_width(parse("{" + " ".join(f"a{n}: version" for n in range(31)) + "}"))
    assert refused is not None
    assert "31 fields at its root" in refused


def test_many_fields_of_one_object() -> None:
    query = "{ assetNodes { ...F } } fragment F on AssetNode { repository { %s } }"
    assert excess_width(parse(query % ("id " * 150))) is None
    assert excess_width(parse(query % ("id " * 151))) is not None


@pytest.mark.parametrize("query", ["{" + "version " * 3000 + "}", "#" + "x" * 200_000 + "\n{ version }"])
def test_a_document_that_is_too_long(query: str) -> None:
    outcome = run_request(GraphQLRequest(query=query), None)  # type: ignore[arg-type]  # refused before it is used
    assert outcome.status == 400
