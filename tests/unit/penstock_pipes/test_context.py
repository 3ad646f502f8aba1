"""What a script is told of its step, and what it reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from penstock_pipes import PipesContext, PipesError, PipesWarning, open_penstock_pipes

from .conftest import Open, Sent

NO_ASSETS = {"asset_keys": None, "code_version_by_asset_key": None, "provenance_by_asset_key": None}
NO_PARTITION = {"partition_key": None, "partition_key_range": None, "partition_time_window": None}


def test_a_script_is_told_of_its_step(opened: Open) -> None:
    with opened() as pipes:
        assert pipes.is_asset_step
        assert (pipes.asset_key, pipes.asset_keys) == ("shop/orders", ["shop/orders"])
        assert (pipes.code_version, pipes.code_version_by_asset_key) == ("3", {"shop/orders": "3"})
        assert (pipes.provenance, pipes.provenance_by_asset_key) == (None, {"shop/orders": None})
        assert pipes.is_partition_step
        assert pipes.partition_key == "2024-01-01"
        assert pipes.partition_key_range == {"start": "2024-01-01", "end": "2024-01-01"}
        window = pipes.partition_time_window
        assert window is not None
        assert window["end"] == "2024-01-02T00:00:00+00:00"
        assert (pipes.run_id, pipes.job_name, pipes.retry_number) == ("some-run", "nightly", 1)
        assert pipes.get_extra("limit") == 3
        assert pipes.extras == {"limit": 3}
        assert PipesContext.get() is pipes


@pytest.mark.parametrize(
    ("data", "ask", "told"),
    [
        (NO_ASSETS, lambda pipes: pipes.asset_key, "no assets"),
        (NO_ASSETS, lambda pipes: pipes.report_asset_materialization(), "no assets"),
        ({"asset_keys": ["a", "b"]}, lambda pipes: pipes.code_version, "2 assets: a, b"),
        ({"asset_keys": ["a", "b"]}, lambda pipes: pipes.report_asset_check("c", True), "needs an asset_key"),
        ({}, lambda pipes: pipes.report_asset_check("c", True, asset_key="x"), "'x'; those of the step are: shop/o"),
        ({}, lambda pipes: pipes.report_asset_check("c", True, severity="BAD"), "give WARN or ERROR"),
        (NO_PARTITION, lambda pipes: pipes.partition_key, "no partition"),
        (NO_PARTITION, lambda pipes: pipes.partition_time_window, "no partition"),
        ({"partition_key": None}, lambda pipes: pipes.partition_key, "use partition_key_range"),
        ({}, lambda pipes: pipes.get_extra("size"), "no extra 'size'; given are: 'limit'"),
        ({}, lambda pipes: pipes.report_custom_message(object()), "JSON"),
        ({}, lambda pipes: pipes.report_asset_materialization({"x": object()}), "'x' of .* is a object"),
        ({}, lambda pipes: pipes.report_asset_materialization({"x": [object()]}), "'x' of .* JSON"),
        ({}, lambda pipes: pipes.report_asset_materialization({"x": {"type": "odd", "raw_value": 1}}), "type 'odd'"),
        ({}, lambda pipes: pipes.report_asset_materialization({1: 1}), "labels are text"),
        ({}, lambda pipes: pipes.report_asset_materialization([]), "give a mapping"),
        ({}, lambda pipes: pipes.report_asset_materialization(data_version=3), "data_version"),
    ],
)
def test_what_does_not_fit_the_step_is_refused(
    opened: Open, sent: Sent, data: dict[str, Any], ask: Callable[[PipesContext], object], told: str
) -> None:
    with opened(**data) as pipes, pytest.raises(PipesError, match=told):
        ask(pipes)
    assert [each["method"] for each in sent()] == ["opened", "closed"]


def test_reports_are_messages(opened: Open, sent: Sent) -> None:
    with opened() as pipes:
        pipes.report_asset_materialization({"rows": 3, "note": {"type": "md", "raw_value": "*x*"}}, "v1")
        pipes.report_asset_check("complete", False, "WARN", {"missing": [1]})
        pipes.report_custom_message([1, {"a": None}])
        pipes.log_external_stream("spark", "hello", {"node": 1})
        with pytest.raises(PipesError, match="told of already"):
            pipes.report_asset_materialization()
    assert sent() == [
        {"__dagster_pipes_version": "0.1", "method": method, "params": params}
        for method, params in [
            ("opened", {"extras": {}}),
            (
                "report_asset_materialization",
                {
                    "asset_key": "shop/orders",
                    "data_version": "v1",
                    "metadata": {
                        "rows": {"type": "__infer__", "raw_value": 3},
                        "note": {"type": "md", "raw_value": "*x*"},
                    },
                },
            ),
            (
                "report_asset_check",
                {
                    "asset_key": "shop/orders",
                    "check_name": "complete",
                    "passed": False,
                    "metadata": {"missing": {"type": "__infer__", "raw_value": [1]}},
                    "severity": "WARN",
                },
            ),
            ("report_custom_message", {"payload": [1, {"a": None}]}),
            ("log_external_stream", {"stream": "spark", "text": "hello", "extras": {"node": 1}}),
            ("closed", {}),
        ]
    ]


def test_log_lines_carry_their_level_and_exception(opened: Open, sent: Sent) -> None:
    with opened() as pipes:
        pipes.log.debug("%d rows", 3)
        try:
            raise KeyError("x")
        except KeyError:
            pipes.log.exception("no luck")
    first, second = sent.of("log")
    assert first == {"message": "3 rows", "level": "DEBUG"}
    assert second["level"] == "ERROR"
    assert second["message"].splitlines()[-1] == "KeyError: 'x'"


def test_what_a_script_raises_is_told_with_its_causes(opened: Open, sent: Sent) -> None:
    def run() -> None:
        with opened():
            raise ValueError("no rows") from KeyError("k")

    with pytest.raises(ValueError, match="no rows"):
        run()
    (closed,) = sent.of("closed")
    raised = closed["exception"]
    assert (raised["name"], raised["message"]) == ("ValueError", "ValueError: no rows\n")
    assert "in run" in raised["stack"][0]
    assert raised["cause"]["name"] == "KeyError"
    assert raised["context"] is None


def test_after_the_end_nothing_can_be_reported_and_a_new_context_may_be_opened(opened: Open, sent: Sent) -> None:
    first = opened()
    assert opened() is first
    first.close()
    first.close()
    assert first.is_closed
    with pytest.raises(PipesError, match="after the context was closed"):
        first.report_custom_message(1)
    with opened() as second:
        assert second is not first
    assert [each["method"] for each in sent()] == ["opened", "closed"] * 2


def test_a_script_that_nobody_started_runs_too(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(PipesWarning, match="No orchestrator"):
        pipes = open_penstock_pipes()
    with pipes:
        pipes.report_asset_materialization({"rows": 1}, asset_key="any")
        pipes.report_asset_check("c", True)
        pipes.log.info("shown")
        assert not pipes.is_asset_step
        with pytest.raises(PipesError, match="no partition"):
            pipes.partition_key  # noqa: B018 - looking is the test
    PipesContext._instance = None
    assert "shown" in capsys.readouterr().err


def test_without_a_context_there_is_none() -> None:
    assert not PipesContext.is_initialized()
    with pytest.raises(PipesError, match="open_penstock_pipes"):
        PipesContext.get()
