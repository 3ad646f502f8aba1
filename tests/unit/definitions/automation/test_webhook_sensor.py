"""Sensors that other systems call, as definitions and with a context of a test's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from penstock import (
    Definitions,
    RunRequest,
    SensorResult,
    WebhookRequest,
    build_sensor_context,
    job,
    op,
    webhook_sensor,
)
from penstock.definitions.describe import describe
from penstock.errors import DefinitionError


@op
def work() -> None:
    pass


@job
def nightly() -> None:
    work()


@webhook_sensor(job=nightly, headers=["X-Kind"], timeout_seconds=5)
def orders(context: Any) -> Iterator[RunRequest]:
    for request in context.webhook_requests:
        yield RunRequest(tags={"number": str(request.json()["number"])})


def test_it_sees_the_requests_and_is_not_called_without() -> None:
    sent = [WebhookRequest(body=b'{"number": 1}'), WebhookRequest(body=b'{"number": 2}')]
    requested = orders.evaluate_tick(build_sensor_context(webhook_requests=sent))
    assert [request.tags for request in requested.run_requests] == [{"number": "1"}, {"number": "2"}]
    assert orders.evaluate_tick(build_sensor_context()).skip_reason == "No request has come."


def test_what_a_request_says() -> None:
    request = WebhookRequest(body=b"\xffa", content_type="text/plain", headers={"X-Kind": "new"}, key="k")
    assert (request.text(), request.headers["X-Kind"], request.key) == ("\ufffda", "new", "k")
    with pytest.raises(ValueError, match="JSON"):
        request.json()


def test_its_description() -> None:
    (described,) = describe(Definitions(jobs=[nightly], sensors=[orders]), "shop").sensors
    assert (described.kind, described.headers, described.interval) == ("WEBHOOK", ("X-Kind",), 0.0)
    assert (described.timeout, described.is_pushed) == (5.0, True)


def test_it_may_be_made_without_arguments() -> None:
    @webhook_sensor
    def plain(context: Any) -> SensorResult:
        return SensorResult(cursor=str(len(context.webhook_requests)))

    assert plain.evaluate_tick(build_sensor_context(webhook_requests=[WebhookRequest()])).cursor == "1"


@pytest.mark.parametrize(
    ("header", "says"), [("X Kind", "give names of headers"), ("Authorization", "has the sender's secret")]
)
def test_headers_that_cannot_be_kept(header: str, says: str) -> None:
    with pytest.raises(DefinitionError, match=says):

        @webhook_sensor(headers=[header])
        def refused(context: Any) -> None:
            pass


def test_a_limit_of_time_is_more_than_nothing() -> None:
    with pytest.raises(DefinitionError, match="timeout_seconds=0; give more than 0"):

        @webhook_sensor(timeout_seconds=0)
        def refused(context: Any) -> None:
            pass
