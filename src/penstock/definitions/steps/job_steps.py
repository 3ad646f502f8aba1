"""The steps of a job, whatever it is made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from weakref import WeakKeyDictionary

from ...errors import DefinitionError
from ..ops.job import JobDefinition
from ..ops.value_type import on_register
from .asset_steps import asset_steps
from .graph_steps import graph_steps
from .model import Step

__all__ = ["job_steps"]

# Laid once: a run needs them for its plan and for its description, and runs that are forked find them at hand.
_whole: WeakKeyDictionary[JobDefinition, Mapping[str, Step]] = WeakKeyDictionary()
on_register.append(_whole.clear)


def job_steps(
    job: JobDefinition, assets: Collection[str] | None = None, checks: Collection[str] | None = None
) -> Mapping[str, Step]:
    """The steps of a job by key, each after those that it depends on.

    Args:
        job: The job.
        assets: Of a job of assets, those to make, in text form; all of the job if not given.
        checks: Likewise the checks to evaluate.

    Raises:
        DefinitionError: The job's parts do not fit together.
    """
    is_whole = job.asset_layer is None or (
        assets in (None, job.asset_layer.assets) and checks in (None, job.asset_layer.checks)
    )
    if not is_whole:
        return _lay(job, assets, checks)
    steps = _whole.get(job)
    if steps is None:
        steps = _whole[job] = _lay(job, None, None)
    return steps


def _lay(job: JobDefinition, assets: Collection[str] | None, checks: Collection[str] | None) -> dict[str, Step]:
    if job.graph is not None:
        return graph_steps(job, job.graph)
    if job.asset_layer is None:
        raise DefinitionError(f'Job "{job.name}" has neither a graph nor assets.')
    layer = job.asset_layer
    return asset_steps(
        job, layer.graph, layer.assets if assets is None else assets, layer.checks if checks is None else checks
    )
