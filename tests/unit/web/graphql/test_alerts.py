"""Alerts over the API: the rules as they were read, and what became of messages."""

from __future__ import annotations

from typing import Any

import msgspec

from penstock.instance.settings import (
    AlertRuleSettings,
    AlertSettings,
    AlertTarget,
    AlertWhereSettings,
    EmailTarget,
    SlackTarget,
)
from penstock.records.alert import Alert, DeliveryStatus, NewDelivery

NOW = 1_700_000_000.0
RULES = """{ instance { alerts { webUrl lateAfterSeconds stuckAfterSeconds
    rules { name when where { key value } targets { name kind recipients } throttleSeconds } } } }"""
DELIVERIES = """query ($status: AlertDeliveryStatus, $limit: Int, $cursor: String) { instance { alerts {
    deliveries(status: $status, limit: $limit, cursor: $cursor) { cursor
        results { id rule target kind title text path status attempts createdTimestamp dueTimestamp endedTimestamp
            error } } } } }"""


def _new(occurrence: str, throttle: float = 0.0) -> NewDelivery:
    alert = Alert(
        kind="run_failure",
        occurrence=occurrence,
        subject="job nightly",
        time=NOW,
        title=f"Run failed: {occurrence}",
        text="It failed.",
        path=f"/runs/{occurrence}",
    )
    return NewDelivery(rule="nightly runs", target="slack", alert=alert, throttle=throttle)


def test_rules_are_told_without_their_secrets(deployment: Any, ask: Any) -> None:
    rule = AlertRuleSettings(
        name="nightly runs",
        when=("run_failure", "run_late"),
        where=AlertWhereSettings(job="nightly*", tags={"team": "data"}),
        to=(
            AlertTarget(slack=SlackTarget(url="https://hooks.example.com/secret")),
            AlertTarget(email=EmailTarget(recipients=("a@example.com",), sender="p@example.com", host="mail")),
        ),
    )
    settings = AlertSettings(rules=(rule,), web_url="https://penstock.example.com")
    deployment.instance.settings = msgspec.structs.replace(deployment.instance.settings, alerts=settings)
    outcome = deployment.execute(RULES)
    assert "secret" not in str(outcome.body)
    assert outcome.body["data"]["instance"]["alerts"] == {
        "webUrl": "https://penstock.example.com",
        "lateAfterSeconds": 1800.0,
        "stuckAfterSeconds": 86400.0,
        "rules": [
            {
                "name": "nightly runs",
                "when": ["run_failure", "run_late"],
                "where": [{"key": "job", "value": "nightly*"}, {"key": "tag team", "value": "data"}],
                "targets": [
                    {"name": "slack", "kind": "slack", "recipients": []},
                    {"name": "email", "kind": "email", "recipients": ["a@example.com"]},
                ],
                "throttleSeconds": 300.0,
            }
        ],
    }


def test_messages_are_told_newest_first_and_page_by_page(deployment: Any, ask: Any) -> None:
    outbox = deployment.storage.outbox
    outbox.add([_new("1"), _new("2", throttle=60.0), _new("3")], now=NOW)
    (first, third) = outbox.claim(now=NOW, until=NOW + 60, limit=10)
    outbox.settle(first, DeliveryStatus.PENDING, now=NOW + 1, due=NOW + 5, error="HTTP 500")
    outbox.settle(third, DeliveryStatus.DELIVERED, now=NOW + 2, error=None)

    def page(**variables: Any) -> Any:
        return ask(DELIVERIES, **variables)["instance"]["alerts"]["deliveries"]

    newest = page(limit=2)
    assert [(each["title"], each["status"]) for each in newest["results"]] == [
        ("Run failed: 3", "DELIVERED"),
        ("Run failed: 2", "THROTTLED"),
    ]
    last = page(limit=2, cursor=newest["cursor"])
    assert last["cursor"] is None
    assert last["results"] == [
        {
            "id": str(first.id),
            "rule": "nightly runs",
            "target": "slack",
            "kind": "run_failure",
            "title": "Run failed: 1",
            "text": "It failed.",
            "path": "/runs/1",
            "status": "PENDING",
            "attempts": 1,
            "createdTimestamp": NOW,
            "dueTimestamp": NOW + 5,
            "endedTimestamp": None,
            "error": "HTTP 500",
        }
    ]
    assert page(status="DELIVERED")["results"] == newest["results"][:1]
    assert page(status="GIVEN_UP") == {"results": [], "cursor": None}


def test_a_cursor_that_no_page_gave_is_refused(deployment: Any) -> None:
    outcome = deployment.execute(DELIVERIES, cursor="newest")
    assert "cursor must be what an earlier page gave, and 'newest' is not" in str(outcome.body["errors"])
