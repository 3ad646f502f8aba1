"""Types with a check of their own: what an input or output may declare beside a Python annotation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, Union, overload

import msgspec

from ...errors import DefinitionError, TypeCheckError
from ...records.metadata import Metadata, normalize_metadata
from ...wording import kind_of

if TYPE_CHECKING:
    from .type_loader import TypeLoader

__all__ = [
    "PASSED",
    "ContextOf",
    "PythonObjectType",
    "TypeCheck",
    "ValueType",
    "make_python_type_usable_as_type",
    "on_register",
    "registered_type",
    "usable_as_type",
]


class TypeCheck(msgspec.Struct, frozen=True):
    """What a type's check found.

    Args:
        success: Whether the value passes.
        description: What it found, above all where the value does not pass.
        metadata: Facts about the value, which are shown with it.
    """

    success: bool
    description: str | None = None
    metadata: Mapping[str, Any] = {}

    def __post_init__(self) -> None:
        """Normalize the facts."""
        if self.metadata:
            msgspec.structs.force_setattr(self, "metadata", normalize_metadata(self.metadata))

    @property
    def facts(self) -> Metadata:
        """The facts, as they are recorded."""
        return dict(self.metadata)


PASSED = TypeCheck(True)

ContextOf: TypeAlias = "Callable[[ValueType], Any]"
"""Gives the context in which a type's check runs."""


class ValueType:
    """A type with a check of its own.

    Args:
        type_check_fn: Takes the context and a value; gives whether the value passes, or a `TypeCheck`.
        key: What tells it apart from other types; its name if not given.
        name: Its name, as people read it.
        description: What its values are.
        loader: Makes a value of what the run config gives for an input that nothing else feeds.
        required_resource_keys: Resources that the check uses as `context.resources.<key>`.
        typing_type: The Python type behind it, for whoever asks, an IO manager for example.
        metadata: Facts about it.

    Raises:
        DefinitionError: It has neither a key nor a name, or the check cannot be called.
    """

    passes_all = False
    """Whether every value is of it, so that none need be looked at."""

    def __init__(
        self,
        type_check_fn: Callable[[Any, Any], TypeCheck | bool],
        key: str | None = None,
        name: str | None = None,
        description: str | None = None,
        loader: TypeLoader | None = None,
        required_resource_keys: Iterable[str] | None = None,
        typing_type: Any = Any,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        if not (key or name):
            raise DefinitionError("A ValueType needs a name, by which people know it, or at least a key; give one.")
        if not callable(type_check_fn):
            raise DefinitionError(
                f'The ValueType "{name or key}" has {type_check_fn!r} as its check; give a function of a context and a '
                "value."
            )
        self.type_check_fn = type_check_fn
        self.key: str = key or str(name)
        self._name = name
        self.description = description
        self.loader = loader
        self.required_resource_keys = frozenset(required_resource_keys or ())
        self.typing_type = typing_type
        self.metadata: Metadata = normalize_metadata(metadata)

    @property
    def display_name(self) -> str:
        """Its name as people read it."""
        return self._name or self.key

    @property
    def has_unique_name(self) -> bool:
        """Whether it was given a name."""
        return self._name is not None

    @property
    def unique_name(self) -> str:
        """The name that it was given.

        Raises:
            DefinitionError: It was given none; ask `has_unique_name` first.
        """
        if self._name is None:
            raise DefinitionError(f"The type {self.key} has a key and no name; ask has_unique_name first.")
        return self._name

    @property
    def all_resource_keys(self) -> frozenset[str]:
        """The resources that its check uses, and those of types inside it."""
        return self.required_resource_keys

    def type_check(self, context: Any, value: Any) -> TypeCheck:
        """What the check finds of a value.

        Raises:
            TypeCheckError: The check raised, or gave neither true nor false nor a `TypeCheck`.
        """
        try:
            found = self.type_check_fn(context, value)
        except Exception as error:
            raise TypeCheckError(
                f'The check of the type "{self.display_name}" raised {type(error).__name__}: {error}'
            ) from error
        if isinstance(found, TypeCheck):
            return found
        if not isinstance(found, bool):
            raise TypeCheckError(
                f'The check of the type "{self.display_name}" gave {found!r} ({kind_of(found)}); '
                "give true, false or a TypeCheck."
            )
        return PASSED if found else TypeCheck(False)

    def examine(self, value: Any, context_of: ContextOf) -> TypeCheck | None:
        """What there is to say of a value: None where it passes and nothing more."""
        found = self.type_check(context_of(self), value)
        return None if found is PASSED else found

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.display_name!r})"

    # As members of Optional and unions, where Python's own typing knows the operator for classes alone.
    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007 - the operator is what is being defined

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007 - the operator is what is being defined


