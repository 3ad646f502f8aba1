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

    from ..config.declared import DeclaredConfig

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
    def declared_config(self) -> DeclaredConfig:
        """The config that it takes; without a schema any."""
        from ..config.declared import OpenConfig

        schema = Any if self.config_schema is None else self.config_schema
        is_made = callable(schema) and not isinstance(schema, type) and schema is not Any
        try:
            return OpenConfig(schema() if is_made else schema, **({"default": {}} if schema is Any else {}))
        except DefinitionError as error:
            raise DefinitionError(f"The config_schema of the logger at {self.source} is not valid: {error}") from error

    def configured(
        self, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> LoggerDefinition:
        """This logger with its config given here, or made by a function of what a run config gives.

        Args:
            config_or_config_fn: The config, or a function that makes it.
            config_schema: What the function takes; by its annotation, or anything, if not given.
            description: Where the lines of the new logger go; what this one says, if not given.

        Raises:
            InvalidRunConfigError: The config does not fit its schema.
        """
        from ..config.declared import configured_config

        made = LoggerDefinition(self.logger_fn, self.config_schema, description or self.description)
        made.declared_config = configured_config(
            self.declared_config, config_or_config_fn, config_schema, f"the logger at {self.source}"
        )
        return made

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
        import os

        from ..config.check import check
        from ..config.problems import Checked
        from ..config.schema import Shape

        given = InitLoggerContext() if context is None else context
        if not isinstance(given, InitLoggerContext):
            raise InvocationError(
                f"The logger at {self.source} was called with {given!r}; make a context with "
                "build_init_logger_context(logger_config=...)."
            )
        declared, config, subject = self.declared_config, given.logger_config, "The config of the logger"
        if declared.field is not None:
            empty = {} if config is None else {"config": config}
            shape = Shape(fields={"config": declared.field})
            config = check(shape, empty, root="the logger").unwrap(subject).get("config")
        finished = declared.finish(config, os.environ, path=(), root="the config")
        Checked(value=None, problems=finished.problems).unwrap(subject)
        return self.make(InitLoggerContext(finished.value, self, given.job_def, given.run_id))


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
