"""A run config written in Python: what users pass instead of a nested dict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from ..errors import DefinitionError
from .env import EnvVar, IntEnvVar

__all__ = ["RunConfig", "SupportsConfigDict", "plain_config", "plain_run_config"]


@runtime_checkable
class SupportsConfigDict(Protocol):
    """Typed config that can be written as plain values: a `Config`, a configurable resource."""

    def to_config_dict(self) -> dict[str, Any]:
        """The config as plain values."""
        ...


class RunConfig:
    """The config of one run.

    Args:
        ops: By op or asset name, either a `Config` or the plain mapping with its `config`, `inputs`, `ops` keys.
        resources: By resource key, either a configurable resource or the plain mapping.
        loggers: By logger name, the plain mapping.
        execution: The executor's config, the plain mapping or a `Config`.
    """

    __slots__ = ("execution", "loggers", "ops", "resources")

    def __init__(
        self,
        ops: Mapping[str, Any] | None = None,
        resources: Mapping[str, Any] | None = None,
        loggers: Mapping[str, Any] | None = None,
        execution: Mapping[str, Any] | SupportsConfigDict | None = None,
    ) -> None:
        self.ops = dict(ops or {})
        self.resources = dict(resources or {})
        self.loggers = dict(loggers or {})
        self.execution = execution

    def to_config_dict(self) -> dict[str, Any]:
        """The run config as plain values; parts that were not given are left out."""
        parts = {name: getattr(self, name) for name in ("loggers", "resources", "ops", "execution")}
        return {name: _section(name, given) for name, given in parts.items() if given}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunConfig) and self.to_config_dict() == other.to_config_dict()

    __hash__ = None  # type: ignore[assignment]  # equal by content, which may change

    def __repr__(self) -> str:
        return f"RunConfig({', '.join(f'{key}={value!r}' for key, value in self.to_config_dict().items())})"


def plain_run_config(config: Mapping[str, Any] | RunConfig | None, what: str) -> dict[str, Any]:
    """A run config as plain values, whichever way it was written.

    Raises:
        DefinitionError: It is neither a mapping nor a RunConfig; `what` says whose it is.
    """
    match config:
        case None:
            return {}
        case RunConfig():
            return config.to_config_dict()
        case Mapping():
            return {name: _section(name, given) for name, given in config.items()}
    raise DefinitionError(f"The run config of {what} is {config!r}; give a dict or a RunConfig.")


def plain_config(config: Any) -> Any:
    """A config as plain values: typed config, run configs and marked variables written out, at any depth."""
    return config.to_config_dict() if isinstance(config, RunConfig) else _plain(config)


def _section(name: str, given: Any) -> Any:
    if name in ("loggers", "resources", "ops") and isinstance(given, Mapping):
        return {key: _entry(value) for key, value in given.items()}
    return _entry(given)


def _entry(value: Any) -> Any:
    """What stands for one op or resource: typed config goes under its `config` key."""
    return {"config": value.to_config_dict()} if isinstance(value, SupportsConfigDict) else _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case EnvVar() | IntEnvVar():
            return {"env": value.env_var_name}
        case Mapping():
            return {key: _nested(key, each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case SupportsConfigDict():
            return value.to_config_dict()
    return value


def _nested(key: object, value: Any) -> Any:
    """A graph's inner ops are entries like those of the top."""
    if key == "ops" and isinstance(value, Mapping):
        return {name: _entry(each) for name, each in value.items()}
    return _plain(value)
