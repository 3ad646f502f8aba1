"""Every parameter of a public name is told of in its docstring."""

from __future__ import annotations

import enum
import inspect
import re

import msgspec
import pytest

import penstock

# What users are given and never make themselves; their docstrings tell of what they can be asked.
GIVEN = {
    "AssetCheckExecutionContext",
    "AssetExecutionContext",
    "AutomationContext",
    "EvaluateAutomationConditionsResult",
    "Event",
    "OpExecutionContext",
    "PendingNodeInvocation",
    "ReadyStep",
    "Run",
    "RunFailureSensorContext",
    "StepExecutionContext",
    "UnresolvedAssetJobDefinition",
}
# The function that a decorator stands above.
DECORATED = {"compose_fn", "compute_fn", "config_fn", "definitions_fn", "hook_fn", "observe_fn"}
ENTRY = re.compile(r"^ {4}(\S.*?):(?: |$)", re.MULTILINE)


def parameters(name: str) -> list[str]:
    found = getattr(penstock, name)
    if isinstance(found, type) and (name in GIVEN or issubclass(found, BaseException | enum.Enum)):
        return []
    if not (isinstance(found, type) or inspect.isfunction(found)) or not found.__module__.startswith("penstock"):
        return []
    if isinstance(found, type) and issubclass(found, msgspec.Struct) and "__init__" not in vars(found):
        taken = [each.name for each in msgspec.structs.fields(found)]
    elif isinstance(found, type) and issubclass(found, str | dict):
        taken = []
    else:
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        taken = [each.name for each in inspect.signature(found).parameters.values() if each.kind not in kinds]
    return [each for each in taken if each not in DECORATED and not each.startswith("_")]


def told(name: str) -> set[str]:
    """The parameters in a docstring's Args, and in those of the names whose arguments it says it takes."""
    text = inspect.cleandoc(getattr(penstock, name).__doc__ or "")
    head, _, rest = text.partition("\nArgs:\n")
    entries = re.match(r"(?: {4}.*\n|\n(?= {4}))*", rest + "\n")
    found = {word for entry in ENTRY.findall(entries[0] if entries else "") for word in re.findall(r"\w+", entry)}
    for sentence in re.split(r"[.;] |[.;]?\n\n|[.;]$", head):
        if "argument" in sentence or "takes what" in sentence:
            for other in re.findall(r"`(\w+)`", sentence):
                if other in penstock.__all__ and other != name:
                    found |= told(other)
    return found


@pytest.mark.parametrize("name", [name for name in penstock.__all__ if parameters(name)])
def test_each_parameter_is_told_of(name: str) -> None:
    assert set(parameters(name)) <= told(name)
