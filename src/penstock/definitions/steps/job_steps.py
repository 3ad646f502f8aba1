"""The steps of a job, whatever it is made of."""

from __future__ import annotations

from collections.abc import Collection

from ...errors import DefinitionError
from ..ops.job import JobDefinition
from .asset_steps import asset_steps
from .graph_steps import graph_steps
from .model import Step

__all__ = ["job_steps"]


def job_steps(
    job: JobDefinition, assets: Collection[str] | None = None, checks: Collection[str] | None = None
) -> dict[str, Step]:
    """The steps of a job by key, each after those that it depends on.

    Args:
        job: The job.
        assets: Of a job of assets, those to make, in text form; all of the job if not given.
        checks: Likewise the checks to evaluate.

    Raises:
        DefinitionError: The job's parts do not fit together.
    """
    if job.graph is not None:
        return graph_steps(job, job.graph)
    if job.asset_layer is None:
        raise DefinitionError(f'Job "{job.name}" has neither a graph nor assets.')
    layer = job.asset_layer
    return asset_steps(
        job, layer.graph, layer.assets if assets is None else assets, layer.checks if checks is None else checks
    )
