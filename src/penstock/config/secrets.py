"""Secrets: hides the values of secret fields in a config, and takes their defaults out of a schema, before either is
shown or leaves the user's code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from .problems import HIDDEN, ConfigProblem, Problem, hide, place
from .schema import (
    UNSET,
    Array,
    ConfigType,
    Field,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarUnion,
    Selector,
    Shape,
    env_name,
)

__all__ = ["conceal", "mask", "redact", "restore", "secrets_of", "still_hidden"]


def redact(schema: ConfigType, value: Any) -> Any:
    """A copy of `value` with each given value of a secret field hidden.

    The form `{env: NAME}` stays readable: the name of a variable is no secret. Parts that do not fit the schema are
    kept, so that a config can be shown beside its mistakes; inside a secret field nothing else is kept.
    """
    match schema:
        case Noneable():
            return None if value is None else redact(schema.inner, value)
        case ScalarUnion():
            return redact(schema.other, value)
        case Array():
            return [redact(schema.item, item) for item in value] if isinstance(value, list | tuple) else value
        case MapOf():
            if isinstance(value, Mapping):
                return {key: redact(schema.value, item) for key, item in value.items()}
        case Shape() | Permissive() | Selector():
            if isinstance(value, Mapping):
                return {key: _hidden(_field(schema, key), item) for key, item in value.items()}
    return value


def restore(schema: ConfigType, shown: Any, full: Any) -> Any:
    """A copy of `shown` in which each hidden secret is again the one that `full`, the config it was made of, has there.

    A secret that `full` does not have stays hidden, see `still_hidden`.
    """
    match schema:
        case Noneable():
            return restore(schema.inner, shown, full)
        case ScalarUnion():
            return restore(schema.other, shown, full)
        case Array():
            if isinstance(shown, list) and isinstance(full, list | tuple) and len(shown) == len(full):
                return [restore(schema.item, item, before) for item, before in zip(shown, full, strict=True)]
        case MapOf():
            if isinstance(shown, Mapping) and isinstance(full, Mapping):
                return {key: restore(schema.value, item, full.get(key)) for key, item in shown.items()}
        case Shape() | Permissive() | Selector():
            if isinstance(shown, Mapping) and isinstance(full, Mapping):
                return {key: _restored(_field(schema, key), item, full.get(key)) for key, item in shown.items()}
    return shown


def still_hidden(schema: ConfigType, value: Any) -> Iterator[Problem]:
    """A problem for each secret that stands hidden in a config, so that nobody takes the mask for the secret."""
    for path, secret in secrets_of(schema, value):
        if secret == HIDDEN:
            message = (
                f"{place(path, '')} is {HIDDEN}, which only stands for a secret that is not shown; "
                "give the secret itself, or {env: NAME}."
            )
            yield Problem(path=path, reason=ConfigProblem.RUNTIME_TYPE_MISMATCH, message=message)


def secrets_of(schema: ConfigType, value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """The values of the secret fields of a config, each with its path; what does not fit the schema is passed over."""
    match schema:
        case Noneable():
            yield from secrets_of(schema.inner, value, path)
        case ScalarUnion():
            yield from secrets_of(schema.other, value, path)
        case Array() if isinstance(value, list | tuple):
            for index, item in enumerate(value):
                yield from secrets_of(schema.item, item, (*path, str(index)))
        case MapOf() if isinstance(value, Mapping):
            for key, item in value.items():
                yield from secrets_of(schema.value, item, (*path, str(key)))
        case Shape() | Permissive() | Selector() if isinstance(value, Mapping):
            for key, item in value.items():
                field, at = _field(schema, key), (*path, str(key))
                if field is not None and field.secret:
                    yield at, item
                elif field is not None:
                    yield from secrets_of(field.type, item, at)


def mask(problems: Iterable[Problem], texts: Collection[str]) -> tuple[Problem, ...]:
    """The problems with these texts hidden in their messages."""
    found = tuple(problems)
    for text in texts:
        found = tuple(replace(each, message=hide(each.message, text)) for each in found)
    return found


def conceal(schema: ConfigType) -> ConfigType:
    """The schema without the defaults of secret fields, and without defaults that hold a secret.

    Such a field may still be left out of a config: the code behind the schema knows its default.
    """
    match schema:
        case Noneable():
            inner = conceal(schema.inner)
            return schema if inner is schema.inner else replace(schema, inner=inner)
        case ScalarUnion():
            other = conceal(schema.other)
            return schema if other is schema.other else replace(schema, other=other)
        case Array():
            item = conceal(schema.item)
            return schema if item is schema.item else replace(schema, item=item)
        case MapOf():
            value = conceal(schema.value)
            return schema if value is schema.value else replace(schema, value=value)
        case Shape() | Permissive() | Selector() if schema.fields:
            fields = {name: _without_secret(field) for name, field in schema.fields.items()}
            same = all(fields[name] is field for name, field in schema.fields.items())
            return schema if same else replace(schema, fields=fields)
    return schema


def _without_secret(field: Field) -> Field:
    if isinstance(field.type, Scalar) and not field.secret:
        return field
    kind = conceal(field.type)
    kept = field.default is UNSET or _hidden(field, field.default) == field.default
    if kind is field.type and kept:
        return field
    return replace(field, type=kind, default=field.default if kept else UNSET)


def _field(schema: Shape | Permissive | Selector, key: Any) -> Field | None:
    """The field that a key means, which may be its alias."""
    field = schema.fields.get(key)
    if field is None and isinstance(schema, Shape):
        names = [name for name, alias in schema.aliases.items() if alias == key]
        return schema.fields.get(names[0]) if names else None
    return field


def _hidden(field: Field | None, value: Any) -> Any:
    if field is None or value is None:
        return value
    if field.secret:
        return value if env_name(value) is not None else HIDDEN
    return redact(field.type, value)


def _restored(field: Field | None, shown: Any, full: Any) -> Any:
    if field is None:
        return shown
    if field.secret:
        return full if shown == HIDDEN and full is not None else shown
    return restore(field.type, shown, full)
