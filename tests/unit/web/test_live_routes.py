"""What is asked of live push is checked before a stream is opened."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from penstock.web.app import WebApp


@pytest.mark.parametrize("path", ["/live", "/live/stream-1"])
@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("{}", 400, "topics"),
        ("nonsense", 400, "topics"),
        ('{"topics": "runs"}', 400, "topics"),
        ('{"topics": ["everything"]}', 400, "no topic 'everything'"),
        ('{"topics": [' + ",".join(['"runs"'] * 201) + "]}", 400, "too many"),
        ('{"topics": ["' + "x" * 70_000 + '"]}', 413, "larger"),
    ],
)
def test_requests_that_are_none(client: TestClient, path: str, body: str, status: int, told: str) -> None:
    answer = client.post(path, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    assert told in answer.json()["error"]


def test_a_stream_that_is_not_there(client: TestClient) -> None:
    answer = client.post("/live/stream-1", json={"topics": ["runs"]})
    assert answer.status_code == 404
    assert "open a new one" in answer.json()["error"]


def test_topics_of_an_open_stream(client: TestClient, app: WebApp) -> None:
    portal = client.portal
    assert portal is not None
    stream = portal.call(app.hub.open, ["runs"])
    assert client.post(f"/live/{stream.id}", json={"topics": ["assets"]}).status_code == 204
    assert stream.topics == {"assets"}


def test_no_more_streams(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("penstock.web.live._MOST_STREAMS", 0)
    answer = client.post("/live", json={"topics": ["runs"]})
    assert answer.status_code == 503
