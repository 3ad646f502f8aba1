"""With `require_token`, each route but those for all wants the token of an account, and the account's role counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from penstock.auth.accounts import new_account
from penstock.auth.api_tokens import new_token
from penstock.errors import StorageUnavailableError
from penstock.records.account import Role
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from penstock.web.app import WebApp, create_app

FOR_ALL = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/assets-static/{name:path}"),
    ("POST", "/storage/{part}/{method}"),
    ("POST", "/hooks/{location:path}/{sensor}"),
    ("GET", "/{rest:path}"),
}
REFUSED = "This server answers to those who show a token of an account"
DAY = 86_400.0
LAUNCH = """mutation ($params: ExecutionParams!) { launchRun(executionParams: $params) {
    __typename ... on LaunchRunSuccess { run { runId } } ... on Error { message } } }"""
PARAMS = {
    "selector": {"repositoryLocationName": "shop", "pipelineName": "nightly"},
    "runConfigData": {"ops": {"extract": {"config": {"rows": 1}}}},
    "executionMetadata": {"tags": [{"key": Tag.USER, "value": "somebody else"}]},
}
SWITCH = """mutation { setConcurrencyLimit(concurrencyKey: "db", limit: 1) }"""


class Guarded:
    """A server that wants to know who asks, and who may ask it."""

    def __init__(self, deployment: Any) -> None:
        self.storage = deployment.storage
        self.accounts = deployment.storage.accounts
        self.now = deployment.instance.clock.now()
        self.app = create_app(deployment.instance, deployment.catalog, mode="server", require_token=True)
        self.client = TestClient(self.app, base_url="http://127.0.0.1:3000")

    def account(self, name: str, role: Role = Role.VIEWER) -> str:
        """The token of a new account."""
        new_account(self.accounts, name, role, now=self.now)
        return new_token(self.accounts, name, now=self.now)[0]

    def bad_headers(self) -> dict[str, dict[str, str]]:
        """What lets nobody in, by what is wrong with it."""
        revoked, disabled, removed = (self.account(name, Role.ADMIN) for name in ("revoked", "disabled", "removed"))
        expired, _ = new_token(self.accounts, "revoked", days=1, now=self.now - DAY)
        self.accounts.revoke_token("revoked", self.accounts.tokens("revoked")[0].id, now=self.now)
        self.accounts.set_disabled("disabled", True)
        self.accounts.remove("removed")
        good = self.account("good", Role.ADMIN)
        shown = {
            "malformed": f"Bearer {good[:-1]}",
            "empty": "Bearer",
            "another scheme": f"Basic {good}",
            "no scheme": good,
            "expired": f"Bearer {expired}",
            "revoked": f"Bearer {revoked}",
            "disabled": f"Bearer {disabled}",
            "removed": f"Bearer {removed}",
        }
        return {"missing": {}, **{name: {"authorization": text} for name, text in shown.items()}}

    def ask(self, token: str, query: str, **variables: Any) -> Any:
        body = {"query": query, "variables": variables}
        answer = self.client.post("/graphql", json=body, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == 200
        return answer.json()


@pytest.fixture
def guarded(deployment: Any) -> Iterator[Guarded]:
    made = Guarded(deployment)
    with made.client:
        yield made


def each_route(app: WebApp) -> Iterator[tuple[str, str, str]]:
    """(method, the route's path, a path that leads there) of each route of the table."""
    for route in app.routes:
        path = re.sub(r"\{[^}]*\}", "x", route.path)
        for method in route.methods or ():
            yield method, route.path, path


def request(client: TestClient, method: str, path: str, headers: dict[str, str]) -> Any:
    # What is asked is wrong for every route, so that each answers at once: nothing lasts, nothing is changed.
    return client.request(method, path, headers=headers, json={"topics": ["x"]} if method == "POST" else None)


def test_each_route_but_those_for_all_wants_a_token_that_is_good(guarded: Guarded) -> None:
    bad = guarded.bad_headers()
    refusals, let_through = set(), set()
    for method, route, path in each_route(guarded.app):
        for what, headers in bad.items():
            answer = request(guarded.client, method, path, headers)
            refused = answer.headers.get("www-authenticate") == "Bearer" and not route.startswith("/hooks")
            if not refused:
                let_through.add((method, route))
                assert REFUSED not in answer.text
                continue
            assert (method, route) not in FOR_ALL, what
            assert answer.status_code == 401
            assert answer.headers["x-content-type-options"] == "nosniff"
            if method != "HEAD":
                refusals.add((answer.status_code, answer.text))
    assert {each for each in let_through if each[0] != "HEAD"} == FOR_ALL
    assert {("GET", route) for method, route in let_through if method == "HEAD"} <= FOR_ALL
    ((_, text),) = refusals
    assert text.startswith(REFUSED)


@pytest.mark.parametrize("role", list(Role))
def test_every_route_answers_to_a_token_that_is_good(guarded: Guarded, role: Role) -> None:
    headers = {"authorization": f"Bearer {guarded.account('ann', role)}"}
    for method, route, path in each_route(guarded.app):
        answer = request(guarded.client, method, path, headers)
        assert answer.status_code != 401 or route.startswith("/hooks"), route


@pytest.mark.parametrize("path", ["/graphql/", "//graphql", "/live/x/y", "/logs", "/%67raphql", "/storage/x"])
def test_no_other_spelling_of_an_address_is_answered_by_a_route_that_wants_a_token(guarded: Guarded, path: str) -> None:
    posted = request(guarded.client, "POST", path, {})
    assert posted.status_code == 401
    gotten = guarded.client.get(path + "?query={version}")
    assert gotten.status_code == 401 or "html" in gotten.headers["content-type"]


def test_the_role_of_the_account_counts_at_the_time_of_use(guarded: Guarded) -> None:
    token = guarded.account("ann", Role.VIEWER)
    assert "version" in guarded.ask(token, "{ version }")["data"]
    told = guarded.ask(token, LAUNCH, params=PARAMS)["data"]["launchRun"]
    assert told["__typename"] == "UnauthorizedError"
    assert told["message"].startswith("ann may not do this")
    assert guarded.storage.runs.page(RunFilter(), limit=10) == []
    guarded.accounts.set_role("ann", Role.LAUNCHER, location="bank")
    assert guarded.ask(token, LAUNCH, params=PARAMS)["data"]["launchRun"]["__typename"] == "UnauthorizedError"
    guarded.accounts.set_role("ann", Role.LAUNCHER, location="shop")
    assert guarded.ask(token, LAUNCH, params=PARAMS)["data"]["launchRun"]["__typename"] == "LaunchRunSuccess"
    assert "errors" in guarded.ask(token, SWITCH)
    guarded.accounts.set_role("ann", Role.ADMIN)
    assert guarded.ask(token, SWITCH)["data"] == {"setConcurrencyLimit": True}


def test_a_run_is_marked_with_who_asked_for_it_whatever_its_tags_say(guarded: Guarded) -> None:
    token = guarded.account("ann", Role.LAUNCHER)
    guarded.ask(token, LAUNCH, params=PARAMS)
    (run,) = guarded.storage.runs.page(RunFilter(), limit=10)
    assert run.tags[Tag.USER] == "ann"


def test_a_token_is_refused_at_the_request_after_it_was_revoked(guarded: Guarded) -> None:
    token = guarded.account("ann")
    assert guarded.ask(token, "{ version }")["data"]
    guarded.accounts.revoke_token("ann", guarded.accounts.tokens("ann")[0].id, now=guarded.now)
    assert guarded.client.get("/server_info", headers={"authorization": f"Bearer {token}"}).status_code == 401


def test_nobody_is_let_in_while_the_storage_is_away(guarded: Guarded, monkeypatch: pytest.MonkeyPatch) -> None:
    token = guarded.account("ann")

    def away(_digest: str) -> None:
        raise StorageUnavailableError("The database is away.")

    monkeypatch.setattr(guarded.accounts, "find", away)
    answer = guarded.client.get("/server_info", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.text) == (503, "The database is away.\n")


def test_without_the_option_nobody_has_to_show_anything(client: TestClient) -> None:
    for headers in ({}, {"authorization": "Bearer pst_nonsense"}):
        assert client.get("/server_info", headers=headers).status_code == 200
