"""Hides the values of secret fields wherever a config is shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .schema import Array, ConfigType, Field, MapOf, Noneable, Permissive, Selector, Shape, env_name

__all__ = ["HIDDEN", "redact"]

HIDDEN = "******"
"""What stands in the place of a secret."""


def redact(schema: ConfigType, value: Any) -> Any:
    """A copy of `value` with each given value of a secret field hidden.

    The form `{env: NAME}` stays readable: the name of a variable is no secret. Parts that do not fit the schema are
    kept, so that a config can be shown beside its mistakes; inside a secret field nothing else is kept.
    """
    match schema:
        case Noneable():
            return None if value is None else redact(schema.inner, value)
        case Array():
            return [redact(schema.item, item) for item in value] if isinstance(value, list | tuple) else value
        case MapOf():
            if isinstance(value, Mapping):
                return {key: redact(schema.value, item) for key, item in value.items()}
        case Shape() | Permissive() | Selector():
            if isinstance(value, Mapping):
                return {key: _field(schema.fields.get(key), item) for key, item in value.items()}
    return value


def _field(field: Field | None, value: Any) -> Any:
    if field is None or value is None:
        return value
    if field.secret:
        return value if env_name(value) is not None else HIDDEN
    return redact(field.type, value)
