"""Resources and IO managers as classes whose fields are typed config, and which may hold other resources.

It loads pydantic, so it is imported when a class is declared and not before.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidatorFunctionWrapHandler, field_validator
from pydantic.fields import FieldInfo

from ...config.declared import DeclaredConfig, OpenConfig
from ...config.env import EnvVar, IntEnvVar, resolve
from ...config.model import Config, build, schema_of
from ...config.problems import Checked
from ...config.schema import UNSET, Field, Permissive, Shape
from ...config.secrets import redact
from ...errors import DefinitionError
from ..function import RESOURCE_MARK, is_resource
from .io_manager import IOManager
from .resource import ResourceDefinition, ResourceSetup, to_resources

__all__ = [
    "ConfigurableIOManager",
    "ConfigurableIOManagerFactory",
    "ConfigurableResource",
    "PartialResource",
    "ResourceDependency",
]

T = TypeVar("T")
ResourceDependency = Annotated[T, RESOURCE_MARK]
"""Marks a field as another resource of any class: `db: ResourceDependency[Connection]`."""


class ConfigurableResource(Config):
    """A resource whose fields are its config: subclass it, declare fields, give an instance to `Definitions`.

    A field annotated with a resource class, or with `ResourceDependency`, holds another resource. Override
    `setup_for_execution` and `teardown_after_execution`, or `yield_for_execution` for both, where a run must prepare
    and clean up; keep what they make in private attributes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True, arbitrary_types_allowed=True)
    __penstock_resource__: ClassVar[bool] = True

    @field_validator("*", mode="wrap")
    @classmethod
    def _keep_resources(cls, value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        if isinstance(value, ConfigurableResource | PartialResource | ResourceDefinition | IOManager):
            return value
        return handler(value)

    @classmethod
    def configure_at_launch(cls, **values: Any) -> PartialResource:
        """This resource with the fields that are not given here left to the run config."""
        return PartialResource(cls, values)

    def setup_for_execution(self, context: Any) -> None:
        """Prepare for a run; called once in each process that uses the resource."""

    def teardown_after_execution(self, context: Any) -> None:
        """Clean up after a run, also after a failed one."""

    def create_resource(self, context: Any) -> Any:
        """What ops get: this object, unless overridden."""
        return self

    @contextmanager
    def yield_for_execution(self, context: Any) -> Iterator[Any]:
        """Prepare, give the resource, clean up."""
        self.setup_for_execution(context)
        try:
            yield self.create_resource(context)
        finally:
            self.teardown_after_execution(context)

    def __penstock_definition__(self, keys_by_id: Mapping[int, str]) -> ResourceDefinition:
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return ModelResource(type(self), given, keys_by_id)


class PartialResource:
    """A configurable resource whose config is completed by the run config."""

    __slots__ = ("given", "model")
    __penstock_resource__ = True

    def __init__(self, model: type[ConfigurableResource], given: dict[str, Any]) -> None:
        if unknown := set(given) - set(model.model_fields):
            raise DefinitionError(
                f"{model.__name__} has no fields {sorted(unknown)}; it has {sorted(model.model_fields)}."
            )
        self.model = model
        self.given = given

    def __penstock_definition__(self, keys_by_id: Mapping[int, str]) -> ResourceDefinition:
        return ModelResource(self.model, self.given, keys_by_id)


class ModelResource(ResourceDefinition):
    """The definition behind a configurable resource.

    Args:
        model: Its class.
        given: Its fields as given in code; the run config may override those that are config.
        keys_by_id: By `id`, the keys of the resources given beside it.
    """

    def __init__(
        self,
        model: type[ConfigurableResource],
        given: Mapping[str, Any],
        keys_by_id: Mapping[int, str],
    ) -> None:
        super().__init__(model, description=inspect.cleandoc(model.__doc__) if model.__doc__ else None)
        self.model = model
        self._field: Field | None = None
        self.given_config: dict[str, Any] = {}
        self.shared: dict[str, str] = {}
        self.inner: dict[str, ResourceDefinition] = {}
        needed: set[str] = set()
        for name, info in resource_fields(model).items():
            value = given.get(name, info.default)
            key = keys_by_id.get(id(value))
            if key is not None:
                self.shared[name] = key
                needed.add(key)
            elif value is not None and name in given:
                self.inner[name] = _definition(value, keys_by_id)
                needed |= self.inner[name].required_resource_keys
        self.given_config = {
            name: _plain(model, name, value) for name, value in given.items() if name not in self._held
        }
        self.required_resource_keys = frozenset(needed)

    @property
    def _held(self) -> set[str]:
        return set(resource_fields(self.model))

    @property
    def type_name(self) -> str:
        """The name of its class."""
        return self.model.__name__

    @property
    def declared_config(self) -> DeclaredConfig:
        """The config that it takes."""
        if self._declared is None:
            self._declared = OpenConfig(self.config_field)
        return self._declared

    @property
    def config_field(self) -> Field:
        """The schema of its fields, with what is given in code as defaults."""
        if self._field is None:
            held = {_key(self.model, name) for name in self._held}
            whole = schema_of(self.model)
            fields = {name: self._with_given(name, field) for name, field in whole.fields.items() if name not in held}
            kind = Permissive if isinstance(whole, Permissive) else Shape
            required = any(field.required for field in fields.values())
            self._field = Field(
                type=kind(fields=fields, description=whole.description),
                required=required,
                default=UNSET if required else {},
                description=self.description,
            )
        return self._field

    def _with_given(self, name: str, field: Field) -> Field:
        given = {_key(self.model, each): value for each, value in self.given_config.items()}
        if name not in given:
            # A field without default that an instance did not need is none that config must give.
            return field
        # The given value of a secret stays in the code and is filled in when the resource is made.
        default = UNSET if field.secret else given[name]
        return Field(
            type=field.type, required=False, default=default, description=field.description, secret=field.secret
        )

    def shown_config(self) -> dict[str, Any]:
        """Its settings with secrets hidden."""
        shown: dict[str, Any] = redact(self.config_field.type, dict(self.given_config))
        return shown

    def initialize(self, context: ResourceSetup) -> Generator[Any, None, None]:
        """A generator that makes the resource from its config and the resources inside it, and tears both down."""
        subject = f"The config of the resource {self.type_name}"
        with ExitStack() as stack:
            values = self._secrets() | dict(context.resource_config or {})
            for name, key in self.shared.items():
                values[_key(self.model, name)] = getattr(context.resources, key)
            for name, definition in self.inner.items():
                values[_key(self.model, name)] = stack.enter_context(_open(definition, context))
            made = build(self.model, values, root=subject, hidden=None).unwrap(subject)
            yield stack.enter_context(made.yield_for_execution(context))

    def _secrets(self) -> dict[str, Any]:
        """The secret fields as given in code, environment variables filled in."""
        fields = {name: field for name, field in schema_of(self.model).fields.items() if field.secret}
        given = {name: self.given_config[name] for name in fields if name in self.given_config}
        resolved: dict[str, Any] = resolve(Shape(fields=fields), given, os.environ).unwrap(
            f"The resource {self.type_name}"
        )
        return resolved


class ConfigurableIOManager(ConfigurableResource, IOManager):
    """An IO manager whose fields are its config: override `handle_output` and `load_input`."""


class ConfigurableIOManagerFactory(ConfigurableResource):
    """A configurable resource that makes an IO manager: override `create_io_manager`."""

    def create_io_manager(self, context: Any) -> IOManager:
        """The IO manager."""
        raise NotImplementedError(f"{type(self).__name__} must define create_io_manager(context).")

    def create_resource(self, context: Any) -> Any:
        """The IO manager."""
        return self.create_io_manager(context)


def resource_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model that hold other resources."""
    return {name: info for name, info in model.model_fields.items() if _holds_resource(info)}


def _holds_resource(info: FieldInfo) -> bool:
    if any(each is RESOURCE_MARK for each in info.metadata):
        return True
    annotation = info.annotation
    candidates = get_args(annotation) if get_origin(annotation) is not None else (annotation,)
    return is_resource(annotation) or any(is_resource(each) for each in candidates)


def _definition(value: Any, keys_by_id: Mapping[int, str]) -> ResourceDefinition:
    made = getattr(value, "__penstock_definition__", None)
    if made is not None:
        definition: ResourceDefinition = made(keys_by_id)
        return definition
    return to_resources({"inner": value}, "A configurable resource")["inner"]


@contextmanager
def _open(definition: ResourceDefinition, context: ResourceSetup) -> Iterator[Any]:
    """Set up a resource that only one other resource holds, with what code says of its config."""
    declared = definition.declared_config
    config: Any = None
    if declared is not None:
        from ...config.check import check

        subject = f"The config of the resource {definition.type_name}"
        given = None if declared.field is None else check(declared.field.type, {}, root=subject).unwrap(subject)
        finished = declared.finish(given, os.environ, path=(), root=subject)
        Checked(value=None, problems=finished.problems).unwrap(subject)
        config = finished.value
    made = definition.initialize(_InnerSetup(context, config))
    if isinstance(made, Generator):
        with contextmanager(lambda: made)() as value:
            yield value
    else:
        yield made


class _InnerSetup:
    """The context of the outer resource with the config of the inner one."""

    def __init__(self, outer: ResourceSetup, config: Any) -> None:
        self._outer = outer
        self.resource_config = config

    @property
    def resources(self) -> Any:
        return self._outer.resources

    def __getattr__(self, name: str) -> Any:
        return getattr(self._outer, name)


def _key(model: type[BaseModel], name: str) -> str:
    """The key by which config knows a field: its alias where it has one."""
    info = model.model_fields[name]
    return info.validation_alias if isinstance(info.validation_alias, str) else info.alias or name


def _plain(model: type[ConfigurableResource], name: str, value: Any) -> Any:
    """A field's value as config writes it."""
    if isinstance(value, EnvVar | IntEnvVar):
        return {"env": value.env_var_name}
    holder = model.model_construct(_fields_set={name}, **{name: value})
    # Constructing also sets the defaults of all other fields, which were not given.
    return holder.to_config_dict().get(_key(model, name))
