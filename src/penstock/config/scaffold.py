"""The smallest config that a schema accepts, for a person to fill in."""

from __future__ import annotations

from typing import Any

from .schema import (
    Array,
    ConfigType,
    Enum,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarUnion,
    Selector,
    Shape,
    only_choice,
)

__all__ = ["scaffold"]

_BLANK: dict[str, Any] = {"int": 0, "float": 0.0, "bool": False, "str": "", "any": None}


def scaffold(schema: ConfigType) -> Any:
    """Plain values that pass the check of `schema`: required fields alone, each with a blank of its type."""
    match schema:
        case Scalar():
            return _BLANK[schema.kind]
        case Enum():
            return schema.values[0] if schema.values else None
        case Noneable():
            return None
        case ScalarUnion():
            return scaffold(schema.scalar)
        case Array():
            return []
        case MapOf():
            return {}
        case Shape() | Permissive():
            return {name: scaffold(field.type) for name, field in schema.fields.items() if field.required}
        case Selector():
            if only_choice(schema) is not None:
                return {}
            return {name: scaffold(field.type) for name, field in list(schema.fields.items())[:1]}
