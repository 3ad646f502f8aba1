"""Finds the files of a project and what becomes of each."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from ..config.schema import ConfigType
from .instance_file import rewrite_instance_file
from .model import Change, Note, Rewritten, Spellings
from .old_names import ROOT
from .other_texts import rewrite_other_text
from .project_file import rewrite_project_file
from .python_code import rewrite_python
from .requirements import rewrite_requirements_file
from .workspace_file import check_workspace_file

__all__ = ["migrate_project"]

_NOT_OURS = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist", "venv", "target"})
_INSTANCE = re.compile(rf"{ROOT}([.-][\w.-]+)?\.ya?ml")
_OTHER = re.compile(
    r"(Dockerfile.*|.*\.dockerfile|Makefile|justfile|Procfile|\.env.*|.*\.(env|sh|bash|cfg|ini|ya?ml|toml))",
    re.IGNORECASE,
)
_LARGEST = 4 << 20


def migrate_project(
    path: Path, spellings: Spellings, *, settings: ConfigType, workspace: ConfigType
) -> Iterator[Change]:
    """What becomes of each file that names the old library; files of other people's are not looked at.

    Args:
        path: The project's folder, or one file.
        spellings: What is called otherwise.
        settings: What our settings file may hold.
        workspace: What a workspace file may hold.
    """
    files = [path] if path.is_file() else list(_files(path))
    modules = frozenset(
        file.parent.name if file.stem == "__init__" else file.stem for file in files if file.suffix == ".py"
    )
    for file in files:
        rewrite = _rewriter(file, spellings, modules, settings, workspace)
        if rewrite is None:
            continue
        try:
            before = file.read_bytes().decode("utf-8")
        except UnicodeDecodeError:
            yield Change(file, file, "", "", (Note(1, "This file is not in UTF-8; rewrite it by hand."),))
            continue
        after, notes = rewrite(before)
        to = file.with_name(file.name.replace(ROOT, "penstock")) if _is_instance_file(file) else file
        if after != before or notes or to != file:
            yield Change(file, to, before, after, notes)


def _files(folder: Path) -> Iterator[Path]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            each for each in folders if each not in _NOT_OURS and (not each.startswith(".") or each == ".github")
        )
        if (Path(root) / "pyvenv.cfg").exists():
            folders.clear()
            continue
        for name in sorted(names):
            file = Path(root) / name
            if file.is_file() and file.stat().st_size <= _LARGEST:
                yield file


def _is_instance_file(file: Path) -> bool:
    return _INSTANCE.fullmatch(file.name) is not None


def _rewriter(
    file: Path, spellings: Spellings, modules: frozenset[str], settings: ConfigType, workspace: ConfigType
) -> Callable[[str], Rewritten] | None:
    if file.suffix == ".py":
        return partial(rewrite_python, spellings=spellings, own_modules=modules)
    if _is_instance_file(file):
        return partial(rewrite_instance_file, schema=settings)
    if file.name in ("workspace.yaml", "workspace.yml"):
        return partial(check_workspace_file, schema=workspace)
    if file.name == "pyproject.toml":
        return rewrite_project_file
    if file.name.startswith("requirements") and file.suffix in (".txt", ".in"):
        return rewrite_requirements_file
    if _OTHER.fullmatch(file.name):
        return rewrite_other_text
    return None
