"""What a worker's exit means for its run."""

from __future__ import annotations

import pytest

from penstock.locations.endings import describe_exit, ending_of
from penstock.records.errors import ErrorInfo
from penstock.records.event import RunCanceled, RunFailure
from penstock.records.run import ACTIVE, TRANSITIONS, FailureReason, RunStatus


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (-9, ("signal 9", "SIGKILL", "memory")),
        (-11, ("signal 11", "SIGSEGV")),
        (137, ("137", "SIGKILL", "memory")),
        (0, ("exit code 0", "without recording")),
        (3, ("exit code 3",)),
        (200, ("exit code 200",)),
        (None, ("not known",)),
    ],
)
def test_exits_are_named(code: int | None, words: tuple[str, ...]) -> None:
    text = describe_exit(code)
    assert all(word in text for word in words), text


def test_only_killed_processes_are_suspected_of_memory() -> None:
    assert "memory" not in describe_exit(-15)


@pytest.mark.parametrize("status", sorted(ACTIVE))
@pytest.mark.parametrize("code", [-9, 0, 1, None])
def test_every_active_state_has_an_ending_that_its_table_allows(status: RunStatus, code: int | None) -> None:
    fact = ending_of(status, code=code)
    assert (status, fact.__struct_config__.tag) in TRANSITIONS


def test_a_canceled_run_is_canceled_however_its_worker_ended() -> None:
    assert isinstance(ending_of(RunStatus.CANCELING, code=-9, server_stopped=True), RunCanceled)


def test_the_workers_own_error_is_kept() -> None:
    error = ErrorInfo(cls="StorageError", message="the disk is full")
    fact = ending_of(RunStatus.STARTING, code=70, error=error)
    assert isinstance(fact, RunFailure)
    assert (fact.reason, fact.error) == (FailureReason.RUN_EXCEPTION, error)


def test_a_stopped_server_says_so() -> None:
    fact = ending_of(RunStatus.STARTED, code=-9, server_stopped=True)
    assert isinstance(fact, RunFailure)
    assert "code server was stopped" in fact.message
