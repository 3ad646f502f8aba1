"""The config that a definition takes: what a run config must give, and how user code's own config is made of it.

`OpenConfig` is given as it is declared. `MappedConfig` is given in another form, of which a function of the user's
makes the config inside. `GivenConfig` is given in code, and a run config gives nothing. The last two come of
`configured`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from ..errors import ConfigMappingError, DefinitionError, PenstockError
from .check import check
from .env import resolve
from .fields import Enter, read_field
from .problems import Problem
from .run_config import SupportsConfigDict, plain_config
from .schema import UNSET, Field
from .secrets import mask, secrets_of

__all__ = [
    "DeclaredConfig",
    "Finished",
    "GivenConfig",
    "MappedConfig",
    "OpenConfig",
    "call_mapping",
    "configured_config",
    "outer_config",
]

Path = tuple[str, ...]


class Finished(msgspec.Struct, frozen=True, kw_only=True):
    """Config as user code gets it.

    Args:
        value: As `context.op_config` and its like show it: plain values, with Python values for the words of an enum.
        typed: As a parameter `config` takes it: an instance of the config class where there is one.
        problems: What is wrong with it; with any, the rest does not count.
        hidden: Texts in it that no message may show: of secrets and of environment variables.
    """

    value: Any = None
    typed: Any = None
    problems: tuple[Problem, ...] = ()
    hidden: tuple[str, ...] = ()


class DeclaredConfig(Protocol):
    """The config that a definition takes."""

    @property
    def field(self) -> Field | None:
        """What a run config must or may give; None for nothing."""
        ...

    def finish(self, given: Any, environ: Mapping[str, str], *, path: Path, root: str) -> Finished:
        """The config as user code gets it.

        Args:
            given: What a run config gave, checked against the field; None where it gave nothing.
            environ: The variables that `{env: NAME}` is read from.
            path: Where it stands in the run config.
            root: What messages call the value at the empty path.

        Raises:
            ConfigMappingError: A function of the user's that makes config raised.
        """
        ...


class OpenConfig:
    """Config that is given as it is declared.

    Args:
        config_schema: Any form that `config_schema` takes.
        default: What stands in when it is not given: plain values, or an instance of the config class.

    Raises:
        ConfigSchemaError: It cannot be read.
    """

    __slots__ = ("_enter", "field", "model")

    def __init__(self, config_schema: Any, default: Any = UNSET) -> None:
        read = read_field(config_schema)
        self._enter: Enter | None = read.enter
        self.field: Field = read.field
        self.model: type | None = None
        if isinstance(config_schema, type) and hasattr(config_schema, "model_fields"):
            self.model = config_schema
        if default is not UNSET:
            plain = default.to_config_dict() if isinstance(default, SupportsConfigDict) else default
            self.field = msgspec.structs.replace(self.field, required=False, default=plain)

    def finish(self, given: Any, environ: Mapping[str, str], *, path: Path, root: str) -> Finished:
        """See `DeclaredConfig.finish`."""
        if given is None:
            if self.model is None:
                return Finished()
            given = {}
        resolved = resolve(self.field.type, given, environ, path=path, root=root)
        if resolved.problems:
            return Finished(problems=resolved.problems)
        secrets = (each for _, each in secrets_of(self.field.type, resolved.value) if isinstance(each, str))
        hidden = (*resolved.from_env.values(), *secrets)
        if self.model is None:
            value = resolved.value if self._enter is None else self._enter(resolved.value)
            return Finished(value=value, typed=value, hidden=hidden)
        from .model import build

        built = build(self.model, resolved.value, path=path, root=root, hidden=resolved.from_env)
        return Finished(value=resolved.value, typed=built.value, problems=built.problems, hidden=hidden)


class MappedConfig:
    """Config that a function makes of what is given.

    Args:
        outer: What is given.
        make: Makes the config of the inside, from the finished config of the outside.
        inner: What the made config must be.
        what: Whose config it is, as messages call it.
    """

    __slots__ = ("inner", "make", "outer", "what")

    def __init__(self, outer: DeclaredConfig, make: Callable[[Any], Any], inner: DeclaredConfig, what: str) -> None:
        self.outer = outer
        self.make = make
        self.inner = inner
        self.what = what

    @property
    def field(self) -> Field | None:
        """What is given."""
        return self.outer.field

    def finish(self, given: Any, environ: Mapping[str, str], *, path: Path, root: str) -> Finished:
        """See `DeclaredConfig.finish`."""
        outer = self.outer.finish(given, environ, path=path, root=root)
        if outer.problems:
            return outer
        made = call_mapping(self.make, outer.typed, self.what)
        inside = _finish_inside(self.inner, made, environ, self.what)
        problems = mask(inside.problems, outer.hidden)  # what was hidden outside stays so where a function passed it on
        return msgspec.structs.replace(inside, problems=problems, hidden=(*inside.hidden, *outer.hidden))


class GivenConfig:
    """Config that is given in code, in place of each run config.

    Args:
        inner: What it must be.
        value: The config, in plain values.
        what: Whose config it is, as messages call it.

    Raises:
        InvalidRunConfigError: It does not fit.
    """

    __slots__ = ("inner", "value", "what")
    field: Field | None = None

    def __init__(self, inner: DeclaredConfig, value: Any, what: str) -> None:
        self.inner = inner
        self.value = plain_config(value)
        self.what = what
        if inner.field is not None:
            root = f"the config of {what}"
            check(inner.field.type, self.value, root=root).unwrap(f"The config of {what}")

    def finish(self, given: Any, environ: Mapping[str, str], *, path: Path, root: str) -> Finished:
        """See `DeclaredConfig.finish`."""
        return _finish_inside(self.inner, self.value, environ, self.what)


def _finish_inside(inner: DeclaredConfig, made: Any, environ: Mapping[str, str], what: str) -> Finished:
    """The config of the inside; its paths begin anew, since no run config holds them."""
    root = f"the config made for {what}"
    if inner.field is None:
        return inner.finish(None, environ, path=(), root=root)
    checked = check(inner.field.type, made, root=root)
    if checked.problems:
        return Finished(problems=checked.problems)
    return inner.finish(checked.value, environ, path=(), root=root)


def call_mapping(make: Callable[[Any], Any], config: Any, what: str) -> Any:
    """What a user's function makes of a config, in plain values.

    Raises:
        ConfigMappingError: It raised.
    """
    try:
        return plain_config(make(config))
    except PenstockError:
        raise
    except Exception as error:
        raise ConfigMappingError(
            f"The function that makes the config of {what} raised {type(error).__name__}: {error}"
        ) from error


def configured_config(inner: DeclaredConfig | None, config: Any, config_schema: Any, what: str) -> DeclaredConfig:
    """The config of a definition that is configured in code.

    Args:
        inner: The config that it took before.
        config: The config itself, or a function that makes it of another form.
        config_schema: The other form; if not given, the function's annotation if that is a config class, else any.
        what: Whose config it is, as messages call it.

    Raises:
        DefinitionError: It takes no config, or a form is given for a config that is no function.
        InvalidRunConfigError: The config does not fit.
    """
    if inner is None:
        raise DefinitionError(f"{what} takes no config, so it cannot be configured; declare a config_schema first.")
    is_class = isinstance(config, type)
    if not callable(config) or is_class or isinstance(config, SupportsConfigDict):
        if config_schema is not None:
            raise DefinitionError(
                f"{what} is configured with {config!r} and a config_schema; the schema belongs to a function that "
                "makes the config, so drop it or give a function."
            )
        return GivenConfig(inner, config, what)
    return MappedConfig(outer_config(config, config_schema), config, inner, what)


def outer_config(make: Callable[[Any], Any], config_schema: Any) -> OpenConfig:
    """The form that a user's function takes: as declared, else by its annotation, else anything."""
    if config_schema is None:
        config_schema = _config_class(make)
    if config_schema is None:
        return OpenConfig(Any, default={})
    return OpenConfig(config_schema)


def _config_class(make: Callable[[Any], Any]) -> type | None:
    """The config class in the annotation of a function's one parameter."""
    try:
        parameters = list(inspect.signature(make, eval_str=True).parameters.values())
    except (NameError, ValueError, TypeError):
        parameters = []
    annotation = parameters[0].annotation if parameters else None
    return annotation if isinstance(annotation, type) and hasattr(annotation, "model_fields") else None
