"""The error tree, cut by whose fault it is.

Four branches answer "who has to act": the author of user code (`UserCodeError`), whoever wrote a setting, a run config
or a definition (`ConfigurationError`), the machine and network around us (`EnvironmentalError`), or Penstock itself
(`InternalError`). Each message says what happened, with the value, and then what to do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = [
    "AddressInUseError",
    "ArchiveError",
    "BetaWarning",
    "CodeServerUnreachableError",
    "ConfigMappingError",
    "ConfigSchemaError",
    "ConfigurationError",
    "DefinitionError",
    "DeliveryError",
    "EnvironmentalError",
    "ExecutionInterruptedError",
    "FencedError",
    "IllegalTransitionError",
    "InstanceInUseError",
    "InternalError",
    "InvalidRunConfigError",
    "InvocationError",
    "LocationLoadError",
    "LogStoreError",
    "NotFoundError",
    "PartitionNotFoundError",
    "PenstockError",
    "PreviewWarning",
    "ResourceError",
    "RunNotFoundError",
    "SettingsError",
    "StepExecutionError",
    "StepNotFoundError",
    "StepOutputNotFoundError",
    "StepTimeoutError",
    "StorageError",
    "StorageUnavailableError",
    "SubprocessError",
    "SubsetError",
    "SupersessionWarning",
    "TypeCheckDidNotPassError",
    "TypeCheckError",
    "UnknownResourceError",
    "UnmetExecutorRequirementsError",
    "UsageError",
    "UserCodeError",
]


class PenstockError(Exception):
    """Root of every error that Penstock raises on purpose."""


# -- the author of user code ------------------------------------------------------------------------------------------


class UserCodeError(PenstockError):
    """User code raised; the user's own exception is the `__cause__`."""


class StepExecutionError(UserCodeError):
    """A step failed in an in-process execution; the user's own exception is the `__cause__`."""

    def __init__(self, message: str, *, step: str) -> None:
        super().__init__(message)
        self.step = step


class ResourceError(UserCodeError):
    """A resource could not be set up or torn down; the user's own exception is the `__cause__`."""


class ConfigMappingError(UserCodeError):
    """The function that makes a job's or graph's config raised; the user's own exception is the `__cause__`."""


class TypeCheckError(UserCodeError):
    """A type's check raised, or gave neither true nor false nor a `TypeCheck`."""


class TypeCheckDidNotPassError(UserCodeError):
    """A value is not of the type that its input or output declares; carries what the type's check found."""

    def __init__(
        self,
        message: str,
        *,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        python_type: object = None,
    ) -> None:
        super().__init__(message)
        self.description = description
        self.metadata = dict(metadata or {})
        self.python_type = python_type


class SubprocessError(UserCodeError):
    """A process that user code or an executor started ended badly; the message names the process and how it ended."""


class ExecutionInterruptedError(BaseException):
    """The execution was asked to stop. It is no `Exception`, so that user code that catches those lets it through."""


class StepTimeoutError(BaseException):
    """A step ran longer than its timeout. It is no `Exception`, so user code that catches those lets it through."""


# -- whoever wrote a definition, a setting or a config ----------------------------------------------------------------


class ConfigurationError(PenstockError):
    """Something that a person wrote is not valid; the message names the place, the value and the remedy."""


class DefinitionError(ConfigurationError):
    """A definition (op, job, asset, schedule, ...) is not valid."""


class ConfigSchemaError(DefinitionError):
    """A config schema is not valid."""


class UnknownResourceError(DefinitionError, AttributeError):
    """Something needs or uses a resource that it was not given; the message names it and those that there are."""


class UnmetExecutorRequirementsError(DefinitionError):
    """An executor needs something that this job or instance does not have."""


class UsageError(ConfigurationError):
    """A call breaks a rule of the object that it is made on, in its present state."""


class InvocationError(UsageError):
    """An op, asset, check, schedule or sensor was called directly with other arguments or context than it takes."""


class InvalidRunConfigError(ConfigurationError):
    """A run config does not fit its job's schema. `problems` holds one record per mistake, all of them, each with its
    `path`, `reason` and `message`."""

    def __init__(self, message: str, *, problems: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


class SettingsError(ConfigurationError):
    """`penstock.yaml`, `workspace.yaml` or a command's options are not valid."""


class ArchiveError(ConfigurationError):
    """A file cannot be written or taken in: it is no archive, not whole, of a newer version, or does not fit here."""


class LocationLoadError(ConfigurationError):
    """A code location could not be loaded. The user's own error is in the message."""


class NotFoundError(ConfigurationError):
    """A run, job, asset, schedule, sensor or location of that name does not exist."""


class SubsetError(NotFoundError):
    """A selection names ops, steps or assets that are not there, or leaves nothing."""


class PartitionNotFoundError(NotFoundError):
    """There is no such partition key."""


class RunNotFoundError(NotFoundError):
    """There is no run of that id."""


class StepNotFoundError(NotFoundError):
    """The plan has no step of that key."""


class StepOutputNotFoundError(NotFoundError):
    """A step gave no output of that name, so its value cannot be loaded."""


# -- the machine and network around us --------------------------------------------------------------------------------


class EnvironmentalError(PenstockError):
    """A file, port, database, process or network did not do what it should; trying again may help."""


class AddressInUseError(EnvironmentalError):
    """The address is taken by another process; choose another port or stop that process."""


class InstanceInUseError(EnvironmentalError):
    """Another `penstock dev` works on the same home; stop it or name another home."""


class CodeServerUnreachableError(EnvironmentalError):
    """A code server did not answer; the message names its address and what was asked of it."""

    is_slow: bool = False
    """Whether it took the question, and the answer did not come in time: others may be answered meanwhile."""


class StorageError(EnvironmentalError):
    """The database refused or was away; the message names it and what was tried."""


class StorageUnavailableError(StorageError):
    """The database was away, full, locked or read-only: nothing is wrong with what was asked, so ask again later."""


class LogStoreError(EnvironmentalError):
    """Captured output could not be read or brought where it stays; the message names the place and what went wrong."""


class DeliveryError(EnvironmentalError):
    """A message about an alert was not taken by its target; the message says why, without the target's address."""


# -- Penstock itself --------------------------------------------------------------------------------------------------


class InternalError(PenstockError):
    """A fault of Penstock's own; please report it with the whole text."""


class IllegalTransitionError(InternalError):
    """A state machine was given an event that its table does not know in its present state; nothing was changed."""

    def __init__(self, machine: str, state: object, event: object, history: Sequence[object] = ()) -> None:
        trail = " -> ".join(str(each) for each in history) or "none"
        super().__init__(f"{machine}: no transition from {state} on {event}; history: {trail}. Nothing was changed.")
        self.machine = machine
        self.state = state
        self.event = event
        self.history = tuple(history)


class FencedError(InternalError):
    """A holder whose lease has passed to another tried to write; its write was refused and it must stop."""


# -- what a warning is about; filters in projects name these classes --------------------------------------------------


class BetaWarning(Warning):
    """Something is used that may still change."""


class PreviewWarning(Warning):
    """Something is used that is there to be tried, and not to be relied upon."""


class SupersessionWarning(FutureWarning):
    """Something is used for which there is a better way; it goes on working."""