class PythonObjectType(ValueType):
    """The instances of a Python class, or of one of several.

    Args:
        python_type: The class, or a tuple of classes.
        key: What tells it apart from other types; its name if not given.
        name: Its name; the class's if not given.
        description: What its values are.
        loader: Makes a value of what the run config gives for an input that nothing else feeds.
        required_resource_keys: Resources that are set up for steps that use the type.
        typing_type: What `typing_type` gives; the class if not given.
        metadata: Facts about it.

    Raises:
        DefinitionError: It is given something else than classes.
    """

    def __init__(
        self,
        python_type: type | tuple[type, ...],
        key: str | None = None,
        name: str | None = None,
        description: str | None = None,
        loader: TypeLoader | None = None,
        required_resource_keys: Iterable[str] | None = None,
        typing_type: Any = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        classes = python_type if isinstance(python_type, tuple) else (python_type,)
        if not classes or not all(isinstance(each, type) for each in classes):
            raise DefinitionError(
                f"A PythonObjectType is made of a class or a tuple of classes, not {python_type!r}; give one."
            )
        self.python_type = python_type
        names = [each.__name__ for each in classes]
        super().__init__(
            lambda _, value: isinstance(value, python_type),
            key=key,
            name=name or (names[0] if len(names) == 1 else f"Union[{', '.join(names)}]"),
            description=description,
            loader=loader,
            required_resource_keys=required_resource_keys,
            typing_type=Union[classes] if typing_type is None else typing_type,  # noqa: UP007 - of a tuple of classes
            metadata=metadata,
        )


# -- the types of Python classes -------------------------------------------------------------------------------------

_registered: dict[type, ValueType] = {}
on_register: list[Callable[[], None]] = []
"""Called when a class gets a type, by whoever remembers what annotations mean."""


def registered_type(python_type: type) -> ValueType | None:
    """The type that stands for a class, if one was registered."""
    return _registered.get(python_type)


def make_python_type_usable_as_type(python_type: Any, value_type: Any) -> None:
    """Let a type stand for a Python class wherever that is the annotation of an input or output.

    Args:
        python_type: The class.
        value_type: The `ValueType`.

    Raises:
        DefinitionError: Another type stands for the class already.
    """
    if not isinstance(python_type, type) or not isinstance(value_type, ValueType):
        raise DefinitionError(
            f"make_python_type_usable_as_type takes a class and a ValueType, not {python_type!r} and "
            f"{value_type!r}; give both."
        )
    known = _registered.get(python_type)
    if known is not None and known is not value_type:
        raise DefinitionError(
            f'The type "{known.display_name}" stands for the class {python_type.__qualname__} already, so '
            f'"{value_type.display_name}" cannot; declare it at each input and output instead.'
        )
    _registered[python_type] = value_type
    for forget in on_register:
        forget()


@overload
def usable_as_type(name: type, /) -> type: ...
@overload
def usable_as_type(
    name: str | None = None, description: str | None = None, loader: TypeLoader | None = None
) -> Callable[[type], type]: ...
def usable_as_type(
    name: str | type | None = None, description: str | None = None, loader: TypeLoader | None = None
) -> type | Callable[[type], type]:
    """Make a class a type with a name, a description and a loader of its own.

    Args:
        name: Its name; the class's if not given.
        description: What its values are; the class's docstring if not given.
        loader: Makes a value of what the run config gives for an input that nothing else feeds.
    """
    if isinstance(name, type):
        return usable_as_type()(name)
    own_name = name

    def register(cls: type) -> type:
        made = PythonObjectType(cls, name=own_name, description=description or cls.__doc__, loader=loader)
        make_python_type_usable_as_type(cls, made)
        return cls

    return register
