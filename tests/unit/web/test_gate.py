"""What a foreign page could send through a browser is turned away before anything else sees it."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from penstock.web.app import WebApp

HOME = "http://127.0.0.1:3000"
QUERY = {"query": "{ version }"}


@pytest.mark.parametrize("host", ["127.0.0.1:3000", "localhost:3000", "LOCALHOST", "[::1]:3000"])
def test_our_own_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:3000", "localhost.evil.example", "[::2]"])
@pytest.mark.parametrize("path", ["/healthz", "/", "/graphql?query={version}"])
def test_a_foreign_name_that_points_here_is_not(client: TestClient, host: str, path: str) -> None:
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 421
    assert "does not answer under the name" in answer.text


@pytest.mark.parametrize("path", ["/graphql", "/live", "/live/some-id"])
def test_what_is_posted_must_be_json(client: TestClient, path: str) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert client.post(path, content="a=b", headers=form).status_code == 415
    assert client.post(path, content="{}", headers={"content-type": "text/plain"}).status_code == 415


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:8000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": HOME, "sec-fetch-site": "cross-site"},
    ],
)
@pytest.mark.parametrize("path", ["/graphql", "/live"])
def test_other_sites_cannot_post(client: TestClient, path: str, headers: dict[str, str]) -> None:
    assert client.post(path, json=QUERY, headers=headers).status_code == 403


def test_our_own_pages_and_plain_programs_can_post(client: TestClient) -> None:
    own = {"origin": HOME, "sec-fetch-site": "same-origin"}
    assert client.post("/graphql", json=QUERY, headers=own).status_code == 200
    assert client.post("/graphql", json=QUERY).status_code == 200


def test_a_link_on_another_site_may_lead_here(client: TestClient) -> None:
    headers = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert client.get("/healthz", headers=headers).status_code == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(client: TestClient, method: str) -> None:
    assert client.request(method, "/graphql").status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/", "/runs/1", "/healthz", "/server_info", "/graphql?query={version}", "/assets-static/none.js", "/logs/a/b/c"],
)
def test_every_answer_carries_the_security_headers(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert "cache-control" in headers
    assert "access-control-allow-origin" not in headers


def test_refusals_carry_them_too(client: TestClient) -> None:
    headers = client.post("/graphql", json=QUERY, headers={"origin": "https://evil.example"}).headers
    assert headers["x-content-type-options"] == "nosniff"


def test_there_are_no_web_sockets(client: TestClient) -> None:
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/graphql"):
        pytest.fail("a web socket was opened")


def test_any_name_is_answered_where_the_operator_says_so(app: WebApp) -> None:
    # The names are the gate's only setting; everything else holds as before.
    app._gate._names = None
    with TestClient(app, base_url="http://penstock.example") as client:
        assert client.get("/healthz").status_code == 200
        assert client.post("/graphql", json=QUERY, headers={"origin": "https://evil.example"}).status_code == 403
