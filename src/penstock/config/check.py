"""Checks a value against a schema: fills in defaults and reports all mistakes at once, each with place and remedy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ..wording import joined, listed, nearest_name, with_article
from .problems import Checked, ConfigProblem, Problem, place, sentence
from .scaffold import scaffold
from .schema import (
    UNSET,
    Array,
    ConfigType,
    Enum,
    Field,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarKind,
    ScalarUnion,
    Selector,
    Shape,
    env_name,
    only_choice,
)

__all__ = ["check"]

Path = tuple[str, ...]

# Bounds for what a message shows.
_SHOWN = 60
_LONGEST_STUB = 500

_EXPECTED: Mapping[ScalarKind, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "str": "text",
    "any": "any value",
}
_PYTHON: Mapping[ScalarKind, tuple[type, ...]] = {"int": (int,), "float": (int, float), "bool": (bool,), "str": (str,)}


def check(schema: ConfigType, value: object, *, path: Path = (), root: str = "the config") -> Checked:
    """Check `value` against `schema`.

    The forms `{env: NAME}` stay as they are. A mapping or list given as null counts as empty, as a YAML key without a
    value means it. The given value is never changed.

    Args:
        schema: The type that the value must have.
        value: Plain values: dicts, lists, numbers, text, booleans, None.
        path: Where the value stands in a larger config; it begins the path of each problem.
        root: What messages call the value at the empty path.

    Returns:
        The value with defaults filled in, or every problem found.
    """
    walk = _Walk(root)
    result = walk.visit(schema, value, path, secret=False)
    return Checked(value=result, problems=tuple(walk.problems))


class _Walk:
    """One pass over a value; it gathers the problems."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.problems: list[Problem] = []

    def visit(self, schema: ConfigType, value: Any, path: Path, *, secret: bool) -> Any:
        match schema:
            case Scalar():
                return self.scalar(schema, value, path, secret)
            case Enum():
                if isinstance(value, str) and value in schema.values:
                    return value
                return self.mismatch(schema, value, path, secret)
            case Noneable():
                return None if value is None else self.visit(schema.inner, value, path, secret=secret)
            case ScalarUnion():
                return self.either(schema, value, path, secret)
            case Array():
                if value is None:
                    return []
                if not isinstance(value, list | tuple):
                    return self.mismatch(schema, value, path, secret)
                return [
                    self.visit(schema.item, item, (*path, str(index)), secret=secret)
                    for index, item in enumerate(value)
                ]
        given = {} if value is None else value
        if not isinstance(given, Mapping):
            return self.mismatch(schema, value, path, secret)
        match schema:
            case MapOf():
                return self.free_keys(schema, given, path, secret)
            case Selector():
                return self.one_of(schema, given, path, secret)
            case Shape() | Permissive():
                return self.fields(schema, given, path, secret)

    def scalar(self, schema: Scalar, value: Any, path: Path, secret: bool) -> Any:
        if schema.kind == "any" or env_name(value) is not None:
            return value
        if not _fits(schema.kind, value):
            return self.mismatch(schema, value, path, secret)
        return _as_float(value) if schema.kind == "float" else value

    def either(self, schema: ScalarUnion, value: Any, path: Path, secret: bool) -> Any:
        if env_name(value) is None:
            if isinstance(value, Mapping | list | tuple):
                return self.visit(schema.other, value, path, secret=secret)
            if not _fits(schema.scalar.kind, value):
                return self.mismatch(schema, value, path, secret)
        return self.scalar(schema.scalar, value, path, secret)

    def free_keys(self, schema: MapOf, given: Mapping[Any, Any], path: Path, secret: bool) -> dict[Any, Any]:
        result = {}
        for key, item in given.items():
            inner = (*path, str(key))
            if not _key_fits(schema.key, key):
                label = "" if schema.key_label is None else f" ({schema.key_label})"
                self.mismatch(Scalar(kind=schema.key), key, inner, secret, what=f"The key{label} of ")
            result[key] = self.visit(schema.value, item, inner, secret=secret)
        return result

    def one_of(self, schema: Selector, given: Mapping[Any, Any], path: Path, secret: bool) -> Any:
        choice = only_choice(schema)
        if not given and choice is not None:
            return {choice: self.absent(schema.fields[choice], (*path, choice), secret)}
        unknown = [key for key in given if key not in schema.fields]
        for key in unknown:
            self.unknown(key, schema.fields, path)
        if unknown:
            return given
        if len(given) != 1:
            found = "none is given; add one" if not given else f"{listed(given, 'and')} are given; keep one"
            self.report(
                path,
                ConfigProblem.SELECTOR_FIELD_ERROR,
                f"{place(path, self.root)} takes exactly one of {listed(schema.fields, 'or')}, but {found}.",
            )
            return given
        ((key, item),) = given.items()
        field = schema.fields[key]
        return {key: self.visit(field.type, item, (*path, key), secret=secret or field.secret)}

    def fields(self, schema: Shape | Permissive, given: Mapping[Any, Any], path: Path, secret: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        if isinstance(schema, Shape) and schema.aliases:
            given = self.by_name(schema, given, path)
        for name, field in schema.fields.items():
            inner = (*path, name)
            if name in given:
                result[name] = self.visit(field.type, given[name], inner, secret=secret or field.secret)
            elif field.required:
                self.lacks(name, field, path)
            else:
                filled = self.absent(field, inner, secret)
                if filled is not UNSET:
                    result[name] = filled
        for key in given:
            if key in schema.fields:
                continue
            if isinstance(schema, Permissive):
                result[key] = given[key]
            else:
                self.unknown(key, schema.fields, path)
        return result

    def lacks(self, name: str, field: Field, path: Path) -> None:
        """Report a required field that is missing; where it is a mapping, what is required in it, with a stub."""
        where, inner = place(path, self.root), (*path, name)
        leaves = list(_required(field, inner))
        if len(leaves[0][0]) == len(inner):
            told = f'{where} lacks the required field "{name}" ({_purpose(field)}); add it.'
        else:
            words = [f"{place(leaf, self.root)} ({_purpose(each)})" for leaf, each in leaves]
            stub = json.dumps({name: scaffold(field.type)})
            told = (
                f"{where} lacks the required field{'s' if len(leaves) > 1 else ''} {joined(words, 'and')}; add "
                f"{stub if len(stub) <= _LONGEST_STUB else 'what is required'} to it."
            )
        self.report(path, ConfigProblem.MISSING_REQUIRED_FIELD, told, field=name)

    def by_name(self, schema: Shape, given: Mapping[Any, Any], path: Path) -> dict[Any, Any]:
        """What is given under an alias, under the name of its field."""
        result = dict(given)
        for name, alias in schema.aliases.items():
            if alias not in result or alias in schema.fields:
                continue
            if name in result:
                self.report(
                    path,
                    ConfigProblem.FIELD_NOT_DEFINED,
                    f'{place(path, self.root)} has "{alias}" beside "{name}", which is the same field; keep one.',
                    field=alias,
                )
            result[name] = result.pop(alias)
        return result

    def absent(self, field: Field, path: Path, secret: bool) -> Any:
        """What stands in for a field that was not given: its default with the defaults inside it, or `UNSET`."""
        if field.default is UNSET:
            return UNSET
        return self.visit(field.type, field.default, path, secret=secret or field.secret)

    def unknown(self, key: Any, known: Mapping[str, Field], path: Path) -> None:
        name = str(key)
        nearest = nearest_name(name, known)
        if nearest is not None:
            remedy = f'did you mean "{nearest}"?'
        elif (within := next((each for each, field in known.items() if _has(field.type, name)), None)) is not None:
            remedy = f'move it into "{within}".'
        elif known:
            remedy = f"remove it, or use {'one of ' if len(known) > 1 else ''}{listed(sorted(known), 'or')}."
        else:
            remedy = "it takes no fields; remove it."
        self.report(
            (*path, name),
            ConfigProblem.FIELD_NOT_DEFINED,
            f'{place(path, self.root)} has no field "{name}"; {remedy}',
            field=name,
            nearest=nearest,
        )

    def mismatch(self, schema: ConfigType, value: Any, path: Path, secret: bool, what: str = "") -> Any:
        shown = f"the given {_kind_of(value)} (hidden, since the field is secret)" if secret else _show(value)
        nearest = None
        if isinstance(schema, Enum) and isinstance(value, str) and not secret:
            nearest = nearest_name(value, schema.values)
        hint = f'; did you mean "{nearest}"?' if nearest is not None else f"; give {_example(schema)}."
        self.report(
            path,
            ConfigProblem.RUNTIME_TYPE_MISMATCH,
            f"{what}{place(path, self.root)} must be {expected(schema)}, not {shown}{hint}",
            nearest=nearest,
        )
        return value

    def report(
        self,
        path: Path,
        reason: ConfigProblem,
        message: str,
        field: str | None = None,
        nearest: str | None = None,
    ) -> None:
        problem = Problem(path=path, reason=reason, message=sentence(message), field=field, nearest=nearest)
        self.problems.append(problem)


def _fits(kind: ScalarKind, value: Any) -> bool:
    """Whether a value is of a kind of scalar; true and false are no numbers."""
    return kind == "any" or (isinstance(value, _PYTHON[kind]) and (kind == "bool" or not isinstance(value, bool)))


def _required(field: Field, path: Path) -> Iterator[tuple[Path, Field]]:
    """The innermost fields that the value of a missing field would have to have, or else the field itself."""
    fields = field.type.fields if isinstance(field.type, Shape | Permissive) else {}
    inner = {name: each for name, each in fields.items() if each.required}
    for name, each in inner.items():
        yield from _required(each, (*path, name))
    if not inner:
        yield path, field


def _has(schema: ConfigType, name: str) -> bool:
    inner = schema.item if isinstance(schema, Array) else schema
    return isinstance(inner, Shape | Selector) and name in inner.fields


def _purpose(field: Field) -> str:
    """What a field takes, and what its author says of it where that is short."""
    said = (field.description or "").strip().removesuffix(".")
    return expected(field.type) + (f": {said}" if said and "\n" not in said and len(said) <= _SHOWN else "")


def _as_float(value: Any) -> Any:
    try:
        return float(value)
    except OverflowError:
        return value  # a whole number that no float can hold


def expected(schema: ConfigType) -> str:
    """What a value of this type is, in words that complete "it must be ..."."""
    match schema:
        case Scalar():
            return _EXPECTED[schema.kind]
        case Enum():
            return f"one of {listed(schema.values, 'or')}"
        case Noneable():
            return f"{expected(schema.inner)} or null"
        case ScalarUnion():
            return f"{expected(schema.scalar)} or {expected(schema.other)}"
        case Array():
            return f"a list, each item {expected(schema.item)}"
        case Selector():
            return f"a mapping with exactly one of {listed(schema.fields, 'or')}"
        case MapOf() | Shape() | Permissive():
            return "a mapping"


def _example(schema: ConfigType) -> str:
    match schema:
        case Scalar(kind="int"):
            return "for example 3, or {env: NAME}"
        case Scalar(kind="float"):
            return "for example 2.5, or {env: NAME}"
        case Scalar(kind="bool"):
            return "true, false, or {env: NAME}"
        case Scalar(kind="str"):
            return "text in quotes, or {env: NAME}"
        case Enum():
            return "one of these words"
        case Noneable():
            return _example(schema.inner)
        case ScalarUnion():
            return _example(schema.scalar)
        case Array():
            return "a list, even for one item"
        case _:
            return "keys and values"


def _kind_of(value: Any) -> str:
    if value is None:
        return "null"
    names: tuple[tuple[type, str], ...] = (
        (bool, "boolean"),
        (int, "whole number"),
        (float, "number"),
        (str, "text"),
        (Mapping, "mapping"),
        (list, "list"),
        (tuple, "list"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), type(value).__qualname__)


def _show(value: Any) -> str:
    if value is None:
        return "null"
    text = repr(value)
    if len(text) > _SHOWN:
        text = text[: _SHOWN - 3] + "..."
    return f"{text} ({with_article(_kind_of(value))})" if not isinstance(value, str) else f"the text {text}"


def _key_fits(kind: ScalarKind, key: Any) -> bool:
    """Whether a key reads as `kind`: JSON knows text keys alone, YAML and Python more."""
    if kind == "any":
        return True
    if kind == "str":
        return isinstance(key, str)
    if not isinstance(key, str):
        return _fits(kind, key)
    if kind == "bool":
        return key in ("true", "false")
    try:
        int(key) if kind == "int" else float(key)
    except ValueError:
        return False
    return True
