"""A run's config ready for use: checked with all mistakes at once, environment variables filled in, typed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from ..config.check import check
from ..config.declared import DeclaredConfig, Finished
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
    full, root = full_run_config(plan, job, run_config), "the run config"
    problems: list[Problem] = [*full.problems]

    def finish(declared: DeclaredConfig, place: tuple[str, ...]) -> Finished:
        """What stands at a place as user code gets it; nothing where a part of it is wrong in form."""
        if not full.is_sound(place, declared.field):
            return Finished()
        finished = declared.finish(full.at(place), os.environ, path=place, root=root)
        problems.extend(finished.problems)
        return finished

    ops: dict[tuple[str, ...], Any] = {}
    typed: dict[tuple[str, ...], Any] = {}
    inputs: dict[tuple[str, ...], Any] = {}
    stores: dict[tuple[str, ...], Any] = {}
    for step in plan.steps.values():
        path, declared = step.config_path, step.op.declared_config
        if path not in ops and declared is not None:
            finished = finish(declared, (*path, "config"))
            ops[path], typed[path] = finished.value, finished.typed
        for place, python_type in _open_inputs(step):
            if place not in inputs and full.holds(place):
                inputs[place] = finish(input_form(python_type).config, place).typed
        for place, config in store_configs(step, job.resource_defs):
            stores[place] = finish(config, place).value
    resources: dict[str, Any] = {}
    for key in needed_resources(plan.resources, job.resource_defs):
        declared = None if key not in job.resource_defs else job.resource_defs[key].declared_config
        if declared is not None:
            resources[key] = finish(declared, ("resources", key, "config")).value
    values = dict(full.values)
    values["execution"] = {"config": finish(job.executor_def.declared_config, ("execution", "config")).value}
    loggers = values.get("loggers")
    if isinstance(loggers, Mapping):
        values["loggers"] = {
            name: {"config": finish(job.loggers[name].declared_config, ("loggers", name, "config")).value}
            for name in loggers
            if name in job.loggers
        }
    Checked(value=None, problems=tuple(problems)).unwrap(full.subject)
    return Configuration(values=values, ops=ops, typed=typed, resources=resources, inputs=inputs, stores=stores)


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
        declared, place = definition.declared_config, ("resources", key, "config")
        if declared is not None:
            finished = declared.finish(values[key].get("config"), os.environ, path=place, root=root)
            configs[key] = finished.value
            problems += finished.problems
    Checked(value=None, problems=tuple(problems)).unwrap("The resource config")
    return configs


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
