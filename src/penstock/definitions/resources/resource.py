"""Resources: what ops and assets use to reach the world, set up for a run and torn down after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from ...errors import ConfigSchemaError, DefinitionError, InvocationError
from ..doors import context_of_resource
from ..source import source_of_function

if TYPE_CHECKING:
    from ...config.declared import DeclaredConfig, OpenConfig
    from ...config.schema import Field

__all__ = [
    "IAttachDifferentObjectToOpContext",
    "ResourceDefinition",
    "ResourceSetup",
    "ValueResource",
    "make_values_resource",
    "resource",
    "to_resources",
]

Definition = TypeVar("Definition", bound="ResourceDefinition")


class ResourceSetup(Protocol):
    """What a resource is given while it is set up: its config, and the resources that it needs, as attributes."""

    @property
    def resource_config(self) -> Any:
        """Its config, checked, with environment variables filled in."""
        ...

    @property
    def resources(self) -> Any:
        """The resources that it needs."""
        ...

    def held(self, key: str) -> Any:
        """A resource that it needs as it is itself, not what it shows in its place."""
        ...

    def replace_config(self, config: Any) -> ResourceSetup:
        """The same context with another config."""
        ...


class IAttachDifferentObjectToOpContext:
    """A resource that shows another object as `context.resources.<key>`; a parameter gets the resource itself."""

    def get_object_to_set_on_execution_context(self) -> Any:
        """The object to show."""
        raise NotImplementedError(f"{type(self).__name__} must define get_object_to_set_on_execution_context().")


class ResourceDefinition:
    """How to set up a resource. Make one with `@resource`.

    Args:
        resource_fn: Makes the resource. It may take the context of the set-up; a generator function yields the resource
            and is resumed for the teardown, and one made by `contextlib.contextmanager` is entered and left.
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
    """

    # Of an IO manager or input manager: what each input or output that it serves may be told by the run config.
    input_config_schema: Any = None
    output_config_schema: Any = None

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
        version: str | None = None,
    ) -> None:
        if not callable(resource_fn):
            raise DefinitionError(f"A resource needs a function that makes it, not {resource_fn!r}.")
        self.resource_fn = resource_fn
        self.description = description or (inspect.cleandoc(resource_fn.__doc__) if resource_fn.__doc__ else None)
        self.required_resource_keys = frozenset(required_resource_keys or ())
        self.config_schema = config_schema
        self.version = version
        self.made_from: Any = None  # what users gave, where it was no definition
        self._declared: DeclaredConfig | None = None
        self._takes_context: bool | None = None

    @property
    def type_name(self) -> str:
        """What it makes, as people read it."""
        name: str = getattr(self.resource_fn, "__name__", type(self.resource_fn).__name__)
        return name if name.isidentifier() else type(self).__name__  # a lambda has no name of its own

    @property
    def declared_config(self) -> DeclaredConfig | None:
        """The config that it takes; None if it takes none."""
        if self._declared is None:
            self._declared = self._read("config_schema")
        return self._declared

    @property
    def config_field(self) -> Field | None:
        """What a run config must or may give it; None for nothing."""
        declared = self.declared_config
        return None if declared is None else declared.field

    @cached_property
    def input_config(self) -> OpenConfig | None:
        """What an input manager may be told of a single input; None for nothing."""
        return self._read("input_config_schema")

    @cached_property
    def output_config(self) -> OpenConfig | None:
        """What an IO manager may be told of a single output; None for nothing."""
        return self._read("output_config_schema")

    def _read(self, name: str) -> OpenConfig | None:
        schema = getattr(self, name)
        if schema is None:
            return None
        from ...config.declared import OpenConfig

        try:
            return OpenConfig(schema)
        except DefinitionError as error:
            raise ConfigSchemaError(
                f"The {name} of the resource {self.type_name} ({source_of_function(self.resource_fn)}) "
                f"cannot be read: {error}"
            ) from error

    def initialize(self, context: ResourceSetup) -> Any:
        """The resource, or a generator that yields it and then tears it down."""
        if self._takes_context is None:
            self._takes_context = bool(inspect.signature(self.resource_fn).parameters)
        made = self.resource_fn(context) if self._takes_context else self.resource_fn()
        # A resource may be a context manager that its users enter; one of `contextmanager` is meant as set-up.
        return _entered(made) if isinstance(made, AbstractContextManager) and self.tears_down() else made

    def is_same(self, other: ResourceDefinition) -> bool:
        """Whether both are one definition, or made from one object that users gave."""
        return self is other or (self.made_from is not None and self.made_from is other.made_from)

    def tears_down(self) -> bool:
        """Whether it has something to do after its use."""
        return inspect.isgeneratorfunction(inspect.unwrap(self.resource_fn))

    def shown_config(self) -> dict[str, Any]:
        """Its settings as they may be shown: secrets hidden."""
        from ...config.declared import GivenConfig
        from ...config.secrets import redact

        given = self._declared
        if not isinstance(given, GivenConfig) or given.inner.field is None or not isinstance(given.value, dict):
            return {}
        shown: dict[str, Any] = redact(given.inner.field.type, given.value)
        return shown

    def configured(
        self: Definition, config_or_config_fn: Any, config_schema: Any = None, description: str | None = None
    ) -> Definition:
        """This resource with its config given here, or made by a function of what a run config gives.

        Args:
            config_or_config_fn: The config, or a function that makes it.
            config_schema: What the function takes; by its annotation, or anything, if not given.
            description: What the new resource is for; what this one is for, if not given.

        Raises:
            DefinitionError: This resource takes no config.
            InvalidRunConfigError: The config does not fit its schema.
        """
        from ...config.declared import configured_config

        made = object.__new__(type(self))
        made.__dict__.update(self.__dict__)
        made.description = description or self.description
        what = f"the resource {self.type_name}"
        made._declared = configured_config(self.declared_config, config_or_config_fn, config_schema, what)
        return made

    def __call__(self, context: Any = None) -> Any:
        """Call the function itself, as tests do; what is torn down comes as a context manager.

        Args:
            context: What `build_init_resource_context` gives. It may be left out where nothing is asked of it.

        Raises:
            InvocationError: The context is missing and its config or the resources that it requires are needed.
            InvalidRunConfigError: The config does not fit its schema.
        """
        if context is None and (self.required_resource_keys or (self.config_field and self.config_field.required)):
            raise InvocationError(
                f"The resource {self.type_name} needs its config or other resources; call it with what "
                "build_init_resource_context(config=..., resources=...) gives."
            )
        given = context_of_resource() if context is None else context
        if self.declared_config is not None:
            given = given.replace_config(self.checked_config(given.resource_config))
        made = self.initialize(given)
        return contextmanager(lambda: made)() if isinstance(made, Generator) else made

    def checked_config(self, config: Any) -> Any:
        """A config ready for use: checked against the schema, defaults and environment variables filled in.

        Raises:
            InvalidRunConfigError: It does not fit.
        """
        import os

        from ...config.check import check
        from ...config.problems import Checked
        from ...config.schema import UNSET

        declared = self.declared_config
        if declared is None:
            return config
        subject = f"The config of the resource {self.type_name}"
        field = declared.field
        given = config
        if field is not None:
            if config is None and not field.required:
                given = {} if field.default is UNSET else field.default
            given = check(field.type, given, root=subject).unwrap(subject)
        finished = declared.finish(given, os.environ, path=(), root=subject)
        return Checked(value=finished.value, problems=finished.problems).unwrap(subject)

    @staticmethod
    def hardcoded_resource(value: Any, description: str | None = None) -> ResourceDefinition:
        """A resource that is this value."""
        return ValueResource(value, description)

    @staticmethod
    def none_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that is None."""
        return ValueResource(None, description)

    @staticmethod
    def string_resource(description: str | None = None) -> ResourceDefinition:
        """A resource whose config is a text, and which is that text."""
        return ResourceDefinition(lambda context: context.resource_config, str, description or "A text.")

    @staticmethod
    def mock_resource(description: str | None = None) -> ResourceDefinition:
        """A resource that is a `unittest.mock.MagicMock`, a new one for each set-up: it takes every call."""

        def make() -> Any:
            from unittest.mock import MagicMock

            return MagicMock()

        return ResourceDefinition(make, description=description or "A mock.")


