"""The workspace: which code locations there are, from `workspace.yaml`, `pyproject.toml` or a command's options."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..config.schema import Array, Field, Scalar, Selector, Shape
from ..config.yaml_document import YamlDocument
from ..errors import SettingsError
from ..records.code_target import CodeTarget
from .origin import LocationOrigin, default_name
from .yaml_document import read_yaml

__all__ = ["PROJECT_SCHEMA", "WORKSPACE_SCHEMA", "origins_from_options", "read_workspace"]

_FILES = ("workspace.yaml", "workspace.yml")


def _text(*, required: bool = False, about: str) -> Field:
    return Field(type=Scalar(kind="str"), required=required, description=about)


_CODE = {
    "attribute": _text(about="The definitions object in the code, or a function that gives it."),
    "location_name": _text(about="The location's name."),
    "working_directory": _text(about="The folder that imports start from."),
    "executable_path": _text(about="The Python interpreter of the location's own environment."),
}
_SERVER = Shape(
    fields={
        "host": _text(about="The code server's host; localhost if not given."),
        "port": Field(type=Scalar(kind="int"), required=False, description="Its TCP port."),
        "socket": _text(about="Its Unix socket, instead of a port."),
        "location_name": _text(required=True, about="The name of the location that it serves."),
    }
)
_ITEM = Selector(
    fields={
        "python_file": Field(type=Shape(fields={"relative_path": _text(required=True, about="The file."), **_CODE})),
        "python_module": Field(type=Shape(fields={"module_name": _text(required=True, about="The module."), **_CODE})),
        "python_package": Field(
            type=Shape(fields={"package_name": _text(required=True, about="The package."), **_CODE})
        ),
        "code_server": Field(type=_SERVER),
        "grpc_server": Field(type=_SERVER, description="The known name of code_server."),
    }
)
WORKSPACE_SCHEMA = Shape(fields={"load_from": Field(type=Array(item=_ITEM))})
"""What a workspace file may hold, short forms written out."""
PROJECT_SCHEMA = Shape(
    fields={
        "module_name": _text(about="The module with the definitions."),
        "modules": Field(type=Array(item=Scalar(kind="str")), required=False, description="Several such modules."),
        "code_location_name": _text(about="The location's name."),
    }
)
"""What `[tool.penstock]` of a pyproject.toml may hold."""
_SHORT = {"python_file": "relative_path", "python_module": "module_name", "python_package": "package_name"}


def origins_from_options(
    *,
    python_files: Sequence[Path] = (),
    modules: Sequence[str] = (),
    packages: Sequence[str] = (),
    attribute: str | None = None,
    working_directory: Path | None = None,
    workspaces: Sequence[Path] = (),
    folder: Path | None = None,
) -> tuple[LocationOrigin, ...]:
    """The code locations that a command's options name, or else those that the folder's own files name.

    Args:
        python_files: Files, one location each.
        modules: Modules, one location each.
        packages: Packages, one location each.
        attribute: The attribute to load; with one location only.
        working_directory: The folder that imports start from; by default a file's own, else the present one.
        workspaces: Workspace files; of two locations with one name the later file's counts.
        folder: Where to look for files when nothing is named; by default the present one.

    Raises:
        SettingsError: The options contradict each other, name what is not there, or name nothing and no file does.
    """
    folder = (folder or Path.cwd()).absolute()
    named = str(folder / working_directory) if working_directory else None
    start = named or str(folder)
    targets = [
        *(
            CodeTarget(python_file=_file(folder / each), attribute=attribute, working_directory=named)
            for each in python_files
        ),
        *(CodeTarget(module_name=each, attribute=attribute, working_directory=start) for each in modules),
        *(CodeTarget(package_name=each, attribute=attribute, working_directory=start) for each in packages),
    ]
    if targets and workspaces:
        raise SettingsError("Name the code by -f, -m and --package-name, or by a workspace file (-w), not by both.")
    if attribute and len(targets) != 1:
        raise SettingsError(
            f"--attribute {attribute} says what to load from one file or module; {len(targets)} are named."
        )
    if targets:
        return _unique((LocationOrigin(name=default_name(target), target=target) for target in targets), "the options")
    if not workspaces:
        return _found_in(folder)
    found: dict[str, LocationOrigin] = {}
    for workspace in workspaces:
        found |= {origin.name: origin for origin in read_workspace(folder / workspace)}
    return tuple(found.values())


def read_workspace(path: Path) -> tuple[LocationOrigin, ...]:
    """The code locations of a workspace file.

    Raises:
        SettingsError: It is not valid; the text names every mistake with line and column.
    """
    document = read_yaml(path)
    value = document.checked(WORKSPACE_SCHEMA, dict(os.environ), value=_written_out(document.value))
    folder = path.absolute().parent
    mistakes: list[str] = []
    found: dict[str, LocationOrigin] = {}
    for index, item in enumerate(value["load_from"]):
        ((kind, given),) = item.items()
        place = document.place(("load_from", str(index), kind))
        try:
            origin = _origin(kind, given, folder)
        except SettingsError as error:
            mistakes.append(f"{place}: {error}")
            continue
        if origin.name in found:
            mistakes.append(f"{place}: there is a location {origin.name!r} already; give this one a location_name.")
        found[origin.name] = origin
    if mistakes:
        raise document.error(mistakes)
    return tuple(found.values())


def _written_out(value: Any) -> Any:
    """The file's value with short forms (`- python_file: shop.py`) as long ones."""
    if not isinstance(value, dict) or not isinstance(value.get("load_from"), list):
        return value
    return value | {"load_from": [_long_form(item) for item in value["load_from"]]}


