"""The definition behind a configurable resource: its fields as config, the resources inside it, and its set-up.

It loads pydantic, so it is imported when a class is declared and not before.
"""

from __future__ import annotations

import inspect
import os
from collections.abc import Generator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, get_args, get_origin

import msgspec
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ...config.declared import DeclaredConfig, OpenConfig
from ...config.env import EnvVar, IntEnvVar, resolve
from ...config.model import build, schema_of
from ...config.schema import UNSET, Field, Permissive, Shape
from ...config.secrets import redact
from ...errors import DefinitionError
from ...wording import with_article
from ..function import RESOURCE_MARK, is_resource
from .resource import ResourceDefinition, ResourceSetup, to_resources

if TYPE_CHECKING:
    from .configurable import ConfigurableResource

__all__ = ["Held", "ModelResource", "PartialResource", "resource_fields"]


class Held(msgspec.Struct, frozen=True):
    """Marks a field's value as what a resource has become at its set-up: of whatever class it is."""

    value: Any


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

    Raises:
        DefinitionError: A resource inside it is left to the run config, which has no place for it.
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
        self.shared: dict[str, str] = {}
        self.inner: dict[str, ResourceDefinition] = {}
        held = resource_fields(model)
        needed: set[str] = set()
        for name, info in held.items():
            value = given[name] if name in given else info.get_default(call_default_factory=True)
            key = keys_by_id.get(id(value))
            if key is not None:
                self.shared[name] = key
                needed.add(key)
            elif name in given or _is_definition(value):
                self._refuse_partial(name, value)
                if value is not None:
                    self.inner[name] = _definition(value, keys_by_id)
                    needed |= self.inner[name].required_resource_keys
        self.given_config = {name: _plain(model, name, value) for name, value in given.items() if name not in held}
        self.required_resource_keys = frozenset(needed)
        for name in ("input_config_schema", "output_config_schema"):
            schema_of_manager = getattr(model, name, None)
            if schema_of_manager is not None:
                setattr(self, name, schema_of_manager())

    def _refuse_partial(self, name: str, value: Any) -> None:
        if isinstance(value, PartialResource):
            raise DefinitionError(
                f"{self.type_name} holds {with_article(value.model.__name__)} in its field {name!r} whose config is "
                "left to the run config, which knows only resources that have a key; give the same object as a "
                "resource of its own too."
            )

    @property
    def type_name(self) -> str:
        """The name of its class."""
        return self.model.__name__

    @property
    def declared_config(self) -> DeclaredConfig:
        """The config that it takes: its fields, with what is given in code as defaults."""
        if self._declared is None:
            self._declared = OpenConfig(self._own_field())
        return self._declared

    def _own_field(self) -> Field:
        if self._field is None:
            held = {_key(self.model, name) for name in resource_fields(self.model)}
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
        shown: dict[str, Any] = redact(self._own_field().type, dict(self.given_config))
        return {**shown, **super().shown_config()}

    def initialize(self, context: ResourceSetup) -> Generator[Any, None, None]:
        """A generator that makes the resource from its config and the resources inside it, and tears both down."""
        with ExitStack() as stack:
            held = {name: context.held(key) for name, key in self.shared.items()}
            for name, definition in self.inner.items():
                held[name] = stack.enter_context(_open(definition, context))
            made = self.make(context, held)
            yield stack.enter_context(made.yield_for_execution(context))

    def make(self, context: ResourceSetup, held: Mapping[str, Any]) -> Any:
        """The resource itself, not set up yet.

        Args:
            context: Has its checked config.
            held: By field, what the resources inside it have become.

        Raises:
            InvalidRunConfigError: The model does not accept the config.
        """
        subject = f"The config of the resource {self.type_name}"
        values = self._secrets() | dict(context.resource_config or {})
        values |= {_key(self.model, name): Held(value) for name, value in held.items()}
        return build(self.model, values, root=subject, hidden=None).unwrap(subject).with_resource_context(context)

    def _secrets(self) -> dict[str, Any]:
        """The secret fields as given in code, environment variables filled in."""
        fields = {name: field for name, field in schema_of(self.model).fields.items() if field.secret}
        given = {name: self.given_config[name] for name in fields if name in self.given_config}
        resolved: dict[str, Any] = resolve(Shape(fields=fields), given, os.environ).unwrap(
            f"The resource {self.type_name}"
        )
        return resolved

    def tears_down(self) -> bool:
        """Whether it, or a resource inside it alone, has something to do after its use."""
        from .configurable import ConfigurableResource

        overridden = any(
            getattr(self.model, name) is not getattr(ConfigurableResource, name)
            for name in ("yield_for_execution", "teardown_after_execution")
        )
        return overridden or any(each.tears_down() for each in self.inner.values())


def resource_fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model that hold other resources."""
    return {name: info for name, info in model.model_fields.items() if _holds_resource(info)}


def _holds_resource(info: FieldInfo) -> bool:
    if any(each is RESOURCE_MARK for each in info.metadata):
        return True
    annotation = info.annotation
    candidates = get_args(annotation) if get_origin(annotation) is not None else (annotation,)
    return is_resource(annotation) or any(is_resource(each) for each in candidates)


def _is_definition(value: Any) -> bool:
    return isinstance(value, ResourceDefinition) or hasattr(value, "__penstock_definition__")


def _definition(value: Any, keys_by_id: Mapping[int, str]) -> ResourceDefinition:
    made = getattr(value, "__penstock_definition__", None)
    if made is not None:
        definition: ResourceDefinition = made(keys_by_id)
        return definition
    return to_resources({"inner": value}, "A configurable resource")["inner"]


@contextmanager
def _open(definition: ResourceDefinition, context: ResourceSetup) -> Iterator[Any]:
    """Set up a resource that only one other resource holds, with what code says of its config."""
    made = definition.initialize(context.replace_config(definition.checked_config(None)))
    if isinstance(made, Generator):
        with contextmanager(lambda: made)() as value:
            yield value
    else:
        yield made


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
