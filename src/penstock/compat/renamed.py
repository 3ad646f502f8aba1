"""Old spellings on what has new ones: keyword arguments, attributes."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from enum import EnumType
from types import ModuleType
from typing import Any

__all__ = ["add_attributes", "with_old_parameters"]


def add_attributes(module: ModuleType, table: Mapping[str, Mapping[str, str]]) -> None:
    """Give classes attributes of other names for what they have.

    Args:
        module: Where the classes are.
        table: By the name of a class: the further name of an attribute, and its own.
    """
    for class_name, attributes in table.items():
        cls = getattr(module, class_name)
        for old, new in attributes.items():
            if isinstance(cls, EnumType):
                setattr(cls, old, cls[new])
            else:
                setattr(cls, old, _Alias(new))


class _Alias:
    """An attribute that is another one, of the class as of its objects."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type) -> Any:
        return getattr(owner if instance is None else instance, self._name)


def with_old_parameters(target: Any, renamed: Mapping[str, str]) -> Any:
    """A function or class that takes keyword arguments under other names too.

    Args:
        target: The function or class. What stands for a class makes objects of that class itself, and `isinstance`
            answers as for it.
        renamed: The further name of an argument, and its own.
    """

    def call(*args: Any, **kwargs: Any) -> Any:
        for old, new in renamed.items():
            if old in kwargs:
                if new in kwargs:
                    raise TypeError(f"{target.__name__} got both {old} and {new}, which are one argument; drop {old}.")
                kwargs[new] = kwargs.pop(old)
        return target(*args, **kwargs)

    if isinstance(target, type):
        return _Stand(target, call)
    return functools.wraps(target)(call)


class _Stand:
    """Stands for a class: calls go through `call`, all else is the class's own."""

    def __init__(self, cls: type, call: Callable[..., Any]) -> None:
        self._cls = cls
        self._call = call
        self.__name__ = cls.__name__
        self.__doc__ = cls.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._call(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cls, name)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._cls)

    def __subclasscheck__(self, subclass: type) -> bool:
        return issubclass(subclass, self._cls)

    def __mro_entries__(self, bases: tuple[object, ...]) -> tuple[type, ...]:
        return (self._cls,)

    def __or__(self, other: Any) -> Any:
        return self._cls | other

    def __ror__(self, other: Any) -> Any:
        return other | self._cls

    def __repr__(self) -> str:
        return repr(self._cls)
