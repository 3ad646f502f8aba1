"""Writes the reference pages that follow from the code itself: the command line, and the public Python names.

`scripts/write-reference` writes them; a test compares them with what is written.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

import penstock
from penstock.cli.main import cli
from penstock.compat.spellings import NAMES

from .compatibility import compatibility_page

__all__ = ["PAGES", "STUBS", "cli_page", "python_page"]

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"

_WRITTEN = "<!-- Written by scripts/write-reference; edit the code's own texts instead. -->"
_CLI_HEAD = f"""# Commands

{_WRITTEN}

Every command explains itself with `--help`. A command exits with 0 when it did what was asked, with 1 when it could not
(the reason is on stderr), and with 2 when the command line itself is wrong. Options may also be given as environment
variables, `PENSTOCK_CLI_` and then command and option in capitals: `PENSTOCK_CLI_DEV_PORT=4000 penstock dev`.
"""
_PYTHON_HEAD = f"""# Python names

{_WRITTEN}

What `import penstock` offers. Each name has a docstring with its arguments and errors: `help(penstock.asset)`.

| name | kind | what it is |
|---|---|---|
"""
# Values whose own type says less than the source does.
_VALUES = {
    "__version__": "The version of Penstock.",
    "BoolSource": "Config: true or false, or `{env: NAME}`.",
    "IntSource": "Config: a whole number, or `{env: NAME}`.",
    "StringSource": "Config: a text, or `{env: NAME}`.",
    "ResourceDependency": "Annotates a resource's field that holds another resource.",
    "ResourceParam": "Annotates a parameter that is given a resource of a plain Python type.",
    "fs_io_manager": "The IO manager that stores values as pickled files in a folder.",
    "mem_io_manager": "The IO manager that keeps values in a dict of the process.",
    "in_process_executor": "Runs all steps in the run's own process, one after another.",
    "multiprocess_executor": "Runs each step in a process of its own, several at once.",
}


def cli_page() -> str:
    """The page of all commands with their options."""
    sections = [_CLI_HEAD]
    for path, command in _commands(cli, ("penstock",)):
        words = [f"## {' '.join(path)}", "", inspect.cleandoc(command.help or "")]
        options = [_option(each) for each in command.params if not getattr(each, "hidden", False)]
        if options:
            words += ["", "| option | meaning |", "|---|---|", *options]
        sections.append("\n".join(words) + "\n")
    return "\n".join(sections)


def python_page() -> str:
    """The page of the public names."""
    rows = []
    for name in sorted(penstock.__all__, key=str.lower):
        value = getattr(penstock, name)
        rows.append(f"| `{name}` | {_kind(value)} | {_cell(_VALUES.get(name) or _first_line(value))} |\n")
    return _PYTHON_HEAD + "".join(rows)


def compat_stub() -> str:
    """What type checkers read of `penstock.compat`: every name is an import."""
    lines = [f"from penstock import {name} as {name}\n" for name in penstock.__all__ if name != "__version__"]
    lines += [f"from penstock import {ours} as {old}\n" for old, ours in NAMES.items() if ours in penstock.__all__]
    return "# Written by scripts/write-reference from the tables of names.\n" + "".join(lines)


PAGES: Mapping[Path, Callable[[], str]] = {
    REFERENCE / "cli.md": cli_page,
    REFERENCE / "compatibility.md": compatibility_page,
    REFERENCE / "python.md": python_page,
}
"""The pages written here, and what each must hold."""

STUBS: Mapping[Path, Callable[[], str]] = {Path(penstock.__file__).parent / "compat" / "__init__.pyi": compat_stub}
"""The same for files of code."""


def _commands(group: click.Group, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))
        else:
            yield (*path, name), command


def _option(option: click.Parameter) -> str:
    names = ", ".join(f"`{name}`" for name in sorted([*option.opts, *option.secondary_opts], key=len, reverse=True))
    if isinstance(option, click.Argument):
        return f"| `{option.human_readable_name}` | {'needed' if option.required else 'may be left out'} |"
    assert isinstance(option, click.Option)
    meaning = [option.help or ""]
    if isinstance(option.type, click.Choice):
        meaning.append(f"One of {', '.join(map(str, option.type.choices))}.")
    if option.show_default and not option.is_flag:
        meaning.append(f"Default: {option.default}.")
    if option.required:
        meaning.append("Needed.")
    return f"| {names} | {_cell(' '.join(meaning))} |"


def _kind(value: Any) -> str:
    if isinstance(value, type):
        return "exception" if issubclass(value, BaseException) else "class"
    return "function" if inspect.isfunction(value) else "value"


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


if __name__ == "__main__":
    for page, written in {**PAGES, **STUBS}.items():
        page.write_text(written(), encoding="utf-8")
