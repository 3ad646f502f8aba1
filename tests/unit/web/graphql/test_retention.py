"""What is kept, over the API: the daemon's last report, and runs whose events are gone."""

from __future__ import annotations

from typing import Any

from penstock.instance.retention import store_report
from penstock.records.event import RunCanceled
from penstock.records.retention import Kept, KindReport, RetentionKind, RetentionReport
from penstock.testing.storage_contract.builders import NOW, queued_run

RETENTION = """{ instance { retention { lookedTimestamp doneTimestamp
    kinds { kind rule rows oldestTimestamp bytes tooOld nextTimestamp removed } } } }"""
RUN = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { logKept } } }"


def test_nothing_is_told_before_the_first_look(ask: Any) -> None:
    assert ask(RETENTION) == {"instance": {"retention": None}}


def test_the_last_report_is_told(deployment: Any, ask: Any) -> None:
    kept = Kept(kind=RetentionKind.EVENTS, rows=3_000_000_000, oldest=NOW, aged_from=NOW + 5, bytes=1 << 40)
    kind = KindReport(kept=kept, rule="90 days", going=7, next=NOW + 9, removed=2)
    store_report(deployment.storage, RetentionReport(looked=NOW, kinds=(kind,)))
    assert ask(RETENTION)["instance"]["retention"] == {
        "lookedTimestamp": NOW,
        "doneTimestamp": None,
        "kinds": [
            {
                "kind": "events",
                "rule": "90 days",
                "rows": 3_000_000_000,
                "oldestTimestamp": NOW,
                "bytes": 1 << 40,
                "tooOld": 7,
                "nextTimestamp": NOW + 9,
                "removed": 2,
            }
        ],
    }


def test_a_run_says_whether_its_events_are_kept(deployment: Any, ask: Any) -> None:
    run = queued_run(deployment.storage)

    def is_kept() -> bool:
        found: bool = ask(RUN, id=run.run_id)["runOrError"]["logKept"]
        return found

    assert is_kept()
    deployment.storage.runs.record(run.run_id, [RunCanceled()], now=NOW)
    assert is_kept()
