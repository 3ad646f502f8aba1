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
from ..definitions.store_config import input_configs, output_configs
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
        inputs: By path, what is given for inputs that nothing else feeds, or to input managers of their inputs.
        outputs: By path, what is given to IO managers of their outputs.
    """

    values: Mapping[str, Any] = {}
    ops: Mapping[tuple[str, ...], Any] = {}
    typed: Mapping[tuple[str, ...], Any] = {}
    resources: Mapping[str, Any] = {}
    inputs: Mapping[tuple[str, ...], Any] = {}
    outputs: Mapping[tuple[str, ...], Any] = {}


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
    subject, root = f'The run config of job "{job.name}"', "the run config"
    values = full_run_config(plan, job, run_config)
    kind = execution_field(job).type
    execution = resolve(kind, values["execution"], os.environ, path=("execution",), root=root)
    problems: list[Problem] = [*execution.problems]
    values["execution"] = execution.value
    ops: dict[tuple[str, ...], Any] = {}
    typed: dict[tuple[str, ...], Any] = {}
    inputs: dict[tuple[str, ...], Any] = {}
    outputs: dict[tuple[str, ...], Any] = {}
    for step in plan.steps.values():
        path, declared = step.config_path, step.op.declared_config
        if path not in ops and declared is not None:
            given = (_at(values, path) or {}).get("config")
            finished = declared.finish(given, os.environ, path=(*path, "config"), root=root)
            ops[path], typed[path] = finished.value, finished.typed
            problems += finished.problems
        for each in step.inputs:
            if isinstance(each.source, FromConfig) and each.source.path not in inputs:
                place = each.source.path
                form = input_form(each.definition.python_type).config
                finished = form.finish(_at(values, place), os.environ, path=place, root=root)
                inputs[place] = finished.typed
                problems += finished.problems
        managed = (
            ("inputs", inputs, input_configs(step.op.ins, job.resource_defs)),
            ("outputs", outputs, output_configs(step.op.outs, job.resource_defs)),
        )
        for part, found, configs in managed:
            for name, config in configs.items():
                place = (*path, part, name)
                finished = config.finish(_at(values, place), os.environ, path=place, root=root)
                found[place] = finished.value
                problems += finished.problems
    used = needed_resources(plan.resources, job.resource_defs)
    of_resources = {key: job.resource_defs[key] for key in used if key in job.resource_defs}
    resources, wrong = _finish_resources(of_resources, values["resources"], root)
    Checked(value=None, problems=(*problems, *wrong)).unwrap(subject)
    return Configuration(values=values, ops=ops, typed=typed, resources=resources, inputs=inputs, outputs=outputs)


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
    finished, problems = _finish_resources(definitions, values, root)
    Checked(value=None, problems=tuple(problems)).unwrap("The resource config")
    return finished


def _finish_resources(
    definitions: Mapping[str, ResourceDefinition], entries: Mapping[str, Any], root: str
) -> tuple[dict[str, Any], list[Problem]]:
    """By key, the config of resources as they get it, from checked entries; and what is wrong with it."""
    configs: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, definition in definitions.items():
        declared = definition.declared_config
        if declared is None:
            continue
        given = (entries.get(key) or {}).get("config")
        finished = declared.finish(given, os.environ, path=("resources", key, "config"), root=root)
        configs[key] = finished.value
        problems += finished.problems
    return configs, problems


def _at(values: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    """What stands at `path`; None where nothing does."""
    found: Any = values
    for key in path:
        found = found.get(key)
        if found is None:
            return None
    return found


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
