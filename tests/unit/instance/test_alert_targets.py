"""Targets of alerts that take the connection and then let us wait."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from penstock.engine.alert_texts import sample
from penstock.errors import DeliveryError
from penstock.instance.alerts import targets
from penstock.instance.settings import AlertTarget, EmailTarget, WebhookTarget
from penstock.records.alert import Delivery, DeliveryStatus

DELIVERY = Delivery(
    id=1,
    rule="all",
    target="webhook",
    status=DeliveryStatus.PENDING,
    attempts=1,
    created=0.0,
    due=0.0,
    ended=None,
    error=None,
    alert=sample("all", now=0.0),
)


@pytest.fixture
def mute() -> Iterator[int]:
    """The port of somebody who takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def webhook(port: int) -> AlertTarget:
    return AlertTarget(webhook=WebhookTarget(url=f"http://127.0.0.1:{port}/"))


def encrypted_webhook(port: int) -> AlertTarget:
    return AlertTarget(webhook=WebhookTarget(url=f"https://127.0.0.1:{port}/"))


def mail(port: int) -> AlertTarget:
    return AlertTarget(
        email=EmailTarget(recipients=("a@b",), sender="c@d", host="127.0.0.1", port=port, security="none")
    )


@pytest.mark.parametrize("target", [webhook, mail])
def test_the_whole_exchange_has_a_limit(
    mute: int, target: Callable[[int], AlertTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "LIMIT", 0.05)
    with pytest.raises(DeliveryError, match=r"within 0\.05 s"):
        targets.send(DELIVERY, target(mute), None)


@pytest.mark.parametrize("target", [webhook, encrypted_webhook, mail])
def test_each_wait_has_a_limit(
    mute: int, target: Callable[[int], AlertTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(targets, "TIMEOUT", 0.05)
    with pytest.raises(DeliveryError, match="timed out"):
        targets.send(DELIVERY, target(mute), None)
