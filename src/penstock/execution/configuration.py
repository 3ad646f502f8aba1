"""A run's config ready for use: checked with all mistakes at once, environment variables filled in, typed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..config.check import check
from ..config.declared import DeclaredConfig
from ..config.problems import Checked, Problem
from ..config.run_config import RunConfig, plain_run_config
from ..config.schema import Field, Shape
from ..definitions.ops.job import JobDefinition
from ..definitions.ops.type_loader import input_form
from ..definitions.ops.wiring import element_type
from ..definitions.resources.resource import ResourceDefinition
from ..definitions.run_config import needed_resources
from ..definitions.store_config import store_configs
from ..plan.build import build_plan
from ..plan.model import ExecutionPlan, FromConfig, FromOutputs, Step
from .mapped_config import full_run_config

__all__ = ["Configuration", "configure", "resource_configs", "validate_run_config"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """The config of one run.

    Args:
        values: The whole config as plain values; `{env: NAME}` stands as it was given but in `execution` and `loggers`.
        ops: By the path of an op's entry, its config as plain values.
        typed: By the path of an op's entry, its config as the op's function takes it.
        resources: By key, a resource's config.
        inputs: By path, what is given for inputs that nothing else feeds.
        stores: By path, what input managers and IO managers are told of single inputs and outputs.
    """

    values: Mapping[str, Any] = {}
    ops: Mapping[tuple[str, ...], Any] = {}
    typed: Mapping[tuple[str, ...], Any] = {}
    resources: Mapping[str, Any] = {}
    inputs: Mapping[tuple[str, ...], Any] = {}
    stores: Mapping[tuple[str, ...], Any] = {}


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
    problems: list[Problem] = []

    def finish(declared: DeclaredConfig, entry: Mapping[str, Any] | None, path: tuple[str, ...]) -> dict[str, Any]:
        finished = declared.finish((entry or {}).get("config"), os.environ, path=(*path, "config"), root=root)
        problems.extend(finished.problems)
        return {"config": finished.value}

    values["execution"] = finish(job.executor_def.declared_config, values["execution"], ("execution",))
    values["loggers"] = {
        name: finish(job.loggers[name].declared_config, entry, ("loggers", name))
        for name, entry in values.get("loggers", {}).items()
    }
    ops: dict[tuple[str, ...], Any] = {}
    typed: dict[tuple[str, ...], Any] = {}
    inputs: dict[tuple[str, ...], Any] = {}
    stores: dict[tuple[str, ...], Any] = {}
    for step in plan.steps.values():
        path, declared = step.config_path, step.op.declared_config
        if path not in ops and declared is not None:
            given = (_at(values, path) or {}).get("config")
            finished = declared.finish(given, os.environ, path=(*path, "config"), root=root)
            ops[path], typed[path] = finished.value, finished.typed
            problems += finished.problems
        for place, python_type in _open_inputs(step):
            if place not in inputs and _holds(values, place):
                form = input_form(python_type).config
                finished = form.finish(_at(values, place), os.environ, path=place, root=root)
                inputs[place] = finished.typed
                problems += finished.problems
        for place, config in store_configs(step, job.resource_defs):
            finished = config.finish(_at(values, place), os.environ, path=place, root=root)
            stores[place] = finished.value
            problems += finished.problems
    used = needed_resources(plan.resources, job.resource_defs)
    of_resources = {key: job.resource_defs[key] for key in used if key in job.resource_defs}
    resources, wrong = _finish_resources(of_resources, values["resources"], root)
    Checked(value=None, problems=(*problems, *wrong)).unwrap(subject)
    return Configuration(values=values, ops=ops, typed=typed, resources=resources, inputs=inputs, stores=stores)


def _open_inputs(step: Step) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of a step's inputs that the run config gives, by their paths, each with its type."""
    for each in step.inputs:
        match each.source:
            case FromConfig(path=path):
                yield path, each.definition.python_type
            case FromOutputs(sources=sources):
                for part in sources:
                    if isinstance(part, FromConfig):
                        yield part.path, element_type(each.definition.python_type)


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


def _holds(values: Mapping[str, Any], path: tuple[str, ...]) -> bool:
    """Whether something stands at `path`, be it null."""
    return path[-1] in (_at(values, path[:-1]) or ())


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
