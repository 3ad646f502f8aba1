"""Definitions that are made when a code location is loaded: by a function, or of everything in a folder."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

from ..errors import DefinitionError, LocationLoadError
from .definitions import Definitions
from .gather import load_definitions_from_modules
from .repository import RepositoryDefinition
from .source import source_of_function

__all__ = ["LazyDefinitions", "definitions", "load_from_defs_folder"]

_ONLY = "definitions"
"""A module of this name stands for everything in its folder."""

_COMPONENT_FILES = ("defs.yaml", "component.yaml")


class LazyDefinitions:
    """A function that gives definitions, called once, when they are needed. Make one with `@definitions`.

    Args:
        fn: The function.
    """

    def __init__(self, fn: Callable[[], Definitions | RepositoryDefinition]) -> None:
        if inspect.signature(fn).parameters:
            raise DefinitionError(
                f"{fn.__name__} ({source_of_function(fn)}) takes arguments; one that gives definitions takes none."
            )
        self._fn = fn
        self._made: Definitions | None = None

    def __call__(self) -> Definitions:
        """The definitions.

        Raises:
            DefinitionError: The function gives something else.
        """
        if self._made is None:
            made = self._fn()
            if isinstance(made, RepositoryDefinition):
                made = made.definitions
            if not isinstance(made, Definitions):
                raise DefinitionError(
                    f"{self._fn.__name__} ({source_of_function(self._fn)}) gives {made!r}; it gives a Definitions."
                )
            self._made = made
        return self._made

    def __repr__(self) -> str:
        return f"LazyDefinitions({self._fn.__name__})"


def definitions(fn: Callable[[], Definitions | RepositoryDefinition]) -> LazyDefinitions:
    """Make a function that gives `Definitions` into what a code location offers; it is called when that is loaded."""
    return LazyDefinitions(fn)


def load_from_defs_folder(
    *, path_within_project: Path | str | None = None, project_root: Path | str | None = None
) -> Definitions:
    """Everything in the `defs` package of a project, one module after the other.

    The project is the nearest folder above with a `pyproject.toml`. Its package is named there as `root_module` under
    `[tool.penstock.project]` or `[tool.dg.project]`, else after the folder. Of a module that holds `Definitions` or
    functions made into some by `@definitions`, these are taken; of any other, all definitions at its top. A module
    called `definitions` stands for its whole folder.

    Args:
        path_within_project: A file or folder of the project.
        project_root: The project's folder, in place of that.

    Raises:
        LocationLoadError: The project or its package is not found, or holds a file of a component.
        DefinitionError: What is found does not fit together.
    """
    root = _project_root(path_within_project, project_root)
    name = _defs_package(root)
    package = _import(name, root)
    return Definitions.merge(*(_of_module(module) for module in _modules(package)))


def _project_root(within: Path | str | None, root: Path | str | None) -> Path:
    if (within is None) == (root is None):
        raise LocationLoadError(
            "load_from_defs_folder needs path_within_project or project_root, and not both; give one of them."
        )
    if root is not None:
        return Path(root).absolute()
    start = Path(within or "").absolute()
    for folder in (start, *start.parents):
        if (folder / "pyproject.toml").is_file():
            return folder
    raise LocationLoadError(f"No folder at or above {start} has a pyproject.toml; name the project_root.")


def _defs_package(root: Path) -> str:
    import tomllib

    file = root / "pyproject.toml"
    settings = tomllib.loads(file.read_text()).get("tool", {}) if file.is_file() else {}
    for tool in ("penstock", "dg"):
        project = settings.get(tool, {}).get("project", {})
        if "defs_module" in project:
            return str(project["defs_module"])
        if "root_module" in project:
            return f"{project['root_module']}.defs"
    return f"{root.name.replace('-', '_')}.defs"


def _import(name: str, root: Path) -> ModuleType:
    for folder in (root / "src", root):
        if (folder / name.partition(".")[0]).is_dir() and str(folder) not in sys.path:
            sys.path.append(str(folder))
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            raise LocationLoadError(
                f"The project {root} has no package {name}; make its folder, or name the package in pyproject.toml as "
                "root_module under [tool.penstock.project]."
            ) from error
        raise


def _modules(package: ModuleType) -> Iterator[ModuleType]:
    """The modules of a package, each package before what is inside it."""
    paths = list(getattr(package, "__path__", ()))
    for path in paths:
        for file in _COMPONENT_FILES:
            if Path(path, file).is_file():
                raise LocationLoadError(
                    f"{Path(path, file)} describes a component, which cannot be loaded yet; write its definitions in "
                    "Python."
                )
    names = {info.name for info in pkgutil.iter_modules(paths)}
    if _ONLY in names:
        yield importlib.import_module(f"{package.__name__}.{_ONLY}")
        return
    yield package
    for info in sorted(pkgutil.iter_modules(paths), key=lambda info: info.name):
        module = importlib.import_module(f"{package.__name__}.{info.name}")
        if info.ispkg:
            yield from _modules(module)
        else:
            yield module


def _of_module(module: ModuleType) -> Definitions:
    found = {id(each): each for each in vars(module).values() if isinstance(each, Definitions | LazyDefinitions)}
    if found:
        return Definitions.merge(*(each() if isinstance(each, LazyDefinitions) else each for each in found.values()))
    return load_definitions_from_modules([module])
