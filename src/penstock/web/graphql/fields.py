"""The tables that say how each field of a GraphQL type is answered: from an attribute, or by a function.

A function takes (source, context, **arguments); names are snake case here and camel case in the schema. A field that
no table mentions is the attribute of its own name. `schema.py` checks at the first use that nothing is left open.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Concatenate, Generic, NamedTuple, ParamSpec, TypeVar

from ...auth.permissions import Permission
from .context import Context

__all__ = ["Answer", "Fields", "camel", "snake"]

S = TypeVar("S")
P = ParamSpec("P")
R = TypeVar("R")


class Answer(NamedTuple):
    """How one field is answered.

    `call` takes (source, context, **arguments); for an attribute, `attribute` is its getter and `call` is None.
    `needs` is the permission without which a mutation is refused.
    """

    call: Callable[..., Any] | None
    attribute: Callable[[Any], Any] | None = None
    needs: Permission | None = None


class Fields(Generic[S]):
    """The answers of one GraphQL type, or of several that share them, over one kind of Python value.

    Args:
        types: Names of GraphQL types.
        source: The class of the values behind them.
    """

    def __init__(self, *types: str, source: type[S]) -> None:
        self.types = types
        self.source = source
        self.answers: dict[str, Answer] = {}

    def rename(self, **attributes: str) -> None:
        """Fields that are an attribute of another name: `field="attribute"`, dots reach into it."""
        for field, attribute in attributes.items():
            self._add(camel(field), Answer(None, attrgetter(attribute)))

    def field(self, function: Callable[Concatenate[S, Context, P], R]) -> Callable[Concatenate[S, Context, P], R]:
        """The decorated function answers the field of its name."""
        return self.named(camel(function.__name__))(function)

    def named(
        self, *fields: str, needs: Permission | None = None
    ) -> Callable[[Callable[Concatenate[S, Context, P], R]], Callable[Concatenate[S, Context, P], R]]:
        """The decorated function answers these fields (names as in the schema)."""

        def add(function: Callable[Concatenate[S, Context, P], R]) -> Callable[Concatenate[S, Context, P], R]:
            for field in fields:
                self._add(field, Answer(function, needs=needs))
            return function

        return add

    def _add(self, field: str, answer: Answer) -> None:
        assert field not in self.answers, f"{self.types[0]}.{field} is answered twice"
        self.answers[field] = answer


def camel(name: str) -> str:
    """`step_key` as `stepKey`."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def snake(name: str) -> str:
    """`stepKey` as `step_key`; a name that Python's built-in functions have gets a `_` behind it."""
    spelled = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return f"{spelled}_" if spelled in _TAKEN else spelled


_TAKEN = frozenset({"filter", "id", "type"})
