"""A run's config ready for use: checked with all mistakes at once, environment variables filled in, typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from ..config.check import check
from ..config.env import resolve
from ..config.problems import Checked, Problem
from ..config.schema import Field, Shape
from ..definitions.ops.job import JobDefinition
from ..definitions.resources.resource import ResourceDefinition
from ..definitions.run_config import needed_resources, run_config_schema
from ..plan.config import narrow_schema
from ..plan.model import ExecutionPlan, Step

__all__ = ["Configuration", "configure", "resource_configs"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The config of one run.

    Args:
        values: The whole config as plain values.
        ops: By the path of an op's entry, its config as plain values.
        typed: By the path of an op's entry, its config as the op's function takes it.
        resources: By key, a resource's config.
    """

    values: Mapping[str, Any] = {}
    ops: Mapping[tuple[str, ...], Any] = {}
    typed: Mapping[tuple[str, ...], Any] = {}
    resources: Mapping[str, Any] = {}

    def entry(self, path: tuple[str, ...]) -> Mapping[str, Any]:
        """The entry of an op at `path`: its `config`, `inputs` and `outputs`; empty where nothing is given."""
        entry: Any = self.values
        for key in path:
            entry = entry.get(key)
            if entry is None:
                return {}
        found: Mapping[str, Any] = entry
        return found


def configure(plan: ExecutionPlan, job: JobDefinition, run_config: Mapping[str, Any]) -> Configuration:
    """The config of a run of this plan.

    Args:
        plan: The steps that run; what belongs to others need not be given, and is not built.
        job: The job.
        run_config: What was launched with.

    Raises:
        InvalidRunConfigError: It has mistakes; the error holds all of them.
    """
    subject, root = f'The run config of job "{job.name}"', "the run config"
    used = needed_resources(plan.resources, job.resource_defs)
    schema = narrow_schema(run_config_schema(job), plan.steps, used)
    values = check(schema, run_config, root=root).unwrap(subject)
    values = resolve(schema, values, os.environ, root=root).unwrap(subject)
    ops: dict[tuple[str, ...], Any] = {}
    typed: dict[tuple[str, ...], Any] = {}
    problems: list[Problem] = []
    whole = Configuration(values=values)
    for step in plan.steps.values():
        path = step.config_path
        if path in ops or step.op.config_field is None:
            continue
        given = whole.entry(path).get("config")
        ops[path] = given
        checked = _build(step, {} if given is None else given)
        typed[path] = checked.value
        problems += checked.problems
    Checked(value=None, problems=tuple(problems)).unwrap(subject)
    resources = {key: entry.get("config") for key, entry in values.get("resources", {}).items()}
    return Configuration(values=values, ops=ops, typed=typed, resources=resources)


def resource_configs(definitions: Mapping[str, ResourceDefinition], given: Mapping[str, Any]) -> dict[str, Any]:
    """By key, the checked config of resources that are set up outside of a run.

    Args:
        definitions: The resources.
        given: By key, the entry of a run config: a mapping with `config`.

    Raises:
        InvalidRunConfigError: There are mistakes; the error holds all of them.
    """
    fields = {}
    for key, definition in definitions.items():
        field = definition.config_field
        entry = {} if field is None else {"config": field}
        fields[key] = Field(type=Shape(fields=entry), required=False, default={})
    schema = Shape(fields=fields)
    values = check(schema, given, root="the resource config").unwrap("The resource config")
    values = resolve(schema, values, os.environ).unwrap("The resource config")
    return {key: entry.get("config") for key, entry in values.items()}


def _build(step: Step, given: Any) -> Checked:
    """An op's config as its function takes it."""
    config_class = step.op.config_class
    if config_class is None:
        return Checked(value=given)
    from ..config.model import build

    return build(config_class, given, path=(*step.config_path, "config"))
