"""A job narrowed to some of its ops, as whoever runs it by hand asks for."""

from __future__ import annotations

from collections.abc import Sequence

from ..definitions.ops.job import JobDefinition
from ..definitions.steps.job_steps import job_steps
from ..definitions.steps.op_selection import select_ops

__all__ = ["narrowed"]


def narrowed(job: JobDefinition, op_selection: Sequence[str] | None) -> tuple[JobDefinition, Sequence[str] | None]:
    """The job with the selected ops alone, and the keys of its steps; None for all."""
    if not op_selection:
        return job, None
    if job.asset_layer is not None:
        return job, op_selection
    chosen = select_ops(job, op_selection)
    return chosen, list(job_steps(chosen))
