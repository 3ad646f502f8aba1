"""The execution plan: the steps of one run in an order that respects their dependencies.

The vocabulary of steps is that of `definitions/steps`; it is named here again for those who read plans.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from ..definitions.steps.model import (
    FromAsset,
    FromCollect,
    FromConfig,
    FromDefault,
    FromManager,
    FromMapped,
    FromOutput,
    FromOutputs,
    InputSource,
    OrderOnly,
    Step,
    StepInput,
    StepKind,
    StepOutput,
)

__all__ = [
    "ExecutionPlan",
    "FromAsset",
    "FromCollect",
    "FromConfig",
    "FromDefault",
    "FromManager",
    "FromMapped",
    "FromOutput",
    "FromOutputs",
    "InputSource",
    "OrderOnly",
    "Step",
    "StepInput",
    "StepKind",
    "StepOutput",
]


class ExecutionPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The steps of one run, by key, each after the steps that it depends on.

    `resources` are the keys of the resources that the steps use, IO managers included. `inherited` are steps that do
    not run, since an earlier run has stored their values; their inputs are those that say what they are mapped over.
    """

    job_name: str
    steps: Mapping[str, Step]
    resources: frozenset[str] = frozenset()
    inherited: Mapping[str, Step] = {}

    def step(self, key: str) -> Step:
        """A step of the plan, also one that is inherited."""
        return self.steps[key] if key in self.steps else self.inherited[key]

    def stores_loaded_by(self, step: Step) -> Iterator[tuple[str, str]]:
        """(step, IO manager key) of each output whose stored value a step loads."""
        for given in step.inputs:
            if isinstance(given.source, OrderOnly):
                continue
            for source in given.upstream():
                yield source.step, self.io_manager_of(source)

    def io_manager_of(self, source: FromOutput | FromMapped | FromCollect) -> str:
        """The key of the IO manager that stores an output."""
        return next(each.io_manager_key for each in self.step(source.step).outputs if each.name == source.output)
