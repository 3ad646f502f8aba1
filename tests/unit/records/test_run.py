"""What a run says of itself."""

from __future__ import annotations

import msgspec
import pytest

from penstock.records.keys import AssetCheckKey, AssetKey
from penstock.records.run import MAX_RUNTIME_SECONDS_TAG, Run, RunStatus, Tag

RUN = Run(run_id="r", location="shop", job="nightly")
QUESTIONS = ("is_finished", "is_success", "is_failure", "is_failure_or_canceled", "is_cancelable")


@pytest.mark.parametrize(
    ("status", "true"),
    [
        (RunStatus.NOT_STARTED, {"is_cancelable"}),
        (RunStatus.QUEUED, {"is_cancelable"}),
        (RunStatus.STARTING, {"is_cancelable"}),
        (RunStatus.STARTED, {"is_cancelable"}),
        (RunStatus.CANCELING, set()),
        (RunStatus.SUCCESS, {"is_finished", "is_success"}),
        (RunStatus.FAILURE, {"is_finished", "is_failure", "is_failure_or_canceled"}),
        (RunStatus.CANCELED, {"is_finished", "is_failure_or_canceled"}),
    ],
)
def test_a_run_says_where_it_stands(status: RunStatus, true: set[str]) -> None:
    run = msgspec.structs.replace(RUN, status=status)
    assert {name for name in QUESTIONS if getattr(run, name)} == true


def test_a_run_says_what_it_is_to_do() -> None:
    assert (RUN.job_name, RUN.asset_selection, RUN.asset_check_selection) == ("nightly", None, None)
    chosen = msgspec.structs.replace(RUN, assets=("a/b",), checks=("a/b:c",))
    assert chosen.asset_selection == frozenset({AssetKey(["a", "b"])})
    assert chosen.asset_check_selection == frozenset({AssetCheckKey(AssetKey(["a", "b"]), "c")})


def test_a_run_that_goes_on_from_a_failure_has_a_parent_and_steps() -> None:
    assert not RUN.is_resume_retry
    assert not msgspec.structs.replace(RUN, parent_run_id="p").is_resume_retry
    assert msgspec.structs.replace(RUN, parent_run_id="p", step_keys=("s",)).is_resume_retry


def test_the_tag_of_the_longest_time_is_the_one_that_the_daemon_reads() -> None:
    assert MAX_RUNTIME_SECONDS_TAG == Tag.MAX_RUNTIME
