"""Run configs that are kept in YAML: files, texts and files inside of packages, merged into one."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ..config.yaml_document import YamlDocument, merge_config, parse_yaml
from ..errors import SettingsError
from ..wording import kind_of

__all__ = ["config_from_files", "config_from_pkg_resources", "config_from_yaml_strings"]


def config_from_files(config_files: Sequence[str | Path]) -> dict[str, Any]:
    """The run config that YAML files hold together; of a value that several set, the last counts.

    Args:
        config_files: Paths, or patterns such as `config/*.yaml`, whose files are taken in the order of their names.

    Raises:
        SettingsError: A path or pattern names no file, or a file cannot be read or holds no mapping.
    """
    documents = []
    for each in config_files:
        found = sorted(glob.glob(str(each)))  # noqa: PTH207 - a pattern may begin anywhere
        if not found:
            raise SettingsError(f"{str(each)!r} names no file; give the path of a YAML file, or a pattern for some.")
        documents += [_read(Path(path)) for path in found]
    return _merged(documents)


def config_from_yaml_strings(yaml_strings: Sequence[str]) -> dict[str, Any]:
    """The run config that YAML texts hold together; of a value that several set, the last counts.

    Args:
        yaml_strings: The texts.

    Raises:
        SettingsError: A text is not valid YAML, or holds no mapping.
    """
    return _merged(parse_yaml(text, f"YAML text {number}") for number, text in enumerate(yaml_strings, 1))


def config_from_pkg_resources(pkg_resource_defs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """The run config that YAML files inside of packages hold together; of a value that several set, the last counts.

    Args:
        pkg_resource_defs: For each file, the package's name and the file's path in it.

    Raises:
        SettingsError: There is no such package or file, or it cannot be read or holds no mapping.
    """
    from importlib import resources

    documents = []
    for package, name in pkg_resource_defs:
        file = f"{name} of the package {package}"
        try:
            data = resources.files(package).joinpath(name).read_bytes()
        except (ImportError, OSError, TypeError) as error:
            raise SettingsError(f"Cannot read {file}: {error}. See that it exists and is installed.") from error
        documents.append(parse_yaml(data, file))
    return _merged(documents)


def _read(path: Path) -> YamlDocument:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"Cannot read {path}: {error.strerror}. See that the file may be read.") from error
    return parse_yaml(data, str(path))


def _merged(documents: Iterable[YamlDocument]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for document in documents:
        if not isinstance(document.value, dict):
            raise SettingsError(
                f"{document.file} holds {kind_of(document.value)}; a run config is a mapping, `ops: ...`."
            )
        merged = merge_config(merged, document.value)
    return merged
