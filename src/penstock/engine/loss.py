"""What becomes of a run whose worker is lost: it goes back to the queue while its budget lasts, or it ends."""

from __future__ import annotations

from collections.abc import Mapping

from ..records.event import RunCanceled, RunEnqueued, RunFailure
from ..records.run import HERE, Run, RunStatus, Tag

__all__ = ["DEFAULT_RESUMES", "after_loss", "resumes_allowed"]

DEFAULT_RESUMES = 3
"""How often a run goes on under a new worker, where neither a setting nor a tag says otherwise."""


def after_loss(
    run: Run, ending: RunFailure | RunCanceled, *, lost_before: int, allowed: int
) -> RunEnqueued | RunFailure | RunCanceled:
    """The fact to store about a run whose worker is gone and has recorded no end.

    Args:
        run: The run as it stands, not ended.
        ending: How it ends if it is not resumed.
        lost_before: How many of its workers were lost before: those of its `RunEnqueued` that say so.
        allowed: How often it may be resumed, where its tags do not say it.
    """
    if run.status is RunStatus.CANCELING or isinstance(ending, RunCanceled):
        return ending
    allowed = resumes_allowed(run.tags, allowed)
    if run.location == HERE or not allowed:
        return ending
    if lost_before >= allowed:
        used_up = f"{ending.message} It was the run's worker number {lost_before + 1}, and no other one is started."
        return RunFailure(reason=ending.reason, message=used_up, error=ending.error)
    return RunEnqueued(
        reason=f"{ending.message} Another worker goes on with the run ({lost_before + 1} of {allowed} times).",
        lost_worker=True,
    )


def resumes_allowed(tags: Mapping[str, str], default: int) -> int:
    """How often a run with these tags may be resumed; a tag that is not a whole number from 0 on says nothing (none is
    launched with such a one)."""
    given = tags.get(Tag.MAX_RESUMES, "")
    return int(given) if given.isascii() and given.isdigit() else default
