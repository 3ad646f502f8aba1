"""Type annotations of pydantic models, read once: for each the config type, the way in and the way out.

A node stands for one annotation. `type` is what a config must look like, `enter` turns a checked config into what
pydantic takes, `leave` turns a Python value back into config. Only three kinds differ between the two worlds: enums
(config has their names), secrets, and unions with a discriminator (config has a selector keyed by its value). Limits
and everything that no config type says stay with pydantic.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any, Protocol
from uuid import UUID
from weakref import WeakKeyDictionary

from pydantic import BaseModel, SecretBytes, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError, PydanticUndefined, to_jsonable_python

from ..errors import DefinitionError
from .check import check
from .env import EnvVar, IntEnvVar
from .schema import UNSET, Array, ConfigType, Enum, Field, MapOf, Noneable, Permissive, Scalar, Selector, Shape

__all__ = ["ModelNode", "Node", "follow", "is_secret", "read_model"]


class Node(Protocol):
    """One annotation."""

    @property
    def type(self) -> ConfigType:
        """What a config must look like."""
        ...

    def enter(self, value: Any) -> Any:
        """What pydantic takes, from a checked config."""
        ...

    def leave(self, value: Any) -> Any:
        """Config, from a Python value."""
        ...

    def inner(self, key: Any) -> Node | None:
        """The node of the value at `key`, or None where the config's structure ends."""
        ...


class PlainNode:
    """A value that is the same on both sides, or that pydantic alone understands."""

    def __init__(self, kind: ConfigType) -> None:
        self.type = kind

    def enter(self, value: Any) -> Any:
        return value

    def leave(self, value: Any) -> Any:
        return to_jsonable_python(value)

    def inner(self, key: Any) -> Node | None:
        return None


class EnumNode(PlainNode):
    """A Python enum; config names its members."""

    def __init__(self, cls: type[enum.Enum]) -> None:
        super().__init__(Enum(values=tuple(cls.__members__)))
        self.cls = cls

    def enter(self, value: Any) -> Any:
        return self.cls[value] if isinstance(value, str) and value in self.cls.__members__ else value

    def leave(self, value: Any) -> Any:
        return value.name if isinstance(value, self.cls) else value


class SecretNode(PlainNode):
    """Text that shows itself only when asked."""

    def __init__(self) -> None:
        super().__init__(Scalar(kind="str"))

    def leave(self, value: Any) -> Any:
        return to_jsonable_python(value.get_secret_value() if isinstance(value, SecretStr | SecretBytes) else value)


class OptionalNode:
    """None, or the inner annotation."""

    def __init__(self, content: Node) -> None:
        self.content = content
        self.type = Noneable(inner=content.type)

    def enter(self, value: Any) -> Any:
        return None if value is None else self.content.enter(value)

    def leave(self, value: Any) -> Any:
        return None if value is None else _leave(self.content, value)

    def inner(self, key: Any) -> Node | None:
        return self.content.inner(key)


class ListNode:
    """A list, set, or tuple of one kind of item."""

    def __init__(self, item: Node) -> None:
        self.item = item
        self.type = Array(item=item.type)

    def enter(self, value: Any) -> Any:
        return [self.item.enter(each) for each in value] if isinstance(value, list) else value

    def leave(self, value: Any) -> Any:
        return [_leave(self.item, each) for each in value]

    def inner(self, key: Any) -> Node | None:
        return self.item


class MapNode:
    """A mapping with values of one kind."""

    def __init__(self, key: Node, value: Node) -> None:
        self.value = value
        self.type = MapOf(key=key.type.kind if isinstance(key.type, Scalar) else "any", value=value.type)

    def enter(self, value: Any) -> Any:
        return {key: self.value.enter(each) for key, each in value.items()} if isinstance(value, Mapping) else value

    def leave(self, value: Any) -> Any:
        return {to_jsonable_python(key): _leave(self.value, each) for key, each in value.items()}

    def inner(self, key: Any) -> Node | None:
        return self.value


