"""Values that come from environment variables: how users mark them, and where they are filled in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from ..errors import ConfigurationError, UsageError
from .problems import Checked, ConfigProblem, Problem, place, sentence
from .schema import (
    Array,
    ConfigType,
    MapOf,
    Noneable,
    Permissive,
    Scalar,
    ScalarKind,
    ScalarUnion,
    Selector,
    Shape,
    env_name,
)

__all__ = ["EnvVar", "IntEnvVar", "Resolved", "resolve"]

_WORDS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


class EnvVar(str):
    """Marks a text value that is read from an environment variable when the run needs it.

    Args:
        name: The variable's name.
    """

    __slots__ = ()

    @classmethod
    def int(cls, name: str) -> IntEnvVar:
        """Mark a whole number that is read from the environment variable `name`."""
        return IntEnvVar(name)

    @property
    def env_var_name(self) -> str:
        """The variable's name."""
        return super().__str__()

    def get_value(self, default: str | None = None) -> str | None:
        """The variable's present value, or `default` where it is not set."""
        return os.environ.get(self.env_var_name, default)

    def __repr__(self) -> str:
        return f"EnvVar({super().__str__()!r})"

    def __str__(self) -> str:
        raise _too_early(self)

    def __format__(self, spec: str) -> str:
        raise _too_early(self)


class IntEnvVar(int):
    """What `EnvVar.int` makes: a whole number that is read from an environment variable when the run needs it."""

    env_var_name: str

    def __new__(cls, name: str) -> IntEnvVar:
        marker = super().__new__(cls, 0)
        marker.env_var_name = name
        return marker

    def get_value(self, default: int | None = None) -> int | None:
        """The variable's present value, or `default` where it is not set.

        Raises:
            ConfigurationError: The variable does not hold a whole number.
        """
        text = os.environ.get(self.env_var_name)
        if text is None:
            return default
        try:
            return int(text)
        except ValueError as error:
            raise ConfigurationError(
                f"The environment variable {self.env_var_name} must hold a whole number; set it to one, for example 3."
            ) from error

    def __repr__(self) -> str:
        return f"EnvVar.int({self.env_var_name!r})"

    def __str__(self) -> str:
        raise _too_early(self)

    def __format__(self, spec: str) -> str:
        raise _too_early(self)

    def __int__(self) -> int:
        raise _too_early(self)


def _too_early(marker: EnvVar | IntEnvVar) -> UsageError:
    """The error for a marker that is used as if it were the variable's value."""
    return UsageError(
        f"{marker!r} is only read when a run or resource is set up; call its get_value() for the value now, or pass it "
        "on as the value of a field."
    )


class Resolved(Checked, frozen=True, kw_only=True):
    """A config with its environment variables filled in; `from_env` has, by path, the text of each that was, since no
    message may show it."""

    from_env: Mapping[tuple[str, ...], str] = {}


def resolve(
    schema: ConfigType,
    value: Any,
    environ: Mapping[str, str],
    *,
    path: tuple[str, ...] = (),
    root: str = "the config",
) -> Resolved:
    """Replace each `{env: NAME}` in a checked config by the variable's value, read as the field's type.

    A value of type `any` is left alone: there, `{env: ...}` may be the user's own data.

    Args:
        schema: The schema that the value has passed.
        value: A checked config.
        environ: The variables, normally `os.environ` of the process that runs the step.
        path: Where the value stands in a larger config.
        root: What messages call the value at the empty path.

    Returns:
        The value to run with, or one problem for each variable that is not set or does not fit; the variables' values
        are not shown.
    """
    problems: list[Problem] = []
    from_env: dict[tuple[str, ...], str] = {}

    def visit(kind: ConfigType, given: Any, at: tuple[str, ...]) -> Any:
        match kind:
            case Scalar():
                name = None if kind.kind == "any" else env_name(given)
                return given if name is None else read(name, kind.kind, at)
            case Noneable():
                return None if given is None else visit(kind.inner, given, at)
            case ScalarUnion():
                is_scalar = env_name(given) is not None or not isinstance(given, Mapping | list)
                return visit(kind.scalar if is_scalar else kind.other, given, at)
            case Array():
                return [visit(kind.item, item, (*at, str(index))) for index, item in enumerate(given)]
            case MapOf():
                return {key: visit(kind.value, item, (*at, str(key))) for key, item in given.items()}
            case Shape() | Permissive() | Selector():
                return {
                    key: visit(kind.fields[key].type, item, (*at, str(key))) if key in kind.fields else item
                    for key, item in given.items()
                }
        return given

    def read(name: str, kind: ScalarKind, at: tuple[str, ...]) -> Any:
        text = environ.get(name)
        if text is None:
            fault = f"{place(at, root)} is read from the environment variable {name}, which is not set; set it."
        else:
            from_env[at] = text
            try:
                return _read_as(kind, text)
            except ValueError:
                wanted = {"int": "a whole number", "float": "a number", "bool": "true or false"}[kind]
                fault = (
                    f"{place(at, root)} is read from the environment variable {name}, which holds something else; "
                    f"set it to {wanted}."
                )
        problems.append(Problem(path=at, reason=ConfigProblem.RUNTIME_TYPE_MISMATCH, message=sentence(fault)))
        return None

    result = visit(schema, value, path)
    return Resolved(value=result, problems=tuple(problems), from_env=from_env)


def _read_as(kind: ScalarKind, text: str) -> Any:
    match kind:
        case "int":
            return int(text)
        case "float":
            return float(text)
        case "bool":
            word = text.strip().lower()
            if word not in _WORDS:
                raise ValueError(word)
            return _WORDS[word]
        case _:
            return text
