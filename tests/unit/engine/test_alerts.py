"""Rules say who is told of what; pauses between attempts grow; each kind has its text."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from penstock.engine import alert_texts
from penstock.engine.alerts import (
    MOST_ATTEMPTS,
    AlertRule,
    AlertWhere,
    deliveries,
    fields_of,
    next_attempt,
    target_names,
)
from penstock.records.alert import Alert, AlertKind
from penstock.records.automation import InstigatorKind, Tick, TickStatus, instigator_id
from penstock.records.errors import ErrorInfo
from penstock.records.event import AssetCheckEvaluation, RunFailure
from penstock.records.lease import ProcessInfo
from penstock.records.one_off import OneOff, OneOffStatus
from penstock.records.run import FailureReason, Run, RunStatus

NOW = 1_700_000_000.0
RUN = Run(run_id="r1", location="shop", job="nightly", tags={"team": "data", "day": "1"}, created=NOW - 7200)
ERROR = ErrorInfo(
    cls="StepExecutionError", message="The step broke.", cause=ErrorInfo(cls="ValueError", message="no rows")
)


def failed(run: Run = RUN) -> Alert:
    failure = RunFailure(reason=FailureReason.STEP_FAILURE, message="1 step failed.", error=ERROR)
    return alert_texts.run_failed(run, failure, event_id=7, time=NOW)


def rule(*kinds: AlertKind, **where: Any) -> AlertRule:
    return AlertRule(
        name="r", kinds=frozenset(kinds), where=AlertWhere(**where), targets=("slack", "email"), throttle=60.0
    )


def test_each_target_of_each_rule_that_fits_gets_a_message() -> None:
    found = deliveries([rule("run_failure", "run_late"), rule("run_late")], failed())
    assert [(each.rule, each.target, each.throttle) for each in found] == [("r", "slack", 60.0), ("r", "email", 60.0)]
    assert found[0].alert == failed()


@pytest.mark.parametrize(
    ("where", "fits"),
    [
        ({}, True),
        ({"job": "nightly"}, True),
        ({"job": "night*"}, True),
        ({"job": "hourly"}, False),
        ({"job": "Nightly"}, False),
        ({"location": "shop", "job": "nightly"}, True),
        ({"location": "other", "job": "nightly"}, False),
        ({"asset": "*"}, False),  # a run has no asset
        ({"tags": {"team": "data"}}, True),
        ({"tags": {"team": "ops"}}, False),
        ({"tags": {"team": "data", "owner": "me"}}, False),
    ],
)
def test_all_that_is_given_must_fit(where: dict[str, Any], fits: bool) -> None:
    assert bool(deliveries([rule("run_failure", **where)], failed())) == fits


def test_targets_of_one_kind_are_told_apart() -> None:
    assert target_names(["slack", "email", "slack", "slack"]) == ("slack", "email", "slack 2", "slack 3")
    assert target_names([]) == ()


def test_pauses_grow_until_the_message_is_given_up() -> None:
    pauses = [at - NOW for n in range(1, MOST_ATTEMPTS) if (at := next_attempt(n, NOW)) is not None]
    assert pauses[:4] == [1, 2, 4, 8]
    assert len(pauses) == MOST_ATTEMPTS - 1
    assert 3600 < sum(pauses) < 2 * 3600
    assert next_attempt(MOST_ATTEMPTS, NOW) is None
    assert next_attempt(MOST_ATTEMPTS + 1, NOW) is None  # its last sender died


CHECK = AssetCheckEvaluation(asset="raw/orders", check="no_nulls", passed=False, description="3 rows.", partition="p1")
TICK = Tick(
    id=4,
    instigator=instigator_id("a/b", InstigatorKind.SENSOR, "files"),
    due=NOW,
    started=NOW,
    ended=NOW + 1,
    status=TickStatus.FAILURE,
    error=ERROR,
)
DAEMON = ProcessInfo(id="d1", kind="daemon", host="h", pid=7, version="1", started=NOW, seen=NOW - 600)
ALERTS = {
    "run_failure": failed(),
    "run_late": alert_texts.run_late(RUN, now=NOW),
    "run_stuck": alert_texts.run_stuck(
        Run(run_id="r2", location="shop", job="nightly", status=RunStatus.STARTED, launched=NOW - 7200), now=NOW
    ),
    "tick_failure": alert_texts.tick_failed(TICK),
    "check_failed": alert_texts.check_failed(CHECK, RUN, event_id=9, time=NOW),
    "freshness_violated": alert_texts.freshness_violated("raw/orders", "shop", made_at=NOW - 7200, now=NOW),
    "daemon_lost": alert_texts.daemon_lost(DAEMON, now=NOW),
    "location_broken": alert_texts.location_broken("shop", ERROR, loaded_at=None, time=NOW),
}


def test_there_is_a_text_for_each_kind() -> None:
    assert ALERTS.keys() == set(get_args(AlertKind))
    for kind, alert in ALERTS.items():
        assert alert.kind == kind
        assert alert.path.startswith("/")
        assert not alert.path.startswith("//")
        assert alert.text.endswith(("." if kind != "tick_failure" else "no rows", "no rows", "3 rows."))


@pytest.mark.parametrize("kind", get_args(AlertKind))
def test_an_alert_has_what_rules_may_ask_of_its_kind(kind: AlertKind) -> None:
    alert = ALERTS[kind]
    tags = {"tags"} if alert.tags else set()
    has = {name for name in ("job", "location", "asset") if getattr(alert, name) is not None} | tags
    assert has | ({"tags"} if kind == "run_stuck" else set()) == fields_of(kind)


def test_texts_say_what_is_known() -> None:
    assert (ALERTS["run_failure"].title, ALERTS["run_failure"].text) == (
        "Run failed: nightly",
        "The run r1 of nightly in shop failed. 1 step failed. ValueError: no rows",
    )
    assert ALERTS["run_late"].text == "The run r1 of nightly in shop has waited for 2 h and has not begun."
    assert "was launched 2 h ago and has not ended; it is started." in ALERTS["run_stuck"].text
    assert ALERTS["check_failed"].text.startswith("The check no_nulls on raw/orders of the partition p1 did not pass")
    assert "not been heard of for 10 min" in ALERTS["daemon_lost"].text
    again = alert_texts.location_broken("shop", None, loaded_at=NOW, time=NOW)
    assert again.text.endswith("The code that was loaded before goes on being served.")


@pytest.mark.parametrize(
    ("status", "title"), [("MISSED", "One-off run missed: nightly"), ("FAILED", "One-off run failed: nightly")]
)
def test_a_one_off_run_that_came_to_nothing_says_when_it_was_due_and_why(status: str, title: str) -> None:
    one_off = OneOff(
        id=7, location="shop", job="nightly", due=0, until=9, status=OneOffStatus(status), ended=NOW, note="No daemon."
    )
    alert = alert_texts.one_off_failed(one_off)
    assert (alert.kind, alert.location, alert.time, alert.title) == ("tick_failure", "shop", NOW, title)
    assert (
        alert.text == "The run of nightly in shop that was asked for at 1970-01-01 00:00 UTC was not made. No daemon."
    )


def test_links_lead_to_the_pages() -> None:
    assert ALERTS["run_failure"].path == "/runs/r1"
    assert ALERTS["tick_failure"].path == "/locations/a%2Fb/sensors/files"
    assert ALERTS["check_failed"].path == "/assets/raw/orders"


def test_one_thing_has_one_name_however_often_it_is_found() -> None:
    assert ALERTS["run_late"].occurrence == alert_texts.run_late(RUN, now=NOW + 50).occurrence
    first, second = (alert_texts.freshness_violated("a", "shop", made_at=at, now=NOW) for at in (1.0, 2.0))
    assert first.occurrence != second.occurrence, "it was made since, and is too old again"
    assert first.subject == second.subject
