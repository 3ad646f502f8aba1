"""Metadata as a script gives it, made ready for the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .errors import PipesError
from .wire import INFER, METADATA_TYPES, PipesMetadataValue

__all__ = ["as_json", "wire_metadata"]

_PLAIN = (str, int, float, bool, list, tuple, dict, type(None))


def as_json(value: Any, what: str) -> str:
    """A value as JSON text.

    Raises:
        PipesError: JSON cannot hold it; the message names `what`.
    """
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise PipesError(f"{what} cannot be sent as JSON: {error}. Convert it, for example to text.") from error


def wire_metadata(metadata: Mapping[str, Any] | None, method: str) -> dict[str, PipesMetadataValue] | None:
    """Each value with its kind; a plain value leaves the kind to the orchestrator.

    Raises:
        PipesError: A value, a kind or a label is not one that can be sent.
    """
    if metadata is None:
        return None
    if not isinstance(metadata, Mapping):
        raise PipesError(f"The metadata of {method} is {metadata!r}; give a mapping from label to value.")
    return {_label(label, method): _value(label, value, method) for label, value in metadata.items()}


def _label(label: Any, method: str) -> str:
    if not isinstance(label, str):
        raise PipesError(f"The metadata of {method} has the label {label!r}; labels are text.")
    return label


def _value(label: str, value: Any, method: str) -> PipesMetadataValue:
    what = f"The metadata {label!r} of {method}"
    if isinstance(value, Mapping) and set(value) == {"type", "raw_value"}:
        kind, raw = value["type"], value["raw_value"]
        if kind not in METADATA_TYPES:
            raise PipesError(f"{what} has the type {kind!r}; the types are {', '.join(sorted(METADATA_TYPES))}.")
    else:
        kind, raw = INFER, value
    if not isinstance(raw, _PLAIN):
        raise PipesError(f"{what} is a {type(raw).__name__}; give text, a number, a list, a dict, true, false or None.")
    as_json(raw, what)
    return {"type": kind, "raw_value": raw}
