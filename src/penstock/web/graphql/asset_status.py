"""What a reader wants to know first of an asset, decided from its latest facts and the run at work on it."""

from __future__ import annotations

from enum import StrEnum

from ...records.asset import AssetState
from ...records.run import Run, RunStatus

__all__ = ["WAITING", "AssetStatus", "latest_run_id", "status_of"]

WAITING = frozenset({RunStatus.NOT_STARTED, RunStatus.QUEUED, RunStatus.STARTING})
"""A run in these has not begun its work."""


class AssetStatus(StrEnum):
    """Where an asset stands."""

    NEVER_MATERIALIZED = "NEVER_MATERIALIZED"
    MATERIALIZED = "MATERIALIZED"
    QUEUED = "QUEUED"
    MATERIALIZING = "MATERIALIZING"
    FAILED = "FAILED"
    EXTERNAL = "EXTERNAL"


def latest_run_id(state: AssetState | None) -> str | None:
    """The last run that had to do with the asset: the one that will make it, else the last that made it or failed."""
    if state is None:
        return None
    if state.planned_run is not None:
        return state.planned_run
    failed_last = (state.failed_at or 0.0) > (state.materialized_at or 0.0)
    return state.failed_run if failed_last else state.materialized_run


def status_of(state: AssetState | None, working: Run | None, *, executable: bool) -> AssetStatus:
    """The status: work under way first, then how the last attempt ended.

    Args:
        state: What is known of the asset; None when nothing is.
        working: The run that has announced to make it and has not done so yet, if there is one.
        executable: Whether a code location can make it.
    """
    if working is not None:
        return AssetStatus.QUEUED if working.status in WAITING else AssetStatus.MATERIALIZING
    if state is not None and state.failed_at is not None and state.failed_at >= (state.materialized_at or 0.0):
        return AssetStatus.FAILED
    if state is not None and state.materialized_at is not None:
        return AssetStatus.MATERIALIZED
    return AssetStatus.NEVER_MATERIALIZED if executable else AssetStatus.EXTERNAL
