"""Config mappings at work: the run config in full, whatever form a job and its graphs are given it in."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from typing import Any

import msgspec

from ..config.check import check
from ..config.problems import Checked, Problem
from ..config.schema import Field, Shape
from ..config.secrets import restore, still_hidden
from ..definitions.ops.graph import GraphDefinition
from ..definitions.ops.job import JobDefinition
from ..definitions.run_config import (
    asset_functions,
    full_run_config_schema,
    graph_config_schema,
    needed_resources,
    run_config_schema,
)
from ..plan.config import narrow_entries, narrow_schema
from ..plan.model import ExecutionPlan
from ..records.location import job_in_words

__all__ = ["FullConfig", "full_run_config"]


class FullConfig(msgspec.Struct, frozen=True, kw_only=True):
    """A run config with an entry for each op, checked, defaults filled in, and `{env: NAME}` as it stands.

    Args:
        values: The config; where there are problems, as much of it as is sound.
        problems: What is wrong with it.
        subject: What was checked, as the error's text shall call it.
    """

    values: dict[str, Any]
    problems: tuple[Problem, ...] = ()
    subject: str

    def is_sound(self, path: tuple[str, ...], field: Field | None) -> bool:
        """Whether what stands at a path may be built: nothing is wrong in it or with a mapping around it."""
        if not self.problems:
            return True
        if field is not None and field.required and self.at(path) is None:
            return False
        return not any(
            each.path[: len(path)] == path
            or (each.path == path[: len(each.path)] and each.field in (None, *path[len(each.path) :][:1]))
            for each in self.problems
        )

    def at(self, path: tuple[str, ...]) -> Any:
        """What stands at a path; None where nothing does."""
        found: Any = self.values
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        return found

    def holds(self, path: tuple[str, ...]) -> bool:
        """Whether something stands at a path, be it null."""
        around = self.at(path[:-1])
        return isinstance(around, Mapping) and path[-1] in around


def full_run_config(plan: ExecutionPlan, job: JobDefinition, run_config: Mapping[str, Any]) -> FullConfig:
    """The run config of a run in full, whatever form it was given in.

    Args:
        plan: The steps that run; what belongs to others need not be given.
        job: The job.
        run_config: What was launched with.

    Raises:
        InvalidRunConfigError: What a config mapping takes or, inside a graph, makes has mistakes.
        ConfigMappingError: A config mapping of the user's raised.
    """
    subject, root = f"The run config of {job_in_words(job.name)}", "the run config"
    launched_with = run_config_schema(job)
    # What was launched may be the job's own config as it was shown, with its secrets hidden.
    given = restore(launched_with, run_config, job.default_config)
    Checked(value=None, problems=tuple(still_hidden(launched_with, given))).unwrap(subject)
    mapping, made = job.config_mapping, None
    if mapping is not None:
        given = check(launched_with, given, root=root).unwrap(subject)
        declared = mapping.declared_config
        made = mapping.make(declared, given, os.environ, path=(), root=root, what=f'job "{job.name}"')
        made.unwrap(subject)
        subject, root = f'The run config made by the config mapping of job "{job.name}"', "the run config made"
    used = needed_resources(plan.resources, job.resource_defs)
    whole = launched_with if mapping is None else full_run_config_schema(job)
    mapped_ops = job.graph is not None and job.graph.declared_config is not None
    schema = narrow_schema(whole, plan.steps, used, "ops" if mapped_ops else "")
    checked = check(schema, given, root=root) if made is None else made.check(schema, root)
    values = checked.value if isinstance(checked.value, dict) else {}
    if checked.ok:
        values["ops"] = _all_entries(job, values.get("ops", {}), plan.steps)
    return FullConfig(values=values, problems=checked.problems, subject=subject)


def _all_entries(job: JobDefinition, part: Mapping[str, Any], steps: Collection[str]) -> dict[str, Any]:
    """The entries of a job's ops, where its graphs may be given in another form."""
    if job.graph is not None:
        return _entries(job.graph, job, part, ("ops",), steps)
    entries = dict(part)
    graphs = {each.name: each.node_def for each in asset_functions(job) if isinstance(each.node_def, GraphDefinition)}
    _enter_graphs(graphs, job, entries, ("ops",), steps)
    return entries


def _entries(
    graph: GraphDefinition, job: JobDefinition, part: Mapping[str, Any], path: tuple[str, ...], steps: Collection[str]
) -> dict[str, Any]:
    """The entries of a graph's nodes, where `part` may be what its config mapping takes.

    Args:
        graph: The graph.
        job: The job that it is in.
        part: What the run config holds in its place, checked.
        path: Where that is.
        steps: The steps inside it that run, their keys counted from this graph.
    """
    entries = dict(part) if graph.declared_config is None else _mapped(graph, job, part, path, steps)
    inner = {
        name: each.definition for name, each in graph.nodes.items() if isinstance(each.definition, GraphDefinition)
    }
    _enter_graphs(inner, job, entries, path, steps)
    return entries


def _enter_graphs(
    graphs: Mapping[str, GraphDefinition],
    job: JobDefinition,
    entries: dict[str, Any],
    path: tuple[str, ...],
    steps: Collection[str],
) -> None:
    """Put the entries of graphs in full among the entries around them, of those some of whose steps run."""
    steps_inside: dict[str, list[str]] = {}
    for key in steps:
        name, _, rest = key.partition(".")
        if rest and name in graphs:
            steps_inside.setdefault(name, []).append(rest)
    for name, inside in steps_inside.items():
        graph = graphs[name]
        entry = dict(entries.get(name) or {})
        is_mapped = graph.declared_config is not None
        place = (*path, name) if is_mapped else (*path, name, "ops")
        entry["ops"] = _entries(graph, job, entry if is_mapped else entry.get("ops", {}), place, inside)
        entries[name] = entry


def _mapped(
    graph: GraphDefinition, job: JobDefinition, part: Mapping[str, Any], path: tuple[str, ...], steps: Collection[str]
) -> dict[str, Any]:
    """What a graph's config mapping makes of its config, checked."""
    mapping, declared = graph.config_mapping, graph.declared_config
    assert mapping is not None
    assert declared is not None
    what = f'graph "{graph.name}"'
    made = mapping.make(
        declared, part.get("config"), os.environ, path=(*path, "config"), root="the run config", what=what
    )
    made.unwrap(f"The run config of {job_in_words(job.name)}")
    schema = Shape(fields=narrow_entries(graph_config_schema(graph, job).fields, steps))
    checked: dict[str, Any] = made.check(schema, "the config made").unwrap(
        f"The config made by the config mapping of {what} in job {job.name!r}"
    )
    return checked
