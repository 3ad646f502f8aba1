"""A run's config ready for use: checked with all mistakes at once, environment variables filled in, typed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import msgspec

from ..config.check import check
from ..config.env import resolve
from ..config.problems import Checked, Problem
from ..config.run_config import RunConfig, plain_run_config
from ..config.schema import Field, Shape
from ..definitions.ops.job import JobDefinition
from ..definitions.ops.type_loader import input_form
from ..definitions.resources.resource import ResourceDefinition
from ..definitions.run_config import execution_field, needed_resources
from ..plan.build import build_plan
from ..plan.model import ExecutionPlan, FromConfig
from .mapped_config import full_run_config

__all__ = ["Configuration", "configure", "resource_configs", "validate_run_config"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The config of one run.

    Args:
        values: The whole config as plain values; `{env: NAME}` stands as it was given but in `execution`.
        ops: By the path of an op's entry, its config as plain values.
        typed: By the path of an op's entry, its config as the op's function takes it.
        resources: By key, a resource's config.
        inputs: By path, what is given for inputs that nothing else feeds.
    """

    values: Mapping[str, Any] = {}
    ops: Mapping[tuple[str, ...], Any] = {}
    typed: Mapping[tuple[str, ...], Any] = {}
    resources: Mapping[str, Any] = {}
    inputs: Mapping[tuple[str, ...], Any] = {}


def configure(plan: ExecutionPlan, job: JobDefinition, run_config: Mapping[str, Any]) -> Configuration:
    """The config of a run of this plan.

    Args:
        plan: The steps that run; what belongs to others need not be given, and is not built.
        job: The job.
        run_config: What was launched with.

    Raises:
        InvalidRunConfigError: It has mistakes; the error holds all of them.
        ConfigMappingError: A config mapping of the user's raised.
    """
    full, root = full_run_config(plan, job, run_config), "the run config"
    problems: list[Problem] = [*full.problems]
    ops: dict[tuple[str, ...], Any] = {}
    typed: dict[tuple[str, ...], Any] = {}
    inputs: dict[tuple[str, ...], Any] = {}
    for step in plan.steps.values():
        path, declared = step.config_path, step.op.declared_config
        place = (*path, "config")
        if path not in ops and declared is not None and full.is_sound(place, declared.field):
            finished = declared.finish(full.at(place), os.environ, path=place, root=root)
            ops[path], typed[path] = finished.value, finished.typed
            problems += finished.problems
        for each in step.inputs:
            if not isinstance(each.source, FromConfig) or each.source.path in inputs:
                continue
            place = each.source.path
            form = input_form(each.definition.python_type).config
            if full.is_sound(place, form.field):
                finished = form.finish(full.at(place), os.environ, path=place, root=root)
                inputs[place] = finished.typed
                problems += finished.problems
    resources: dict[str, Any] = {}
    for key in needed_resources(plan.resources, job.resource_defs):
        definition = job.resource_defs.get(key)
        if definition is not None and full.is_sound(("resources", key, "config"), definition.config_field):
            resources[key], wrong = _finish_resource(key, definition, full.at(("resources", key)), root)
            problems += wrong
    execution: Any = {}
    field = execution_field(job)
    if full.is_sound(("execution",), field):
        resolved = resolve(field.type, full.at(("execution",)), os.environ, path=("execution",), root=root)
        execution = resolved.value
        problems += resolved.problems
    Checked(value=None, problems=tuple(problems)).unwrap(full.subject)
    values = full.values | {"execution": execution}
    return Configuration(values=values, ops=ops, typed=typed, resources=resources, inputs=inputs)


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
    root = "the resource config"
    values = check(Shape(fields=fields), given, root=root).unwrap("The resource config")
    configs: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, definition in definitions.items():
        configs[key], wrong = _finish_resource(key, definition, values[key], root)
        problems += wrong
    Checked(value=None, problems=tuple(problems)).unwrap("The resource config")
    return configs


def _finish_resource(
    key: str, definition: ResourceDefinition, entry: Any, root: str
) -> tuple[Any, tuple[Problem, ...]]:
    """A resource's config as it gets it, from its checked entry; and what is wrong with it."""
    declared = definition.declared_config
    if declared is None:
        return None, ()
    given = (entry or {}).get("config")
    finished = declared.finish(given, os.environ, path=("resources", key, "config"), root=root)
    return finished.value, finished.problems


def validate_run_config(
    job_def: JobDefinition, run_config: Mapping[str, Any] | RunConfig | None = None
) -> dict[str, Any]:
    """Check a run config as a run of the job would, without running it; gives it in full, defaults filled in.

    Args:
        job_def: The job.
        run_config: The config; the job's own if not given.

    Raises:
        InvalidRunConfigError: It has mistakes; the error holds all of them.
    """
    given = plain_run_config(run_config, "validate_run_config") or job_def.default_config
    return dict(configure(build_plan(job_def), job_def, given).values)