class ModelNode:
    """A pydantic model. `fields` are by the key that config uses: the alias where there is one."""

    def __init__(self, model: type[BaseModel], seen: frozenset[type]) -> None:
        self.model = model
        self.fields: dict[str, tuple[str, Node]] = {}
        declared: dict[str, Field] = {}
        for name, info in _fields_of(model):
            key = info.validation_alias if isinstance(info.validation_alias, str) else info.alias or name
            node = _read(info.annotation, seen | {model}, info.discriminator)
            self.fields[key] = (name, node)
            declared[key] = _declare(info, node)
        is_open = model.model_config.get("extra") == "allow"
        self.type: Shape | Permissive = (
            Permissive(fields=declared, description=_doc(model))
            if is_open
            else Shape(fields=declared, description=_doc(model))
        )

    def enter(self, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        return {key: self.fields[key][1].enter(each) if key in self.fields else each for key, each in value.items()}

    def leave(self, value: Any) -> Any:
        given: BaseModel = value
        result = {
            key: _leave(node, getattr(given, name))
            for key, (name, node) in self.fields.items()
            if name in given.model_fields_set
        }
        return result | {key: to_jsonable_python(each) for key, each in (given.model_extra or {}).items()}

    def inner(self, key: Any) -> Node | None:
        return self.fields[key][1] if key in self.fields else None


class ChoiceNode:
    """A union of models told apart by a discriminator; config is a selector keyed by the discriminator's value."""

    def __init__(self, discriminator: str, models: list[ModelNode]) -> None:
        self.choices: dict[str, tuple[Any, ModelNode]] = {}
        self.names: dict[Any, str] = {}
        self.key = discriminator
        for node in models:
            info = node.model.model_fields.get(discriminator)
            if info is None:
                raise DefinitionError(
                    f"The model {node.model.__qualname__} is part of a union told apart by {discriminator!r}, "
                    "but it has no such field; add it as a Literal."
                )
            for tag in typing.get_args(info.annotation):
                name = tag.name if isinstance(tag, enum.Enum) else str(tag)
                self.choices[name] = (tag, node)
                self.names[tag] = name
        self.type = Selector(
            fields={
                name: Field(type=Shape(fields={key: each for key, each in node.type.fields.items() if key != self.key}))
                for name, (_, node) in self.choices.items()
            }
        )

    def enter(self, value: Any) -> Any:
        if not isinstance(value, Mapping) or len(value) != 1:
            return value
        ((name, content),) = value.items()
        if name not in self.choices:
            return value
        tag, node = self.choices[name]
        return {self.key: tag, **node.enter(content or {})}

    def leave(self, value: Any) -> Any:
        name = self.names[getattr(value, self.key)]
        content = self.choices[name][1].leave(value)
        content.pop(self.key, None)
        return {name: content}

    def inner(self, key: Any) -> Node | None:
        return self.choices[key][1] if key in self.choices else None


def read_model(model: type[BaseModel]) -> ModelNode:
    """The node of a model, read at the first call.

    Raises:
        DefinitionError: An annotation names something that does not exist.
    """
    node = _read_models.get(model)
    if node is None:
        node = _read_models[model] = ModelNode(model, frozenset())
    return node


_read_models: WeakKeyDictionary[type[BaseModel], ModelNode] = WeakKeyDictionary()


def follow(node: Node, location: tuple[int | str, ...]) -> Iterator[tuple[str, Node | None]]:
    """The steps of a location in pydantic's terms that are also steps in the config, each with the node it reaches."""
    current: Node | None = node
    for key in location:
        if current is None or isinstance(current, PlainNode):
            return
        current = current.inner(key)
        yield str(key), current


def _leave(node: Node, value: Any) -> Any:
    if isinstance(value, EnvVar | IntEnvVar):
        return {"env": value.env_var_name}
    return node.leave(value)


def _fields_of(model: type[BaseModel]) -> list[tuple[str, FieldInfo]]:
    if not model.__pydantic_fields_complete__:
        try:
            model.model_rebuild()
        except NameError as error:
            raise DefinitionError(
                f"An annotation of {model.__qualname__} names something unknown ({error}); "
                "import or define it where the class is defined."
            ) from error
    return list(model.model_fields.items())


def _doc(model: type[BaseModel]) -> str | None:
    doc = model.__dict__.get("__doc__")
    return doc.strip() if isinstance(doc, str) else None


def _declare(info: FieldInfo, node: Node) -> Field:
    kind = node.type
    secret = is_secret(node)
    if info.default is None and not isinstance(kind, Noneable):
        kind = Noneable(inner=kind)
    # A secret's default stays in the code.
    default = UNSET if secret else _default(info, node)
    if default is not UNSET and not check(kind, default).ok:
        default = UNSET  # Not what the annotation says; pydantic fills it in unchecked.
    return Field(type=kind, required=info.is_required(), default=default, description=info.description, secret=secret)


def _default(info: FieldInfo, node: Node) -> Any:
    """A field's default as config, or `UNSET` where there is none that a description could hold."""
    if info.default_factory in (list, dict):
        return [] if info.default_factory is list else {}
    if info.default is PydanticUndefined:
        return UNSET  # Also for other factories: what they make may differ at each call.
    try:
        return None if info.default is None else _leave(node, info.default)
    except (PydanticSerializationError, TypeError, AttributeError, KeyError):
        return UNSET  # Not of the annotated kind, or nothing that JSON can hold.


def is_secret(node: Node | None) -> bool:
    """Whether a value of this node, or an item of it, hides itself."""
    match node:
        case SecretNode():
            return True
        case OptionalNode():
            return is_secret(node.content)
        case ListNode():
            return is_secret(node.item)
        case MapNode():
            return is_secret(node.value)
        case _:
            return False


_LISTS = (list, set, frozenset, tuple)


def _read(annotation: Any, seen: frozenset[type], discriminator: object = None) -> Node:
    while True:
        origin = typing.get_origin(annotation)
        if origin is typing.Annotated:
            annotation, *extras = typing.get_args(annotation)
            found = [each.discriminator for each in extras if isinstance(each, FieldInfo) and each.discriminator]
            discriminator = found[0] if found else discriminator
        elif hasattr(annotation, "__value__"):  # type X = ...
            annotation = annotation.__value__
        elif hasattr(annotation, "__supertype__"):  # NewType
            annotation = annotation.__supertype__
        else:
            break
    arguments = typing.get_args(annotation)
    if origin is typing.Union or origin is types.UnionType:
        return _read_union(arguments, seen, discriminator)
    if origin is typing.Literal:
        if all(isinstance(each, str) and not isinstance(each, enum.Enum) for each in arguments):
            return PlainNode(Enum(values=arguments))
        return PlainNode(Scalar())
    cls = origin or annotation
    if not isinstance(cls, type):
        return PlainNode(Scalar())
    return _read_class(cls, arguments, seen)


def _read_union(arguments: tuple[Any, ...], seen: frozenset[type], discriminator: object) -> Node:
    members = [each for each in arguments if each is not types.NoneType]
    if len(members) == 1:
        node = _read(members[0], seen, discriminator)
    else:
        nodes = [_read(each, seen) for each in members] if isinstance(discriminator, str) else []
        models = [each for each in nodes if isinstance(each, ModelNode)]
        is_choice = models and len(models) == len(members)
        # Without a discriminator pydantic alone finds out which member it is.
        node = ChoiceNode(str(discriminator), models) if is_choice else PlainNode(Scalar())
    return OptionalNode(node) if len(members) < len(arguments) else node


def _read_class(cls: type, arguments: tuple[Any, ...], seen: frozenset[type]) -> Node:
    if issubclass(cls, BaseModel):
        # A model inside itself has no finite schema; from there on pydantic alone checks.
        return PlainNode(Scalar()) if cls in seen else ModelNode(cls, seen)
    if issubclass(cls, enum.Enum):
        return EnumNode(cls)
    if issubclass(cls, SecretStr | SecretBytes):
        return SecretNode()
    if issubclass(cls, bool):
        return PlainNode(Scalar(kind="bool"))
    if issubclass(cls, int):
        return PlainNode(Scalar(kind="int"))
    if issubclass(cls, float):
        return PlainNode(Scalar(kind="float"))
    if issubclass(cls, str | bytes | PurePath | UUID):
        return PlainNode(Scalar(kind="str"))
    if issubclass(cls, Mapping):
        key, value = arguments if len(arguments) == 2 else (str, Any)
        return MapNode(_read(key, seen), _read(value, seen))
    if issubclass(cls, _LISTS) or cls.__module__ == "collections.abc":
        fixed = cls is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis)
        return ListNode(PlainNode(Scalar()) if fixed or not arguments else _read(arguments[0], seen))
    return PlainNode(Scalar())
