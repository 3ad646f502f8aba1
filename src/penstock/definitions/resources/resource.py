"""Resources: what ops and assets use to reach the world, set up for a run and torn down after it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from ...errors import ConfigSchemaError, DefinitionError
from ..source import source_of_function

if TYPE_CHECKING:
    from ...config.declared import DeclaredConfig
    from ...config.schema import Field

__all__ = ["ResourceDefinition", "ResourceSetup", "ValueResource", "resource", "to_resources"]

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


class ResourceDefinition:
    """How to set up a resource. Make one with `@resource`.

    Args:
        resource_fn: Makes the resource. It may take the context of the set-up; a generator function yields the resource
            and is resumed for the teardown.
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """

    def __init__(
        self,
        resource_fn: Callable[..., Any],
        config_schema: Any = None,
        description: str | None = None,
        required_resource_keys: Iterable[str] | None = None,
    ) -> None:
        if not callable(resource_fn):
            raise DefinitionError(f"A resource needs a function that makes it, not {resource_fn!r}.")
        self.resource_fn = resource_fn
        self.description = description or (inspect.cleandoc(resource_fn.__doc__) if resource_fn.__doc__ else None)
        self.required_resource_keys = frozenset(required_resource_keys or ())
        self.config_schema = config_schema
        self.made_from: Any = None  # what users gave, where it was no definition
        self._declared: DeclaredConfig | None = None
        self._takes_context: bool | None = None

    @property
    def type_name(self) -> str:
        """What it makes, as people read it."""
        return getattr(self.resource_fn, "__name__", type(self.resource_fn).__name__)

    @property
    def declared_config(self) -> DeclaredConfig | None:
        """The config that it takes; None if it takes none."""
        if self._declared is None and self.config_schema is not None:
            from ...config.declared import OpenConfig

            try:
                self._declared = OpenConfig(self.config_schema)
            except DefinitionError as error:
                raise ConfigSchemaError(
                    f"The config_schema of the resource {self.type_name} ({source_of_function(self.resource_fn)}) "
                    f"cannot be read: {error}"
                ) from error
        return self._declared

    @property
    def config_field(self) -> Field | None:
        """What a run config must or may give it; None for nothing."""
        declared = self.declared_config
        return None if declared is None else declared.field

    def initialize(self, context: ResourceSetup) -> Any:
        """The resource, or a generator that yields it and then tears it down."""
        if self._takes_context is None:
            self._takes_context = bool(inspect.signature(self.resource_fn).parameters)
        return self.resource_fn(context) if self._takes_context else self.resource_fn()

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
        """Call the function itself, as tests do."""
        return self.initialize(context)

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
) -> Callable[[Callable[..., Any]], ResourceDefinition]: ...
def resource(
    config_schema: Any = None,
    description: str | None = None,
    required_resource_keys: Iterable[str] | None = None,
) -> ResourceDefinition | Callable[[Callable[..., Any]], ResourceDefinition]:
    """Make a resource of a function that returns it, or that yields it and then tears it down.

    Args:
        config_schema: What its config looks like, read as `context.resource_config`.
        description: What it is for; the function's docstring if not given.
        required_resource_keys: Resources that it uses as `context.resources.<key>`.
    """
    if inspect.isfunction(config_schema):
        return ResourceDefinition(config_schema)

    def define(fn: Callable[..., Any]) -> ResourceDefinition:
        return ResourceDefinition(fn, config_schema, description, required_resource_keys)

    return define
