"""Requests of other systems: who is let in, what is refused and why, and that nothing is acknowledged unstored."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from penstock.auth.permissions import Actor, Role
from penstock.auth.webhook_tokens import new_token
from penstock.clock import SystemClock
from penstock.errors import StorageUnavailableError
from penstock.records.location import SensorDescription
from penstock.storage.sqlite.inbox import SqliteInbox
from penstock.web.webhooks import LARGEST_BODY

from .conftest import shop

SENSOR = "shop/sensor/orders"
PATH = "/hooks/shop/orders"


@pytest.fixture
def token(deployment: Any) -> str:
    """A token of a webhook sensor of the shop."""
    sensor = SensorDescription(name="orders", kind="WEBHOOK", jobs=("nightly",), headers=("X-Kind",))
    described = shop()
    deployment.put(msgspec.structs.replace(described, sensors=(*described.sensors, sensor)))
    text, _ = new_token(deployment.storage.inbox, SENSOR, now=1000.0)
    return text


def bearer(token: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}", **headers}


def test_a_request_is_stored_and_then_acknowledged(client: TestClient, deployment: Any, token: str) -> None:
    headers = bearer(token, **{"x-kind": "new", "x-other": "secret", "content-type": "application/json"})
    answer = client.post(PATH, content=b'{"a": 1}', headers=headers)
    assert answer.status_code == 202
    (stored,) = deployment.storage.inbox.first(SENSOR, limit=10, most_bytes=1000)
    assert answer.json() == {"id": stored.id, "repeated": False}
    assert (stored.json(), stored.text(), stored.content_type) == ({"a": 1}, '{"a": 1}', "application/json")
    assert stored.headers == {"X-Kind": "new"}


def test_a_key_makes_a_request_once(client: TestClient, deployment: Any, token: str) -> None:
    headers = bearer(token, **{"idempotency-key": "k"})
    first = client.post(PATH, content=b"a", headers=headers).json()
    assert client.post(PATH, content=b"a", headers=headers).json() == {"id": first["id"], "repeated": True}
    other = client.post(PATH, content=b"b", headers=headers)
    assert other.status_code == 422
    assert "another body" in other.json()["error"]
    assert deployment.storage.inbox.pending(SENSOR) == 1
    for bad in ("", "x" * 201):
        assert client.post(PATH, content=b"a", headers=bearer(token, **{"idempotency-key": bad})).status_code == 400


def test_a_token_may_be_the_password_of_basic_authentication(client: TestClient, token: str) -> None:
    basic = base64.b64encode(f"anybody:{token}".encode()).decode()
    assert client.post(PATH, content=b"a", headers={"authorization": f"Basic {basic}"}).status_code == 202
    for wrong in ("Basic !", "Basic /w==", "Digest abc", ""):
        assert client.post(PATH, content=b"a", headers={"authorization": wrong}).status_code == 401


def test_what_is_not_there_and_what_is_not_let_in_are_told_alike(client: TestClient, token: str) -> None:
    answers = [
        client.post(PATH, content=b"a"),
        client.post(PATH, content=b"a", headers=bearer("pswh_wrong")),
        client.post("/hooks/shop/none", content=b"a", headers=bearer(token)),
        client.post("/hooks/shop/new_files", content=b"a", headers=bearer(token)),
        client.post("/hooks/nowhere/orders", content=b"a", headers=bearer(token)),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


def test_a_body_has_a_limit_whatever_it_announces(client: TestClient, deployment: Any, token: str) -> None:
    at_most = client.post(PATH, content=b"x" * LARGEST_BODY, headers=bearer(token))
    assert at_most.status_code == 202
    assert client.post(PATH, content=b"x" * (LARGEST_BODY + 1), headers=bearer(token)).status_code == 413

    def pieces() -> Any:
        for _ in range(5):
            yield b"x" * (LARGEST_BODY // 4)

    assert client.post(PATH, content=pieces(), headers=bearer(token)).status_code == 413
    assert deployment.storage.inbox.pending(SENSOR) == 1


def test_too_many_requests_are_turned_away_until_later(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SystemClock, "monotonic", lambda _clock: 1.0)  # no time passes, however busy the machine is
    monkeypatch.setattr(SqliteInbox, "receive", lambda *_args, **_options: None)
    full = client.post(PATH, content=b"a", headers=bearer(token))
    assert (full.status_code, full.headers["retry-after"]) == (429, "30")
    statuses = {client.post(PATH, content=b"a", headers=bearer(token)).headers["retry-after"] for _ in range(250)}
    assert statuses == {"30", "1"}


def test_what_is_not_stored_is_not_acknowledged(
    client: TestClient, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: Any, **_options: Any) -> None:
        raise StorageUnavailableError("The database does not answer.")

    monkeypatch.setattr(SqliteInbox, "receive", away)
    answer = client.post(PATH, content=b"a", headers=bearer(token))
    assert (answer.status_code, answer.json()["error"]) == (503, "The database does not answer.")


def test_the_gate_knows_the_route_and_nothing_that_looks_like_it(client: TestClient, token: str) -> None:
    foreign = bearer(token, origin="https://evil.example", **{"content-type": "text/plain"})
    assert client.post(PATH, content=b"a", headers=foreign).status_code == 202
    assert client.post("/graphql?x=/hooks/shop/orders", content=b"a", headers=foreign).status_code == 415
    assert client.post("/hooks/shop", content=b"a", headers=foreign).status_code in (404, 405, 415)
    assert client.post(PATH, content=b"a", headers={**foreign, "host": "evil.example"}).status_code == 421
    assert client.get(PATH, headers=foreign).status_code != 202


ASK = '{repositoryLocationName: "shop", sensorName: "orders"}'


def test_tokens_and_requests_over_graphql(client: TestClient, deployment: Any, token: str) -> None:
    client.post(PATH, content=b"abc", headers=bearer(token, **{"idempotency-key": "k"}))
    made = deployment.ask(
        f"mutation {{ a: createWebhookToken(sensorSelector: {ASK}) {{ ... on WebhookTokenCreated "
        "{ text token { id hint created } } } }"
    )["a"]
    assert made["text"].endswith(made["token"]["hint"])
    assert client.post(PATH, content=b"a", headers=bearer(made["text"])).status_code == 202
    told = deployment.ask(
        f"{{ a: sensorOrError(sensorSelector: {ASK}) {{ ... on Sensor {{ sensorType onEvents webhook {{ path headers "
        "pending tokens { id hint } requests { id status size idempotencyKey failedAttempts tickId ended } } } } }"
    )["a"]
    assert (told["sensorType"], told["onEvents"]) == ("WEBHOOK", True)
    webhook = told["webhook"]
    assert (webhook["path"], webhook["headers"], webhook["pending"]) == (PATH, ["X-Kind"], 2)
    assert [each["id"] for each in webhook["tokens"]] == [1, made["token"]["id"]]
    assert webhook["requests"][-1] == {
        "id": "1",
        "status": "PENDING",
        "size": 3,
        "idempotencyKey": "k",
        "failedAttempts": 0,
        "tickId": None,
        "ended": None,
    }
    revoke = (
        f"mutation {{ a: revokeWebhookToken(sensorSelector: {ASK}, tokenId: 1) "
        "{ ... on WebhookTokenRevoked { revoked } } }"
    )
    assert [deployment.ask(revoke)["a"]["revoked"] for _ in range(2)] == [True, False]
    assert client.post(PATH, content=b"a", headers=bearer(token)).status_code == 401


def test_who_may_make_tokens_and_for_what(deployment: Any, token: str) -> None:
    del token
    mutation = (
        f"mutation {{ a: createWebhookToken(sensorSelector: {ASK}) {{ __typename ... on Error {{ message }} }} }}"
    )
    viewer = deployment.execute(mutation, actor=Actor(roles={None: Role.LAUNCHER})).body["data"]["a"]
    assert viewer["__typename"] == "UnauthorizedError"
    other = deployment.ask(mutation.replace("orders", "new_files"))["a"]
    assert other["__typename"] == "PythonError"
    assert "@webhook_sensor" in other["message"]
    plain = "{ a: sensorOrError(sensorSelector: %s) { ... on Sensor { webhook { path } } } }"
    assert deployment.ask(plain % ASK.replace("orders", "new_files"))["a"] == {"webhook": None}
