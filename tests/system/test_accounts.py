"""A real web server that wants to know who asks: what it answers to whom, until a token is revoked."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.deployment import free_port

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

EVERYWHERE = "0.0.0.0"
LIVE = {"topics": ["runs"]}


class Server:
    """`penstock webserver` on every address of this machine."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.process = subprocess.Popen(
            self.command("webserver", "--require-token", "--host", EVERYWHERE, "--port", str(self.port)),
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert "is ready at" in self.process.stdout.readline()

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PENSTOCK_HOME": str(self.home)}

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "penstock.cli.main", *arguments]

    def account(self, *arguments: str) -> str:
        """What `penstock account` prints."""
        done = subprocess.run(
            self.command("account", *arguments), env=self.environment, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def ask(self, method: str, path: str, token: str | None = None, body: Any = None) -> tuple[int, bytes]:
        """The status and the first line of the answer."""
        headers = {"Host": "penstock.example.com", "Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(connection):
            connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
            with connection.getresponse() as answer:
                return answer.status, answer.readline()

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate(timeout=30)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "home")
    yield started
    started.stop()


def test_a_server_that_others_reach_answers_to_tokens_until_they_are_revoked(server: Server) -> None:
    query = {"query": "{ version }"}
    guarded = [("POST", "/graphql", query), ("POST", "/live", LIVE), ("GET", "/logs/a/b/stdout", None)]

    def statuses(token: str | None) -> list[int]:
        return [server.ask(method, path, token, body)[0] for method, path, body in guarded]

    assert server.ask("GET", "/healthz") == (200, b"ok\n")
    assert statuses(None) == [401, 401, 401]

    server.account("add", "ann")
    token = server.account("token", "create", "ann")
    assert statuses(token) == [200, 200, 404]
    assert b"version" in server.ask("POST", "/graphql", token, query)[1]
    assert server.ask("POST", "/live", token, LIVE)[1] == b"event: hello\n"

    server.account("token", "revoke", "ann", "1")
    assert statuses(token) == [401, 401, 401]


def test_a_server_that_others_reach_needs_accounts_or_a_word_that_it_does_not(tmp_path: Path) -> None:
    def refused(*options: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "penstock.cli.main", "webserver", "--host", EVERYWHERE, *options],
            env={**os.environ, "PENSTOCK_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        return done.stderr

    assert "Give --require-token, so that whoever asks must show a token" in refused()
    both = refused("--require-token", "--insecure-allow-anonymous")
    assert "say the opposite of each other; give one of them" in both
