"""The old names that are no Python names of the library itself: modules, packages, files, variables, commands."""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = [
    "CLASS",
    "COMMANDS",
    "COMMAND_LEFT",
    "DISTINCTIVE",
    "HOME",
    "INTEGRATIONS",
    "INTERNAL_NAMES",
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

DISTINCTIVE = re.compile(rf".*{ROOT}.*|resolve_(job|schedule|sensor)_def")
"""Attributes that nothing else is likely to have, so that they are rewritten whatever the object is."""

INTERNAL_NAMES: Mapping[str, str] = {"DagsterPipesExecutionError": "SubprocessError"}
"""Names that are not public there, but that projects use, and that have a public one here."""

PARTS = frozenset(
    {
        "dagit",
        "dagster-dg-cli",
        "dagster-dg-core",
        "dagster-graphql",
        "dagster-pipes",
        "dagster-shared",
        "dagster-webserver",
    }
)
"""Packages that are part of Penstock itself, and so need no line of their own."""

INTEGRATIONS = re.compile(r"dagster[_-](?!pipes\b)[a-z0-9_-]+")
"""Modules and packages of integrations."""

HOME: Mapping[str, str] = {"DAGSTER_HOME": "PENSTOCK_HOME"}
VARIABLE = re.compile(
    r"\bDAGSTER_(ASSET|BACKFILL|CAPTURED|CLI|CODE_SERVER|COMPUTE|CONTAINER|CURRENT_IMAGE|DAEMON|DEFAULT|DISABLE|EVENT|GRPC|MAX|"
    r"MULTIPROCESS|OP_CONCURRENCY|POLLING|PROJECT_ENV|REDACT|REPOSITORY|RUN|SCHEDULE|SENSOR|STEP|TRUNCATE|UI|WEBSERVER)"
    r"(_[A-Z_]+)?\b"
)
"""Environment variables that the tool reads. Others that begin so are the project's own, and stay."""

_GAP = r"""(?:["'], *["']| )"""
"""Between the words of a command: a space, or what parts the items of a list."""
_BEFORE, _AFTER = r"(?<![\w./-])", r"(?![\w./-])"


def _words(words: str) -> re.Pattern[str]:
    """A command of several words."""
    return re.compile(_BEFORE + words.replace(" ", _GAP) + _AFTER)


def _word(word: str) -> re.Pattern[str]:
    """A command of one word, which may also be a mere name: it has options, or stands where a command does."""
    return re.compile(
        rf"{_BEFORE}{word}(?= +-)|(?<=\[[\"']){word}(?=[\"'])|(?<=^){word}(?= *$)|(?<=(?:CMD|xec) ){word}(?= *$)",
        re.MULTILINE,
    )


COMMANDS: tuple[tuple[re.Pattern[str], str], ...] = (
    (_word("dagster-webserver"), "penstock webserver"),
    (_word("dagit"), "penstock webserver"),
    (_words("dagster-daemon run"), "penstock daemon"),
    (_words("dagster api grpc"), "penstock code-server"),
    (_words("dagster code-server start"), "penstock code-server"),
    *(
        (_words(f"dagster {command}"), f"penstock {command}")
        for command in ("dev", "asset", "job", "run", "schedule", "sensor", "definitions", "instance")
    ),
)
"""Commands, and what stands for them."""
COMMAND_LEFT = re.compile(rf"(?<![\w./-])(dagster|dg|dagster-daemon|dagster-cloud){_GAP}[a-z]+")
CLASS = re.compile(r"\b(module|class) *: *[\"']?dagster\w*\.\S+")
"""A class that a YAML file names."""
