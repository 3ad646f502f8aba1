"""Which files of the user's stand behind a load: those of modules that are neither Python's nor installed packages."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Iterable

from ..records.errors import ErrorInfo, describe_exception

__all__ = ["state_of_files", "user_files"]

_PENSTOCK = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 - text prefixes, no Path


def user_files(error: BaseException | None = None) -> set[str]:
    """The user's Python files that this process has imported, and those that the traceback of `error` names."""
    found = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    if error is not None:
        found |= _named_in(describe_exception(error))
    outside = _not_the_users()
    return {
        path
        for path in found
        if isinstance(path, str) and path.endswith(".py") and os.path.isabs(path) and not path.startswith(outside)  # noqa: PTH117
    }


def state_of_files(files: Iterable[str]) -> dict[str, tuple[int, int] | None]:
    """When each file was changed last, and its size; None for one that is not there. Equal if none was changed."""
    return {file: _state(file) for file in files}


def _state(file: str) -> tuple[int, int] | None:
    try:
        found = os.stat(file)  # noqa: PTH116 - hundreds of files, whose paths are texts
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _named_in(error: ErrorInfo | None) -> set[str | None]:
    if error is None:
        return set()
    return {frame.file for frame in error.frames} | _named_in(error.cause) | _named_in(error.context)


def _not_the_users() -> tuple[str, ...]:
    folders = {os.path.dirname(os.__file__), *site.getsitepackages(), _PENSTOCK}  # noqa: PTH120
    return tuple(folder + os.sep for folder in folders)
