"""Loads a user's code: a file, module or package becomes `Definitions`; and finds the assets in modules."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import LocationLoadError
from ..records.code_target import CodeTarget
from .assets.asset_check import AssetChecksDefinition
from .assets.definition import AssetsDefinition
from .assets.from_modules import find, find_assets
from .assets.job import UnresolvedAssetJobDefinition
from .definitions import Definitions
from .garbage import paused_collection
from .lazy import LazyDefinitions
from .ops.graph import GraphDefinition
from .ops.job import JobDefinition
from .repository import RepositoryDefinition

__all__ = ["load_definitions", "look_first_in"]


_WHOLE = (Definitions, LazyDefinitions, RepositoryDefinition)
"""What holds everything that a code location offers."""

_WITH_EFFECTS = {"antigravity", "this"}
"""Modules of the standard library that do something when they are imported."""


def load_definitions(target: CodeTarget, *, progress: Callable[[str], None] | None = None) -> Definitions:
    """Import the code and take its definitions, checked.

    Args:
        target: Which code.
        progress: Is told each stage in words.

    Raises:
        LocationLoadError: The code does not exist or offers nothing, or not one thing only.
        DefinitionError: The definitions do not fit together.
        Exception: What the user's code raises while it is imported comes through as it is.
    """
    tell = progress or (lambda _: None)
    with paused_collection():
        tell(f"importing {target.text}")
        module = _import(target)
        definitions = _as_definitions(_choose(target, module), target)
        tell("checking definitions")
        definitions.resolved  # noqa: B018 - the first look checks everything
    return definitions


def _import(target: CodeTarget) -> ModuleType:
    directory = target.working_directory
    if target.python_file is not None:
        path = Path(directory or ".", target.python_file).absolute()
        if not path.is_file():
            raise LocationLoadError(f"There is no file {path}; check the path, which is read from {Path.cwd()}.")
        _keep_standard(path)
        folder = look_first_in(directory or str(path.parent))
        with _telling_what_is_hidden(folder):
            return _import_file(path)
    folder = look_first_in(directory or str(Path.cwd()))
    name = target.module_name or target.package_name or ""
    try:
        with _telling_what_is_hidden(folder):
            module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        # A module missing inside the user's code is the user's error and comes through.
        if error.name is not None and (name == error.name or name.startswith(f"{error.name}.")):
            kind = "package" if target.package_name else "module"
            raise LocationLoadError(
                f"There is no {kind} {name} (looked first in {directory or Path.cwd()}); "
                "check the name, install it, or name its folder as the working directory."
            ) from error
        raise
    _require_own(module, name, folder)
    return module


def _keep_standard(path: Path) -> None:
    """Import the module of the standard library whose name the user's file has: whoever needs it later finds it."""
    if path.stem in sys.stdlib_module_names - _WITH_EFFECTS:
        everywhere = sys.path
        sys.path = [each for each in everywhere if Path(each).absolute() != path.parent]
        try:
            with suppress(ImportError):
                importlib.import_module(path.stem)
        finally:
            sys.path = everywhere


@contextmanager
def _telling_what_is_hidden(folder: Path) -> Iterator[None]:
    """Say of an import that fails which modules of the standard library are hidden by files of the folder."""
    try:
        yield
    except (ImportError, AttributeError) as error:
        for name in sorted(sys.stdlib_module_names & sys.modules.keys()):
            path = getattr(sys.modules[name], "__file__", None)
            if path is not None and Path(path).parent == folder:
                error.add_note(
                    f"{path} was imported in place of the module {name} of the standard library, by whoever asked for "
                    "that. Give the file another name."
                )
        raise