def _long_form(item: Any) -> Any:
    if not isinstance(item, dict):
        return item
    return {
        kind: {_SHORT[kind]: given} if kind in _SHORT and isinstance(given, str) else given
        for kind, given in item.items()
    }


def _origin(kind: str, given: dict[str, Any], folder: Path) -> LocationOrigin:
    if kind in ("code_server", "grpc_server"):
        return LocationOrigin(name=given["location_name"], address=_address(given, folder))
    value = given[_SHORT[kind]]
    start = None if kind == "python_file" else str(folder)
    target = CodeTarget(
        python_file=_file(folder / value) if kind == "python_file" else None,
        module_name=value if kind == "python_module" else None,
        package_name=value if kind == "python_package" else None,
        attribute=given.get("attribute"),
        working_directory=str(folder / given["working_directory"]) if "working_directory" in given else start,
    )
    executable = given.get("executable_path")
    return LocationOrigin(
        name=given.get("location_name") or default_name(target),
        target=target,
        executable=str(folder / executable) if executable and "/" in executable else executable,
    )


def _address(given: dict[str, Any], folder: Path) -> str:
    if ("port" in given) == ("socket" in given):
        raise SettingsError("a code server has either a port or a socket; give exactly one of them.")
    if "socket" in given:
        return f"unix:{folder / given['socket']}"
    return f"http://{given.get('host', 'localhost')}:{given['port']}"


def _file(path: Path) -> str:
    if not path.is_file():
        near = sorted(each.name for each in path.parent.glob("*.py")) if path.parent.is_dir() else []
        there = f"There are {', '.join(near[:5])}." if near else f"The folder {path.parent} has no Python files."
        raise SettingsError(f"the Python file {path} does not exist. {there}")
    return str(path)


def _found_in(folder: Path) -> tuple[LocationOrigin, ...]:
    project = folder / "pyproject.toml"
    if project.is_file():
        found = _of_project(project)
        if found:
            return found
    for name in _FILES:
        if (folder / name).is_file():
            return read_workspace(folder / name)
    raise SettingsError(
        f"Which code? {folder} has no workspace.yaml and no [tool.penstock] in a pyproject.toml. "
        "Name a file with -f, a module with -m, or a workspace file with -w."
    )


def _of_project(path: Path) -> tuple[LocationOrigin, ...]:
    import tomllib

    try:
        tool = tomllib.loads(path.read_text(encoding="utf-8")).get("tool", {}).get("penstock")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}.") from error
    if tool is None:
        return ()
    value = YamlDocument(file=f"{path} [tool.penstock]", value=tool, places={}).checked(
        PROJECT_SCHEMA, dict(os.environ)
    )
    modules = value.get("modules", [])
    if bool(modules) == ("module_name" in value):
        raise SettingsError(f"{path} [tool.penstock] needs either module_name or modules; give one of them.")
    if "code_location_name" in value and modules:
        raise SettingsError(
            f"{path} [tool.penstock]: code_location_name goes with module_name, not with modules; drop it."
        )
    names = modules or [value["module_name"]]
    targets = [CodeTarget(module_name=name, working_directory=str(path.parent)) for name in names]
    return _unique(
        (
            LocationOrigin(name=value.get("code_location_name") or default_name(target), target=target)
            for target in targets
        ),
        f"{path} [tool.penstock]",
    )


def _unique(origins: Iterable[LocationOrigin], where: str) -> tuple[LocationOrigin, ...]:
    found: dict[str, LocationOrigin] = {}
    for origin in origins:
        if origin.name in found:
            raise SettingsError(
                f"Two code locations of {where} would be called {origin.name!r}: {found[origin.name].words()}, and "
                f"{origin.words()}. Write a workspace.yaml that gives each a location_name."
            )
        found[origin.name] = origin
    return tuple(found.values())
