"""What is known of a running step beside what its own context shows: for hooks, IO managers and libraries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..definitions.ops.op import OpDefinition
from .attempt_view import AttemptView
from .own_instance import opened

__all__ = ["StepExecutionContext"]


class StepExecutionContext(AttemptView):
    """A running step: what it is, what it is of, and what it may use."""

    __slots__ = ()

    @property
    def step_key(self) -> str:
        """The step's key in the run."""
        return self._attempt.key

    @property
    def run_tags(self) -> Mapping[str, str]:
        """The run's tags."""
        return self._attempt.run.tags

    @property
    def op_def(self) -> OpDefinition | None:
        """The op's definition."""
        return self._attempt.op

    @property
    def op_config(self) -> Any:
        """The op's config as plain values."""
        return self._attempt.config

    @property
    def previous_attempt_count(self) -> int:
        """How often the step was tried before."""
        return self._attempt.retry

    @property
    def instance(self) -> Any:
        """The instance that the run is of; where none was given, one in memory that ends with the execution."""
        return opened(self._attempt.instance)

    @property
    def resources(self) -> Any:
        """The resources that the op requires, by key as attributes."""
        return self._attempt.resources

    @property
    def required_resource_keys(self) -> frozenset[str]:
        """The resources that the op requires."""
        return frozenset() if self._attempt.op is None else self._attempt.op.required_resource_keys

    @property
    def selected_output_names(self) -> frozenset[str]:
        """The outputs that this run asks the step to give."""
        return frozenset(self._attempt.outputs)

    @property
    def has_partitions(self) -> bool:
        """Whether the run works on partitions."""
        return bool(self._attempt.partition_keys)

    @property
    def has_partition_key(self) -> bool:
        """Whether the run works on one partition."""
        return self._attempt.run.partition is not None

    @property
    def partition_key(self) -> str:
        """The one partition that the run works on."""
        keys = self._attempt.partition_keys
        if len(keys) != 1:
            raise self._attempt.fault(f"asks for the partition key, but the run works on {len(keys)} partitions.")
        return keys[0]

    def has_tag(self, key: str) -> bool:
        """Whether the run has this tag."""
        return self.get_tag(key) is not None

    def get_tag(self, key: str) -> str | None:
        """The value of a tag of the run, or None."""
        return self._attempt.run.tag(key)
