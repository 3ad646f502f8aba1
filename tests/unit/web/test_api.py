"""The HTTP edge of GraphQL: what is not a request is told so, within limits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.errors import StorageError


def message(answer: Any) -> str:
    text: str = answer.json()["errors"][0]["message"]
    return text


def test_a_query_is_answered(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "query Q { version }", "operationName": "Q", "variables": None})
    assert answer.status_code == 200
    assert answer.json().keys() == {"data"}
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("body", ["", "nonsense", "[]", '{"query": 3}', '{"variables": {}}', '{"query": "{version}"'])
def test_a_body_that_is_no_request(client: TestClient, body: str) -> None:
    answer = client.post("/graphql", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert "The request is not" in message(answer)


def test_a_body_that_is_too_large(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "{ version }", "variables": {"x": "y" * (1 << 20)}})
    assert answer.status_code == 413


def test_a_body_that_is_too_large_and_does_not_say_so(client: TestClient) -> None:
    pieces = (b" " * 65536 for _ in range(20))
    answer = client.post("/graphql", content=pieces, headers={"content-type": "application/json"})
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("{ version", "Expected Name"),
        ("{ versoin }", "Did you mean 'version'"),
        ("query A { version } query B { version }", "2 operations ('A', 'B')"),
        ("fragment F on Query { version }", "F"),
        ("{ runOrError { __typename } }", "runId"),
        ("", "Unexpected"),
    ],
)
def test_a_query_that_cannot_be_begun(client: TestClient, query: str, told: str) -> None:
    answer = client.post("/graphql", json={"query": query})
    assert answer.status_code == 400
    assert told in message(answer)


def test_an_operation_that_the_query_does_not_have(client: TestClient) -> None:
    answer = client.post("/graphql", json={"query": "query A { version }", "operationName": "B"})
    assert answer.status_code == 400
    assert message(answer) == "The query has no operation 'B'; it has 'A'."


def test_variables_that_do_not_fit(client: TestClient) -> None:
    query = "query Q($id: ID!) { runOrError(runId: $id) { __typename } }"
    answer = client.post("/graphql", json={"query": query, "variables": {}})
    assert answer.status_code == 400
    assert "$id" in message(answer)


def test_a_query_in_the_address(client: TestClient) -> None:
    query = "query Q($id: ID!) { runOrError(runId: $id) { __typename } }"
    answer = client.get("/graphql", params={"query": query, "variables": '{"id": "x"}'})
    assert answer.json() == {"data": {"runOrError": {"__typename": "RunNotFoundError"}}}
    assert client.get("/graphql", params={"query": query, "variables": "x"}).status_code == 400


def test_reading_never_changes_anything(client: TestClient) -> None:
    answer = client.get("/graphql", params={"query": "mutation { reloadWorkspace { __typename } }"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"


def test_a_fault_of_ours_is_told_by_an_id_alone(
    client: TestClient, deployment: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise ValueError("secret detail")

    monkeypatch.setattr(deployment.instance, "storage", SimpleNamespace(**_parts(deployment.storage, search=broken)))
    answer = client.post("/graphql", json={"query": "{ runsOrError { __typename } }"})
    error = answer.json()["errors"][0]
    assert answer.status_code == 200
    assert "secret" not in answer.text
    assert error["extensions"]["id"] in error["message"]
    assert error["extensions"]["id"] in caplog.text
    assert "secret detail" in caplog.text


def test_a_database_that_is_away_is_an_answer(
    client: TestClient, deployment: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> Any:
        raise StorageError("The database is away.")

    monkeypatch.setattr(deployment.instance, "storage", SimpleNamespace(**_parts(deployment.storage, search=away)))
    query = "{ runsOrError { ... on PythonError { className message stack } } }"
    answer = client.post("/graphql", json={"query": query})
    told = {"className": "StorageError", "message": "The database is away.", "stack": []}
    assert answer.json() == {"data": {"runsOrError": told}}


def _parts(storage: Any, *, search: Any) -> dict[str, Any]:
    names = ("events", "assets", "backfills", "instigators", "leases", "locations", "notifier")
    return {**{name: getattr(storage, name) for name in names}, "runs": SimpleNamespace(search=search)}