def _require_own(module: ModuleType, name: str, folder: Path) -> None:
    """See to it that a name which the standard library has too is that of the user's module, if there is one."""
    if name.partition(".")[0] not in sys.stdlib_module_names:
        return
    place = folder.joinpath(*name.split("."))
    for own in (place.with_suffix(".py"), place / "__init__.py"):
        if own.is_file() and module.__file__ != str(own):
            raise LocationLoadError(
                f"The name {name} is that of a module of the standard library, which was imported before {own}. "
                "Name the code as a file instead (-f, or python_file), or give it another name."
            )


def _import_file(path: Path) -> ModuleType:
    name = _module_name(path)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise LocationLoadError(f"{path} is no Python file; give one that ends with .py.")
    module = importlib.util.module_from_spec(spec)
    # Pickle and pydantic look classes up by the name of their module.
    previous = sys.modules.get(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        if previous is None:
            del sys.modules[name]
        else:
            sys.modules[name] = previous
        raise
    return module


def _module_name(path: Path) -> str:
    """The file's own name as a module, unless another module has it."""
    present = sys.modules.get(path.stem)
    is_other = present is not None and getattr(present, "__file__", None) != str(path)
    return f"{path.stem}__file" if is_other or path.stem in sys.stdlib_module_names else path.stem


def look_first_in(directory: str | Path) -> Path:
    """Let imports look in that folder before all others, unless they look there anyway; gives its full path."""
    path = Path(directory).absolute()
    if str(path) not in sys.path:
        sys.path.insert(0, str(path))
    return path


def _choose(target: CodeTarget, module: ModuleType) -> Any:
    if target.attribute is not None:
        try:
            return getattr(module, target.attribute)
        except AttributeError:
            raise LocationLoadError(
                f'{target.text} has no attribute "{target.attribute}"; it has '
                f"{', '.join(_offers(module)) or 'nothing to load'}."
            ) from None
    kinds: tuple[tuple[tuple[type, ...], str], ...] = (
        (_WHOLE, "Definitions"),
        ((JobDefinition,), "job"),
        ((GraphDefinition,), "graph"),
    )
    for kind, what in kinds:
        found = _distinct(module, kind)
        if len(found) > 1:
            raise LocationLoadError(
                f"{target.text} has {len(found)} objects of the kind {what} ({', '.join(sorted(found))}); put "
                "everything into one Definitions, or name the one that is meant as attribute."
            )
        if found:
            return next(iter(found.values()))
    assets = find_assets([module])
    if assets:
        return Definitions(assets=assets, asset_checks=find([module], AssetChecksDefinition))
    raise LocationLoadError(
        f"{target.text} offers nothing to load; give it a Definitions object at module level, for example "
        "defs = Definitions(assets=[...])."
    )


def _distinct(module: ModuleType, kind: tuple[type, ...]) -> dict[str, Any]:
    """Objects of these kinds at module level by name, each once."""
    found: dict[int, tuple[str, Any]] = {}
    for name, value in vars(module).items():
        if isinstance(value, kind):
            found.setdefault(id(value), (name, value))
    return dict(found.values())


def _offers(module: ModuleType) -> list[str]:
    kinds = (*_WHOLE, JobDefinition, UnresolvedAssetJobDefinition, GraphDefinition)
    return sorted(name for name, value in vars(module).items() if isinstance(value, kinds))


def _as_definitions(found: Any, target: CodeTarget) -> Definitions:
    what = f'"{target.attribute}" of {target.text}' if target.attribute else f"What {target.text} offers"
    if inspect.isfunction(found):
        found = found()
        what = f"{what}, called,"
    match found:
        case Definitions():
            return found
        case LazyDefinitions():
            return found()
        case RepositoryDefinition():
            return found.definitions
        case JobDefinition() | UnresolvedAssetJobDefinition():
            return Definitions(jobs=[found])
        case GraphDefinition():
            return Definitions(jobs=[found.to_job()])
        case AssetsDefinition():
            return Definitions(assets=[found])
    raise LocationLoadError(
        f"{what} is {found!r}; give a Definitions, a job, a graph, or a function without arguments that returns one."
    )
