"""Which executor runs the steps of a run, and with what settings: the job's executor and the run's config say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ..definitions.executors import ExecutorDefinition, default_executor
from ..engine.limits import TagLimit
from ..errors import DefinitionError

__all__ = ["ExecutorChoice", "choose_executor"]

_KNOWN = ("in_process", "multiprocess")


class ExecutorChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An executor: `in_process` or `multiprocess`, and how many steps it may run at once.

    Args:
        name: Which.
        max_concurrent: How many steps at once; None for as many as there are CPUs.
        tag_limits: How many steps with certain tags at once.
    """

    name: str
    max_concurrent: int | None = None
    tag_limits: tuple[TagLimit, ...] = ()


def choose_executor(executor: ExecutorDefinition | None, run_config: Mapping[str, Any]) -> ExecutorChoice:
    """The executor of a run.

    Args:
        executor: The job's; None for the default.
        run_config: The run's whole config, checked.

    Raises:
        DefinitionError: There is no such executor.
    """
    definition = executor or default_executor
    config = run_config.get("execution", {}).get("config") or {}
    name = definition.name
    if name == default_executor.name:
        name = next(iter(config), "multiprocess")
        config = config.get(name) or {}
    if name not in _KNOWN:
        raise DefinitionError(f"There is no executor {name!r}; use one of {' and '.join(_KNOWN)}.")
    return ExecutorChoice(
        name=name,
        max_concurrent=config.get("max_concurrent"),
        tag_limits=tuple(_tag_limit(each) for each in config.get("tag_concurrency_limits") or ()),
    )


def _tag_limit(entry: Mapping[str, Any]) -> TagLimit:
    """A limit as config writes it; a mapping as value, `{applyLimitPerUniqueValue: true}`, counts each value apart."""
    value = entry.get("value")
    per_value = isinstance(value, Mapping)
    return TagLimit(
        key=entry["key"],
        limit=entry["limit"],
        value=None if per_value or value is None else str(value),
        per_value=per_value,
    )
