"""Reads a YAML file that a person wrote."""

from __future__ import annotations

from pathlib import Path

from ..config.yaml_document import LARGEST_BYTES, YamlDocument, parse_yaml
from ..errors import SettingsError

__all__ = ["read_yaml"]


def read_yaml(path: Path) -> YamlDocument:
    """Read a YAML file; an empty one is an empty mapping.

    Raises:
        SettingsError: It cannot be read, is too large or too deep, is not valid YAML, or has a key twice.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise SettingsError(
            f"Cannot read {path}: {error.strerror}. See that the file exists and may be read."
        ) from error
    return parse_yaml(data, str(path))
