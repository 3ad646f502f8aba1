"""What becomes of a run whose worker is lost."""

from __future__ import annotations

import pytest

from penstock.engine.loss import after_loss, resumes_allowed
from penstock.records.event import RunCanceled, RunEnqueued, RunFailure
from penstock.records.run import HERE, FailureReason, Run, RunStatus

KILLED = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="It was killed.")


def lost(lost_before: int = 0, allowed: int = 2, **fields: object) -> RunEnqueued | RunFailure | RunCanceled:
    given = {"run_id": "r", "location": "shop", "job": "nightly", "status": RunStatus.STARTED, **fields}
    run = Run(**given)  # type: ignore[arg-type]
    return after_loss(run, KILLED, lost_before=lost_before, allowed=allowed)


@pytest.mark.parametrize("status", [RunStatus.STARTING, RunStatus.STARTED])
def test_while_the_budget_lasts_the_run_goes_back_to_the_queue(status: RunStatus) -> None:
    for before in (0, 1):
        back = lost(before, status=status)
        assert isinstance(back, RunEnqueued)
        assert back.lost_worker
        assert back.reason == f"It was killed. Another worker goes on with the run ({before + 1} of 2 times)."


def test_when_it_is_used_up_the_run_fails_with_the_cause_and_says_so() -> None:
    failed = lost(2)
    assert isinstance(failed, RunFailure)
    assert failed.reason is FailureReason.UNEXPECTED_TERMINATION
    assert failed.message.startswith("It was killed. ")
    assert "number 3" in failed.message


def test_a_run_that_nobody_can_take_up_fails_as_it_was_told() -> None:
    assert lost(allowed=0) is KILLED
    assert lost(location=HERE) is KILLED


def test_a_run_that_is_asked_to_stop_ends() -> None:
    assert lost(status=RunStatus.CANCELING) is KILLED
    run = Run(run_id="r", location="shop", job="nightly", status=RunStatus.CANCELING)
    canceled = RunCanceled(message="enough")
    assert after_loss(run, canceled, lost_before=0, allowed=5) is canceled


@pytest.mark.parametrize(("value", "allowed"), [("0", 0), ("7", 7), ("", 3), ("-1", 3), ("many", 3), ("1.5", 3)])
def test_a_tag_of_the_run_comes_before_the_setting(value: str, allowed: int) -> None:
    assert resumes_allowed({"penstock/max_resume_run_attempts": value}, 3) == allowed
    assert resumes_allowed({}, 3) == 3