class ValueResource(ResourceDefinition):
    """A resource that needs no set-up."""

    def __init__(self, value: Any, description: str | None = None) -> None:
        super().__init__(lambda: value, description=description or _summary(value))
        self.value = value

    @property
    def type_name(self) -> str:
        """The class of the value."""
        return type(self.value).__name__

    def initialize(self, context: ResourceSetup) -> Any:
        """The value; it is never taken for a generator that makes the resource."""

        def give() -> Any:
            yield self.value

        return give() if inspect.isgenerator(self.value) else self.value


def to_resources(given: Mapping[str, Any] | None, what: str) -> dict[str, ResourceDefinition]:
    """Definitions for what users give as resources: definitions, configurable resources, IO managers, any other object.

    Raises:
        DefinitionError: A key is no identifier, or a class is given where an instance is meant.
    """
    if not given:
        return {}
    keys_by_id = {id(value): key for key, value in given.items()}
    result = {}
    for key, value in given.items():
        if not key.isidentifier():
            raise DefinitionError(f"{what} has the resource key {key!r}; use a name that Python could use.")
        if isinstance(value, ResourceDefinition):
            result[key] = value
        elif isinstance(value, type):
            raise DefinitionError(
                f'{what} has the class {value.__name__} as its resource "{key}"; '
                f"give an instance, {value.__name__}(...)."
            )
        elif hasattr(value, "__penstock_definition__"):
            # Configurable resources that are given under a key of their own are shared by those that contain them.
            result[key] = value.__penstock_definition__(keys_by_id)
        else:
            result[key] = ValueResource(value)
        if result[key] is not value:
            result[key].made_from = value
    return result


def _entered(manager: AbstractContextManager[Any]) -> Generator[Any, None, None]:
    with manager as made:
        yield made


def _summary(value: Any) -> str | None:
    doc = type(value).__dict__.get("__doc__") if type(value).__module__ != "builtins" else None
    return inspect.cleandoc(doc) if isinstance(doc, str) else None


@overload
def resource(config_schema: Callable[..., Any], /) -> ResourceDefinition: ...
@overload
def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> Callable[[Callable[..., Any]], ResourceDefinition]: ...
def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
    version: str | None = None,
) -> ResourceDefinition | Callable[[Callable[..., Any]], ResourceDefinition]:
    """Make a resource of a function that returns it, or that yields it and then tears it down.

    Args:
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for; the function's docstring if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
        version: The version of its code.
    """
    if inspect.isfunction(config_schema):
        return ResourceDefinition(config_schema)

    def define(fn: Callable[..., Any]) -> ResourceDefinition:
        return ResourceDefinition(fn, config_schema, description, required_resource_keys, version)

    return define


def make_values_resource(**kwargs: Any) -> ResourceDefinition:
    """A resource that is a dict of config values.

    Args:
        kwargs: For each value its config type, as `config_schema` takes it; without any, all values are taken.
    """
    from ...config.schema import Permissive

    return ResourceDefinition(
        lambda context: context.resource_config, kwargs or Permissive(), "Values that the config gives."
    )
