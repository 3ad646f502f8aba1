"""What can be called over the wire: every method of the storage's Protocols, its arguments and its answer as types.

It is all derived from the Protocols' own signatures, so that there is no second list to keep. Bodies are MessagePack:
they hold bytes and every float as they are.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from ..protocols import Storage

__all__ = ["LARGEST_BODY", "PARTS", "SUBSCRIBE", "Call", "Refusal", "call_named"]

LARGEST_BODY = 16 * 1024 * 1024
"""The most bytes that the body of a call may have."""

SUBSCRIBE = "notifier.subscribe"
"""The one call that is answered with a stream: the topics, one a line, an empty line now and then."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one of the storage's parts.

    Args:
        name: `part.method`: "events.append".
        parameters: The names of its parameters in order.
        request: The record of its arguments, with the method's own defaults.
        answer: The type of what it gives.
    """

    name: str
    parameters: tuple[str, ...]
    request: type[msgspec.Struct]
    answer: Any


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of an answer that is no 200: what was refused and why, in words."""

    error: str


def _parts() -> dict[str, type]:
    """The parts of a storage by name: its properties, each with a Protocol."""
    return {
        name: get_type_hints(member.fget)["return"]
        for name, member in vars(Storage).items()
        if isinstance(member, property) and member.fget is not None
    }


PARTS: Mapping[str, type] = MappingProxyType(_parts())
"""The Protocol of each part: "runs", "events" and so on."""


@cache
def call_named(name: str) -> Call | None:
    """The call of that name; None if no Protocol has such a method, or it is the stream."""
    part, _, method = name.partition(".")
    protocol = PARTS.get(part)
    function = None if protocol is None or method.startswith("_") else vars(protocol).get(method)
    if not inspect.isfunction(function) or name == SUBSCRIBE:
        return None
    hints = get_type_hints(function)
    fields: list[Any] = []
    for parameter in list(inspect.signature(function).parameters.values())[1:]:
        kind = _on_the_wire(hints[parameter.name])
        is_needed = parameter.default is inspect.Parameter.empty
        fields.append((parameter.name, kind) if is_needed else (parameter.name, kind, parameter.default))
    return Call(
        name=name,
        parameters=tuple(field[0] for field in fields),
        request=msgspec.defstruct(
            f"{protocol.__name__ if protocol else ''}_{method}", fields, frozen=True, kw_only=True, omit_defaults=True
        ),
        answer=_on_the_wire(hints["return"]),
    )


def _on_the_wire(kind: Any) -> Any:
    """A type that arrives: what is only said to be iterable arrives as a tuple."""
    origin = get_origin(kind)
    if origin in (Iterable, Sequence):
        (item,) = get_args(kind)
        return tuple[item, ...]  # type: ignore[valid-type]  # a type at run time
    return kind
