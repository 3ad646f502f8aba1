"""A deployment with rules for alerts: what fails is told once to whom it concerns, whatever fails on the way there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from penstock.cli.instance import instance as instance_commands
from penstock.instance.alerts.post import outbox_of
from penstock.instance.instance import Instance
from penstock.records.alert import Delivery, DeliveryStatus
from penstock.records.event import Fact, RunFailure, RunStart, RunSuccess
from penstock.records.run import FailureReason, Run
from penstock.testing.storage_contract.builders import events_from, given_run
from support.receivers import MailServer, WebhookServer, mail_server, webhook_server

pytestmark = pytest.mark.system


@contextmanager
def daemon(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon at work, which is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "penstock.cli.main", "daemon"],
        env={**os.environ, "PENSTOCK_HOME": str(home)},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


@pytest.fixture
def webhook() -> Iterator[WebhookServer]:
    with webhook_server() as server:
        yield server


@pytest.fixture
def mails() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


def write_rules(home: Path, *rules: dict[str, Any]) -> None:
    home.mkdir(exist_ok=True)
    settings = {"alerts": {"web_url": "https://pens.example/", "rules": list(rules)}}
    (home / "penstock.yaml").write_text(yaml.safe_dump(settings))


def wait_for(instance: Instance, holds: Callable[[list[Delivery]], bool]) -> list[Delivery]:
    """The deliveries, once they are as is asked for; woken by what is published."""
    outbox = outbox_of(instance.storage)
    deadline = time.monotonic() + 40
    subscription = instance.storage.notifier.subscribe()
    try:
        while not holds(found := outbox.page()):
            assert time.monotonic() < deadline, found
            subscription.wait(0.1)
    finally:
        subscription.close()
    return found


def are(status: DeliveryStatus, number: int) -> Callable[[list[Delivery]], bool]:
    return lambda found: [each.status for each in found] == [status] * number


def ended(instance: Instance, *, fails: bool = True, **fields: Any) -> Run:
    """A run that has just ended."""
    now = instance.clock.now()
    run = given_run(instance.storage, created=now, **fields)
    (claimed,) = instance.storage.runs.claim([run.run_id], owner="test", until=now + 600, now=now)
    failure = RunFailure(reason=FailureReason.STEP_FAILURE, message="The step load failed.")
    fact: Fact = failure if fails else RunSuccess()
    events = events_from(1, [RunStart(pid=7), fact], at=now)
    instance.storage.events.append(run.run_id, claimed.attempt, events, now=now)
    return run


def until_watched(instance: Instance) -> None:
    """Wait until a daemon reads the event log for alerts."""
    deadline = time.monotonic() + 40
    subscription = instance.storage.notifier.subscribe()
    try:
        while instance.storage.locations.get_value("alerts/place") is None:
            assert time.monotonic() < deadline
            subscription.wait(0.05)
    finally:
        subscription.close()


def test_a_failed_run_is_told_to_each_target_once_though_it_refuses_at_first(
    home: Path, webhook: WebhookServer, mails: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEBHOOK_TOKEN", "Bearer s3cret")
    secret = {"Authorization": {"env": "WEBHOOK_TOKEN"}}
    write_rules(
        home,
        {
            "name": "nightly runs",
            "when": ["run_failure"],
            "where": {"job": "night*"},
            "to": [
                {"webhook": {"url": f"{webhook.url}/in", "headers": secret}},
                {
                    "email": {
                        "recipients": ["a@shop.example", "b@shop.example"],
                        "sender": "penstock@shop.example",
                        "host": "127.0.0.1",
                        "port": mails.port,
                        "security": "none",
                    }
                },
            ],
        },
    )
    webhook.statuses = [500, 503]
    mails.refusals = 1
    with daemon(home), Instance.open(home) as instance:
        until_watched(instance)
        ended(instance, job="hourly")
        ended(instance, fails=False)
        run = ended(instance, tags={"team": "data"})
        requests = [webhook.next(), webhook.next(), webhook.next()]
        mail = mails.next()
        found = wait_for(instance, are(DeliveryStatus.DELIVERED, 2))
        assert webhook.no_more()
    assert [each.status for each in requests] == [500, 503, 200]
    assert len({each.headers["Idempotency-Key"] for each in requests}) == 1
    assert {each.headers["Authorization"] for each in requests} == {"Bearer s3cret"}
    assert requests[0].path == "/in"
    assert requests[0].data == requests[2].data
    told = requests[2].data
    assert (told["kind"], told["run_id"], told["job"], told["tags"]) == (
        "run_failure",
        run.run_id,
        "nightly",
        {"team": "data"},
    )
    assert told["link"] == f"https://pens.example/runs/{run.run_id}"
    assert (mail["Subject"], mail["To"]) == ("Run failed: nightly", "a@shop.example, b@shop.example")
    assert "The step load failed." in mail.get_content()
    assert told["link"] in mail.get_content()
    assert sorted((each.target, each.attempts) for each in found) == [("email", 2), ("webhook", 3)]
    listed = CliRunner().invoke(instance_commands, ["alerts", "list", "--home", str(home)])
    assert "Run failed: nightly" in listed.output
    assert "s3cret" not in listed.output


def test_what_a_killed_daemon_has_decided_and_not_sent_is_sent_by_the_next_one(
    home: Path, webhook: WebhookServer
) -> None:
    rule = {"name": "all", "when": ["run_failure"], "to": [{"webhook": {"url": webhook.url}}]}
    write_rules(home, {**rule, "to": [{"webhook": {"url": "http://127.0.0.1:9"}}]})  # nobody is there
    with Instance.open(home) as instance:
        with daemon(home):
            until_watched(instance)
            run = ended(instance)
            wait_for(instance, lambda found: bool(found) and found[0].attempts > 0 and found[0].error is not None)
        write_rules(home, rule)
        with daemon(home):
            assert webhook.next().data["run_id"] == run.run_id
            (delivery,) = wait_for(instance, are(DeliveryStatus.DELIVERED, 1))
            assert webhook.no_more()
            assert delivery.error is None


def test_a_rule_is_tried_out(home: Path, webhook: WebhookServer) -> None:
    webhook.statuses = [200, 404]
    write_rules(
        home,
        {
            "name": "all",
            "when": ["daemon_lost"],
            "to": [{"slack": {"url": webhook.url}}, {"webhook": {"url": f"{webhook.url}/gone"}}],
        },
    )
    arguments = ["alerts", "test", "--home", str(home)]
    tried = CliRunner().invoke(instance_commands, [*arguments, "all"])
    assert (tried.exit_code, tried.output) == (
        1,
        "slack: sent.\nwebhook: not sent. It answered 404 Not Found: not now\n",
    )
    assert webhook.next().data == {
        "text": "*A sample of the rule all*\nSomebody tries out whether messages of this rule arrive. Nothing has "
        "failed.\n<https://pens.example/|Look at it>"
    }
    unknown = CliRunner().invoke(instance_commands, [*arguments, "al"])
    assert unknown.exit_code == 2
    assert 'did you mean "all"?' in unknown.output
