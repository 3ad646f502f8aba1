"""What is known of asset checks."""

from __future__ import annotations

from ...records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetMaterialization,
    Fact,
    RunCanceled,
    RunFailure,
    RunSuccess,
)
from ...records.run import FailureReason
from ...storage.protocols import Storage
from .builders import NOW, events_from, started_run

__all__ = ["CheckContract"]

_PLANNED = AssetCheckEvaluationPlanned(asset="orders", check="not_empty")


def _evaluation(*, passed: bool) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(asset="orders", check="not_empty", passed=passed)


class CheckContract:
    """The check half of `AssetStorage`."""

    def test_a_check_goes_from_announced_to_its_result(self, storage: Storage) -> None:
        run = started_run(storage, _PLANNED)
        state = storage.assets.check_states(["orders"])["orders:not_empty"]
        assert (state.asset, state.check, state.status, state.run_id) == (
            "orders",
            "not_empty",
            "IN_PROGRESS",
            run.run_id,
        )
        made = events_from(2, [AssetMaterialization(asset="orders")], at=NOW + 4)
        storage.events.append(run.run_id, 1, made, now=NOW + 4)
        result = _evaluation(passed=False)
        event = storage.events.append(run.run_id, 1, events_from(3, [result], at=NOW + 5), now=NOW + 5)
        state = storage.assets.check_states(["orders", "unknown"])["orders:not_empty"]
        assert (state.status, state.event, state.updated, state.evaluation) == ("FAILED", event, NOW + 5, result)
        assert state.asset_materialized_at == NOW + 4
        assert storage.assets.check_history("orders", "not_empty") == [state]
        (evaluated,) = storage.assets.history("orders", types=["ASSET_CHECK_EVALUATION"])
        assert (evaluated.id, evaluated.fact) == (event, result)

    def test_a_check_without_a_result_says_how_its_run_ended(self, storage: Storage) -> None:
        ends: dict[str, Fact] = {
            "EXECUTION_FAILED": RunFailure(reason=FailureReason.STEP_FAILURE, message="A step failed."),
            "SKIPPED": RunCanceled(),
        }
        for status, end in ends.items():
            run = started_run(storage, _PLANNED)
            storage.runs.record(run.run_id, [end], now=NOW + 8)
            state = storage.assets.check_states(["orders"])["orders:not_empty"]
            assert (state.status, state.run_id, state.updated, state.evaluation) == (status, run.run_id, NOW + 8, None)

    def test_a_result_that_nobody_announced_counts(self, storage: Storage) -> None:
        run = started_run(storage)
        facts: list[Fact] = [_evaluation(passed=True), RunSuccess()]
        storage.events.append(run.run_id, 1, events_from(2, facts), now=NOW + 5)
        assert storage.assets.check_states(["orders"])["orders:not_empty"].status == "SUCCEEDED"

    def test_the_latest_execution_is_shown_and_the_others_are_history(self, storage: Storage) -> None:
        runs = []
        for passed in (True, False, True):
            run = started_run(storage, _PLANNED)
            storage.events.append(run.run_id, 1, events_from(2, [_evaluation(passed=passed)]), now=NOW + 5)
            runs.append(run.run_id)
        assert storage.assets.check_states(["orders"])["orders:not_empty"].run_id == runs[-1]
        newest, middle = storage.assets.check_history("orders", "not_empty", limit=2)
        assert [newest.run_id, middle.run_id] == [runs[2], runs[1]]
        (oldest,) = storage.assets.check_history("orders", "not_empty", before=middle.event, limit=2)
        assert oldest.run_id == runs[0]
        assert storage.assets.check_history("orders", "unknown") == []

    def test_results_of_several_partitions_are_executions_of_their_own(self, storage: Storage) -> None:
        planned = [
            AssetCheckEvaluationPlanned(asset="daily", check="fresh", partition=partition) for partition in ("a", "b")
        ]
        run = started_run(storage, *planned)
        results = [
            AssetCheckEvaluation(asset="daily", check="fresh", passed=partition == "a", partition=partition)
            for partition in ("b", "a")
        ]
        storage.events.append(run.run_id, 1, events_from(2, results), now=NOW + 5)
        statuses = [state.status for state in storage.assets.check_history("daily", "fresh")]
        assert statuses == ["SUCCEEDED", "FAILED"]
