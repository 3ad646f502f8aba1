"""The built pages: filled, compressed, cached for good or not at all, and nothing else of the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from penstock.codec import decode_json
from penstock.version import __version__
from penstock.web.static import BuiltUi

INDEX = """<!doctype html><html><head>
<script type="application/json" id="bootstrap">{}</script>
<script type="module" src="./assets-static/index-abc.js"></script>
</head><body></body></html>"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    built = tmp_path / "static"
    (built / "assets-static" / "inner").mkdir(parents=True)
    (built / "index.html").write_text(INDEX)
    script = built / "assets-static" / "index-abc.js"
    script.write_text("plain")
    script.with_name("index-abc.js.br").write_bytes(b"as br")
    script.with_name("index-abc.js.gz").write_bytes(b"as gz")
    (built / "assets-static" / "inner" / "style-1.css").write_text("a {}")
    (built / ".vite").mkdir()
    (built / ".vite" / "manifest.json").write_text("{}")
    (tmp_path / "secret.js").write_text("secret")
    return built


@pytest.fixture
def client(folder: Path) -> Iterator[TestClient]:
    ui = BuiltUi(mode='dev"</script><script>', folder=folder)
    app = Starlette(routes=[Route("/assets-static/{name:path}", ui.file), Route("/{rest:path}", ui.page)])
    with TestClient(app) as opened:
        yield opened


@pytest.mark.parametrize("path", ["/", "/runs/some-run", "/assets/a/b?view=lineage", "/index.html"])
def test_every_other_address_is_the_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"


def test_the_page_carries_what_it_needs(client: TestClient) -> None:
    answer = client.get("/")
    text = answer.text.partition('id="bootstrap"')[2].partition(">")[2].partition("</script>")[0]
    facts = decode_json(text, dict[str, str])
    assert facts["version"] == __version__
    assert facts["mode"] == 'dev"</script><script>'
    policy = answer.headers["content-security-policy"]
    assert f"script-src 'self' 'nonce-{facts['nonce']}'" in policy
    assert "unsafe" not in policy
    assert client.get("/").text != answer.text  # a nonce is used once


def test_hashed_files_are_kept_for_good(client: TestClient) -> None:
    answer = client.get("/assets-static/index-abc.js", headers={"accept-encoding": "identity"})
    assert answer.text == "plain"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert "content-encoding" not in answer.headers
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert client.get("/assets-static/inner/style-1.css").headers["content-type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    ("accepted", "encoding", "size"), [("gzip, br;q=0.9", "br", 5), ("gzip", "gzip", 5), ("deflate", None, 5)]
)
def test_the_best_encoding_is_sent(client: TestClient, accepted: str, encoding: str | None, size: int) -> None:
    with client.stream("GET", "/assets-static/index-abc.js", headers={"accept-encoding": accepted}) as answer:
        assert answer.headers.get("content-encoding") == encoding
        assert answer.headers["vary"] == "accept-encoding"
        assert answer.headers["content-length"] == str(size)


@pytest.mark.parametrize(
    "path",
    [
        "/assets-static/none.js",
        "/assets-static/../index.html",
        "/assets-static/..%2f..%2fsecret.js",
        "/assets-static/%2e%2e/%2e%2e/secret.js",
        "/assets-static//etc/passwd",
        "/assets-static/index-abc.js.br",
        "/assets-static/../.vite/manifest.json",
        "/assets-static/",
    ],
)
def test_no_path_leads_out_of_the_build(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert "secret" not in answer.text
    assert answer.status_code == 404 or "<!doctype html>" in answer.text


def test_a_new_build_is_seen(client: TestClient, folder: Path) -> None:
    client.get("/")
    (folder / "index.html").write_text(INDEX.replace("abc", "def"))
    (folder / "assets-static" / "index-def.js").write_text("new")
    assert "index-def.js" in client.get("/").text
    assert client.get("/assets-static/index-def.js", headers={"accept-encoding": "identity"}).text == "new"


def test_without_a_build_the_page_says_how_to_make_one(client: TestClient, folder: Path) -> None:
    (folder / "index.html").unlink()
    answer = client.get("/")
    assert answer.status_code == 503
    assert "make ui" in answer.text
    assert client.get("/assets-static/index-abc.js").status_code == 404
