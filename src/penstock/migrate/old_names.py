"""The old names that are no Python names of the library itself: modules, packages, files, variables, commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "COMMANDS",
    "HOME",
    "INTEGRATIONS",
    "MODULES",
    "PARTS",
    "PIPES_ATTRIBUTES",
    "PIPES_NAMES",
    "ROOT",
    "VARIABLE",
]

ROOT = "dagster"
MODULES: Mapping[str, str] = {ROOT: "penstock", "dagster_pipes": "penstock_pipes"}
"""Top-level modules that have one of ours in their place."""

PIPES_NAMES: Mapping[str, str] = {
    "DAGSTER_PIPES_CONTEXT_CLI_ARGUMENT": "PIPES_CONTEXT_CLI_ARGUMENT",
    "DAGSTER_PIPES_CONTEXT_ENV_VAR": "PIPES_CONTEXT_ENV_VAR",
    "DAGSTER_PIPES_MESSAGES_CLI_ARGUMENT": "PIPES_MESSAGES_CLI_ARGUMENT",
    "DAGSTER_PIPES_MESSAGES_ENV_VAR": "PIPES_MESSAGES_ENV_VAR",
    "DagsterPipesError": "PipesError",
    "DagsterPipesWarning": "PipesWarning",
    "open_dagster_pipes": "open_penstock_pipes",
}
PIPES_ATTRIBUTES: Mapping[str, str] = {"is_dagster_pipes_process": "is_penstock_pipes_process"}
"""What `penstock_pipes` calls otherwise."""

PARTS = frozenset({"dagster-webserver", "dagster-graphql", "dagster-pipes", "dagster-shared", "dagit"})
"""Packages that are part of Penstock itself, and so need no line of their own."""

INTEGRATIONS = re.compile(r"dagster[_-](?!pipes\b)[a-z0-9_-]+")
"""Modules and packages of integrations."""

HOME: Mapping[str, str] = {"DAGSTER_HOME": "PENSTOCK_HOME"}
VARIABLE = re.compile(r"\bDAGSTER_(?!PIPES_)[A-Z_]+\b")
"""Environment variables."""

COMMANDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"\bdagster-webserver\b"), "penstock webserver"),
    (re.compile(r"\bdagit\b"), "penstock webserver"),
    (re.compile(r"\bdagster-daemon run\b"), "penstock daemon"),
    (re.compile(r"\bdagster (?:api grpc|code-server start)\b"), "penstock code-server"),
    (re.compile(r"\bdagster (dev|asset|job|run|schedule|sensor|definitions|instance)\b"), r"penstock \1"),
)
"""Commands, and what stands for them."""
