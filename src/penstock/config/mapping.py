"""Config mappings: a job or graph is given a config of a form of its own, and a function makes the run config of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any, overload

from ..errors import DefinitionError
from .check import check
from .declared import DeclaredConfig, OpenConfig, call_mapping, outer_config
from .problems import Checked
from .schema import ConfigType
from .secrets import mask

__all__ = ["ConfigMapping", "MadeConfig", "config_mapping"]


class MadeConfig(Checked, frozen=True, kw_only=True):
    """A run config that a function made; `hidden` are texts that no message about it may show."""

    hidden: tuple[str, ...] = ()

    def check(self, schema: ConfigType, root: str) -> Checked:
        """Check it against the schema that it has to fit."""
        checked = check(schema, self.value, root=root)
        return Checked(value=checked.value, problems=mask(checked.problems, self.hidden))


class ConfigMapping:
    """Makes the run config of what is inside a job or graph of a config of another form.

    Args:
        config_fn: Takes the config; gives, for a job, a run config, for a graph, the entries of its nodes by name.
        config_schema: What the config looks like; by the function's annotation, or anything, if not given.
        receive_processed_config_values: Whether the function gets values ready for use, or with False as they were
            written: the words of enums and `{env: NAME}` as such.
    """

    def __init__(
        self,
        config_fn: Callable[[Any], Any],
        config_schema: Any = None,
        receive_processed_config_values: bool | None = None,
    ) -> None:
        if not callable(config_fn):
            raise DefinitionError(f"A config mapping needs a function that makes the config, not {config_fn!r}.")
        self.config_fn = config_fn
        self.config_schema = config_schema
        self.receive_processed_config_values = receive_processed_config_values

    @cached_property
    def declared_config(self) -> OpenConfig:
        """What is given."""
        return outer_config(self.config_fn, self.config_schema)

    def make(
        self,
        declared: DeclaredConfig,
        given: Any,
        environ: Mapping[str, str],
        *,
        path: tuple[str, ...],
        root: str,
        what: str,
    ) -> MadeConfig:
        """The run config that the function makes, in plain values and not checked, or what is wrong with the config.

        Args:
            declared: What was given: this mapping's own, or what `configured` put before it.
            given: What a run config gave, checked.
            environ: The variables that `{env: NAME}` is read from.
            path: Where it stands in the run config.
            root: What messages call the value at the empty path.
            what: Whose config is made, as messages call it.

        Raises:
            ConfigMappingError: The function raised.
        """
        finished = declared.finish(given, environ, path=path, root=root)
        if finished.problems:
            return MadeConfig(value=None, problems=finished.problems)
        raw = self.receive_processed_config_values is False and declared is self.declared_config
        made = call_mapping(self.config_fn, given if raw else finished.typed, what)
        if not isinstance(made, Mapping):
            raise DefinitionError(f"The config mapping of {what} made {made!r}; give a dict or a RunConfig.")
        return MadeConfig(value=made, hidden=finished.hidden)


@overload
def config_mapping(config_fn: Callable[..., Any], /) -> ConfigMapping: ...
@overload
def config_mapping(
    *, config_schema: Any = None, receive_processed_config_values: bool | None = None
) -> Callable[[Callable[..., Any]], ConfigMapping]: ...
def config_mapping(
    config_fn: Callable[..., Any] | None = None,
    /,
    *,
    config_schema: Any = None,
    receive_processed_config_values: bool | None = None,
) -> ConfigMapping | Callable[[Callable[..., Any]], ConfigMapping]:
    """Make a config mapping of a function; give it to `@job(config=...)` or `@graph(config=...)`.

    Args:
        config_schema: What its parameter looks like; by its annotation, or anything, if not given.
        receive_processed_config_values: Whether it gets values ready for use, or with False as they were written.
    """

    def define(fn: Callable[..., Any]) -> ConfigMapping:
        return ConfigMapping(fn, config_schema, receive_processed_config_values)

    return define if config_fn is None else define(config_fn)
