"""Rewrites `pyproject.toml`: the tables of the tools, and what the project depends on."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from .model import Note, Rewritten
from .old_names import ROOT
from .requirements import OURS, rewrite_requirement

__all__ = ["rewrite_project_file"]


def rewrite_project_file(text: str) -> Rewritten:
    """The file with our tables and packages; its layout and comments stay."""
    if ROOT not in text and "[tool.dg" not in text:
        return Rewritten(text)
    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        return Rewritten(text, (Note(1, f"This is no TOML: {error}; correct it first."),))
    notes: list[Note] = []

    def tell(what: str) -> None:
        notes.append(Note(_line_of(text, what.partition(":")[0]), what))

    _dependencies(document, tell)
    tools = document.get("tool")
    if tools is not None:
        _own_table(tools, tell)
    return Rewritten(tomlkit.dumps(document), tuple(sorted(notes)))


def _dependencies(document: Any, tell: Callable[[str], None]) -> None:
    project = document.get("project") or {}
    _rewrite_list(project.get("dependencies"), tell)
    for groups in (project.get("optional-dependencies"), document.get("dependency-groups")):
        for given in (groups or {}).values():
            _rewrite_list(given, tell)
    poetry = ((document.get("tool") or {}).get("poetry") or {}).get("dependencies") or {}
    for name in list(poetry):
        new = rewrite_requirement(name, tell)
        if new != name:
            del poetry[name]
        if new is not None and new != name:
            poetry[new] = "*"


def _rewrite_list(given: Any, tell: Callable[[str], None]) -> None:
    """Change a list of requirements where it stands; what comes to be there twice stays once."""
    if not isinstance(given, list):
        return
    made: set[str] = set()
    for index in reversed(range(len(given))):
        old = given[index]
        new = rewrite_requirement(str(old), tell) if isinstance(old, str) else old
        if new is None or (isinstance(new, str) and new in made):
            del given[index]
        elif new != old:
            given[index] = new
            made.add(new)


def _own_table(tools: Any, tell: Callable[[str], None]) -> None:
    old = tools.get(ROOT)
    newer = tools.get("dg")
    if old is None and newer is None:
        return
    table = tomlkit.table()
    if old is not None:
        _from_tool(old, table, tell)
        del tools[ROOT]
    if newer is not None:
        _from_newer_tool(newer, table, tell)
        del tools["dg"]
    if table:
        tools[OURS] = table


def _from_tool(old: Any, table: Any, tell: Callable[[str], None]) -> None:
    for key, value in old.items():
        if key == "modules":
            table["modules"] = [str(each["name"]) if isinstance(each, dict) else str(each) for each in value]
        elif key in ("module_name", "code_location_name"):
            table[key] = value
        else:
            tell(f"{key}: [tool.penstock] has no such key; see docs/reference/settings.md.")


def _from_newer_tool(newer: Any, table: Any, tell: Callable[[str], None]) -> None:
    project = newer.get("project")
    if project is None:
        tell("[tool.dg: a workspace of several projects; name their modules in a workspace.yaml.")
        return
    root = project.get("root_module")
    table["module_name"] = str(project.get("code_location_target_module", f"{root}.definitions"))
    if "code_location_name" in project:
        table["code_location_name"] = project["code_location_name"]
    for key in project:
        if key not in ("root_module", "code_location_target_module", "code_location_name"):
            tell(f"{key}: [tool.penstock] has no such key; load what it names in {table['module_name']}.")


def _line_of(text: str, word: str) -> int:
    found = re.search(re.escape(word), text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
