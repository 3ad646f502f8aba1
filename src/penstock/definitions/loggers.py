"""Loggers: where the lines of a run go beside its event log, by name, as the run config chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, overload

from ..errors import DefinitionError, InvocationError
from .function import docstring
from .names import check_name
from .source import Source, source_of_function

if TYPE_CHECKING:
    import logging

    from ..config.schema import Field

__all__ = [
    "InitLoggerContext",
    "LoggerDefinition",
    "build_init_logger_context",
    "check_loggers",
    "default_loggers",
    "logger",
]


class InitLoggerContext:
    """What a logger sees while it is made.

    Args:
        logger_config: Its config, checked, environment variables filled in.
        logger_def: Its definition.
        job_def: The job whose run it is for.
        run_id: The run's id.
    """

    __slots__ = ("job_def", "logger_config", "logger_def", "run_id")

    def __init__(
        self,
        logger_config: Any = None,
        logger_def: LoggerDefinition | None = None,
        job_def: Any = None,
        run_id: str | None = None,
    ) -> None:
        self.logger_config = logger_config
        self.logger_def = logger_def
        self.job_def = job_def
        self.run_id = run_id


def build_init_logger_context(logger_config: Any = None, job_def: Any = None) -> InitLoggerContext:
    """A context for calling a logger's function directly, as tests do.

    Args:
        logger_config: The logger's config.
        job_def: The job that it shall believe to be made for.
    """
    return InitLoggerContext(logger_config, job_def=job_def)


class LoggerDefinition:
    """How to make a Python logger that gets the lines of a run. Make one with `@logger`.

    Args:
        logger_fn: Makes the logger, a `logging.Logger`; takes an `InitLoggerContext`.
        config_schema: What its config looks like, read as `context.logger_config`.
        description: Where its lines go.
    """

    def __init__(
        self,
        logger_fn: Callable[[InitLoggerContext], logging.Logger],
        config_schema: Any = None,
        description: str | None = None,
    ) -> None:
        if not callable(logger_fn):
            raise DefinitionError(f"A logger needs a function that makes it, not {logger_fn!r}.")
        self.logger_fn = logger_fn
        self.config_schema = config_schema
        self.description = description or docstring(logger_fn)

    @property
    def source(self) -> Source | None:
        """Where it is written."""
        return source_of_function(self.logger_fn)

    @cached_property
    def config_field(self) -> Field:
        """What its config looks like and whether it must be given; without a schema any."""
        from ..config.fields import to_field
        from ..config.schema import Field, Scalar

        if self.config_schema is None:
            return Field(type=Scalar(), required=False)
        try:
            # A function stands for a schema that is costly to build.
            is_made = callable(self.config_schema) and not isinstance(self.config_schema, type)
            return to_field(self.config_schema() if is_made else self.config_schema)
        except DefinitionError as error:
            raise DefinitionError(
                f"The config_schema of the logger at {self.source} cannot be read: {error}"
            ) from error

    def make(self, context: InitLoggerContext) -> logging.Logger:
        """The logger; raises `DefinitionError` if its function gives something else."""
        import logging

        made = self.logger_fn(context)
        if not isinstance(made, logging.Logger):
            raise DefinitionError(f"The logger at {self.source} gave {made!r}; its function returns a logging.Logger.")
        return made

    def __call__(self, context: InitLoggerContext | None = None) -> logging.Logger:
        """Make the logger, as tests do.

        Raises:
            InvocationError: The argument is no `InitLoggerContext`.
            InvalidRunConfigError: The config does not fit its schema.
        """
        from ..config.check import check

        given = InitLoggerContext() if context is None else context
        if not isinstance(given, InitLoggerContext):
            raise InvocationError(
                f"The logger at {self.source} was called with {given!r}; make a context with "
                "build_init_logger_context(logger_config=...)."
            )
        field, config, subject = self.config_field, given.logger_config, "The config of the logger"
        if config is None and not field.required:
            config = {} if self.config_schema is not None else None
        checked = None if config is None else check(field.type, config, root="the config").unwrap(subject)
        return self.make(InitLoggerContext(checked, self, given.job_def, given.run_id))


@overload
def logger(config_schema: Callable[[InitLoggerContext], logging.Logger], /) -> LoggerDefinition: ...
@overload
def logger(
    config_schema: Any = None, description: str | None = None
) -> Callable[[Callable[[InitLoggerContext], logging.Logger]], LoggerDefinition]: ...
def logger(
    config_schema: Any = None, description: str | None = None
) -> LoggerDefinition | Callable[[Callable[[InitLoggerContext], logging.Logger]], LoggerDefinition]:
    """Make a logger of a function that takes an `InitLoggerContext` and returns a `logging.Logger`.

    Args:
        config_schema: What its config looks like, read as `context.logger_config`.
        description: Where its lines go; the function's docstring if not given.
    """
    if callable(config_schema) and not isinstance(config_schema, type):
        return LoggerDefinition(config_schema)

    def define(fn: Callable[[InitLoggerContext], logging.Logger]) -> LoggerDefinition:
        return LoggerDefinition(fn, config_schema, description)

    return define


def check_loggers(given: Mapping[str, Any] | None, what: str) -> dict[str, LoggerDefinition]:
    """Loggers by name; raises `DefinitionError` if one is none."""
    result = dict(given or {})
    for name, each in result.items():
        check_name(name, "a logger")
        if not isinstance(each, LoggerDefinition):
            raise DefinitionError(f'{what} has {each!r} as its logger "{name}"; give functions made by @logger.')
    return result


def default_loggers() -> Mapping[str, LoggerDefinition]:
    """The loggers that a run config can turn on where a job and its `Definitions` name none."""
    from .console_loggers import colored_console_logger

    return {"console": colored_console_logger}
