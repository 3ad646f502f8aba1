"""Resources as classes whose fields are typed config, and which may hold other resources.

It loads pydantic, so it is imported when a class is declared and not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Self

from pydantic import ConfigDict, PrivateAttr, ValidatorFunctionWrapHandler, field_validator
from typing_extensions import TypeVar

from ...config.model import Config
from ...config.schema import Field, Permissive, Shape
from ...errors import UsageError
from ..doors import context_of_resource
from ..function import RESOURCE_MARK
from .input_manager import InputManager
from .model_resource import Held, ModelResource, PartialResource, resource_fields
from .resource import ResourceDefinition

__all__ = ["ConfigurableResource", "Made", "PartialResource", "ResourceDependency"]

T = TypeVar("T")
Made = TypeVar("Made", default=Any)
ResourceDependency = Annotated[T, RESOURCE_MARK]
"""Marks a field as another resource of any class: `db: ResourceDependency[Connection]`."""


if TYPE_CHECKING:

    class _Makes(Generic[Made]): ...

else:

    class _Makes:
        # What a resource makes is for type checkers alone: pydantic would make a model of its own for each class.
        def __class_getitem__(cls, made):
            return cls


class ConfigurableResource(_Makes[Made], Config):
    """A resource whose fields are its config: subclass it, declare fields, give an instance to `Definitions`.

    A field annotated with a resource class, or with `ResourceDependency`, holds another resource. Override
    `setup_for_execution` and `teardown_after_execution`, or `yield_for_execution` for both, where a run must prepare
    and clean up; keep what they make in private attributes. Where ops shall get another object, override
    `create_resource` and name that object's class: `ConfigurableResource[Connection]`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)
    __penstock_resource__: ClassVar[bool] = True
    _resource_context: Any = PrivateAttr(default=None)

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_resources(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(value, Held):
            return value.value
        if isinstance(value, ConfigurableResource | PartialResource | ResourceDefinition | InputManager):
            return value
        return handler(value)

    # -- what a resource overrides ------------------------------------------------------------------------------------

    def setup_for_execution(self, context: Any) -> None:
        """Prepare for a run; called once in each process that uses the resource."""

    def teardown_after_execution(self, context: Any) -> None:
        """Clean up after a run, also after a failed one."""

    def create_resource(self, context: Any) -> Made:
        """What ops get: this object, unless overridden."""
        return self  # type: ignore[return-value]  # who names another class overrides this

    @contextmanager
    def yield_for_execution(self, context: Any) -> Iterator[Made]:
        """Prepare, give the resource, clean up."""
        self.setup_for_execution(context)
        try:
            yield self.create_resource(context)
        finally:
            self.teardown_after_execution(context)

    # -- how it is configured -----------------------------------------------------------------------------------------

    @classmethod
    def configure_at_launch(cls, **values: Any) -> PartialResource:
        """This resource with the fields that are not given here left to the run config."""
        return PartialResource(cls, values)

    @classmethod
    def to_config_schema(cls) -> Shape | Permissive:
        """What its config looks like, as `config_schema` of a function takes it."""
        field = ModelResource(cls, {}, {}).config_field
        assert field is not None
        assert isinstance(field.type, Shape | Permissive)
        return field.type

    @classmethod
    def to_fields_dict(cls) -> dict[str, Field]:
        """The fields of its config by name."""
        return dict(cls.to_config_schema().fields)

    @property
    def nested_resources(self) -> Mapping[str, Any]:
        """By field, the resources that it holds."""
        held = {name: getattr(self, name) for name in resource_fields(type(self))}
        return {name: value for name, value in held.items() if value is not None}

    def get_resource_definition(self) -> ResourceDefinition:
        """The definition behind it."""
        return self.__penstock_definition__({})

    def __penstock_definition__(self, keys_by_id: Mapping[int, str]) -> ModelResource:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return ModelResource(type(self), given, keys_by_id)

    # -- using it by itself -------------------------------------------------------------------------------------------

    def process_config_and_initialize(self) -> Made:
        """The resource ready for use outside of a run: environment variables filled in, resources inside it set up.

        Raises:
            UsageError: It has something to tear down, for which there is `process_config_and_initialize_cm`.
            InvalidRunConfigError: Its config is not complete, or an environment variable is not set.
        """
        if self.__penstock_definition__({}).tears_down():
            raise UsageError(
                f"{type(self).__name__}, or a resource inside it, must be torn down after its use; write "
                "`with resource.process_config_and_initialize_cm() as ready:`."
            )
        with self.process_config_and_initialize_cm() as ready:
            return ready

    @contextmanager
    def process_config_and_initialize_cm(self) -> Iterator[Made]:
        """The resource ready for use outside of a run, torn down at the end of the `with`.

        Raises:
            InvalidRunConfigError: Its config is not complete, or an environment variable is not set.
        """
        definition = self.__penstock_definition__({})
        context = context_of_resource(definition.checked_config(None))
        with contextmanager(definition.initialize)(context) as ready:
            yield ready

    @classmethod
    def from_resource_context(cls, context: Any, nested_resources: Mapping[str, Any] | None = None) -> Any:
        """Make it inside a function that makes a resource, from the config of that function's context.

        Args:
            context: The context of the set-up, whose `resource_config` is its config.
            nested_resources: By field, the resources that it holds, ready for use.

        Raises:
            UsageError: It has something to tear down, for which there is `from_resource_context_cm`.
            InvalidRunConfigError: The config does not fit.
        """
        if ModelResource(cls, {}, {}).tears_down():
            raise UsageError(
                f"{cls.__name__} must be torn down after its use; write "
                f"`with {cls.__name__}.from_resource_context_cm(context) as ready:` and yield."
            )
        with cls.from_resource_context_cm(context, nested_resources) as ready:
            return ready

    @classmethod
    @contextmanager
    def from_resource_context_cm(cls, context: Any, nested_resources: Mapping[str, Any] | None = None) -> Iterator[Any]:
        """As `from_resource_context`, torn down at the end of the `with`."""
        definition = ModelResource(cls, {}, {})
        own = context.replace_config(definition.checked_config(context.resource_config))
        with definition.make(own, nested_resources or {}).yield_for_execution(own) as ready:
            yield ready

    def with_resource_context(self, context: Any) -> Self:
        """This resource with a context that `get_resource_context` gives."""
        bound = self.model_copy()
        bound._resource_context = context
        return bound

    def get_resource_context(self) -> Any:
        """The context of its set-up.

        Raises:
            UsageError: It has not been set up.
        """
        if self._resource_context is None:
            raise UsageError(
                f"This {type(self).__name__} has not been set up, so it has no context; ask for it in a run, "
                "or use process_config_and_initialize."
            )
        return self._resource_context
