"""Declared inputs and outputs of ops and graphs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from ...records.keys import AssetKey, CoercibleToAssetKey
from ..function import NO_DEFAULT, UNKNOWN
from .types import Nothing, check_is_type, type_name, type_of
from .value_type import ValueType

__all__ = ["DEFAULT_OUTPUT", "NO_METADATA", "DynamicOut", "GraphIn", "GraphOut", "In", "Out"]

DEFAULT_OUTPUT = "result"
"""The name of an output that was given none."""

NO_METADATA: Mapping[str, Any] = {}


class In(msgspec.Struct, frozen=True):
    """An input of an op.

    Args:
        python_type: What its values are, an annotation or a `ValueType`; the parameter's annotation if not given.
            `Nothing` sets the order alone.
        description: What it is for.
        default_value: What stands in when nothing feeds it.
        metadata: Facts that an IO manager can read when it loads the input.
        asset_key: The asset to load it from when no op feeds it.
        input_manager_key: The resource that loads it, instead of the IO manager that stored it.
    """

    python_type: Any = UNKNOWN
    description: str | None = None
    default_value: Any = NO_DEFAULT
    metadata: Mapping[str, Any] = NO_METADATA
    asset_key: CoercibleToAssetKey | None = None
    input_manager_key: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no type."""
        check_is_type(self.python_type, "An In")

    @property
    def has_default(self) -> bool:
        """Whether a value stands in when nothing feeds it."""
        return self.default_value is not NO_DEFAULT

    @property
    def is_nothing(self) -> bool:
        """Whether it sets order alone and passes no value."""
        return self.python_type is Nothing

    @property
    def asset(self) -> AssetKey | None:
        """The asset to load it from, if any."""
        return None if self.asset_key is None else AssetKey.from_coercible(self.asset_key)

    @property
    def type_name(self) -> str:
        """Its type as people read it."""
        return type_name(self.python_type)

    @property
    def value_type(self) -> ValueType:
        """Its type."""
        return type_of(self.python_type)


class Out(msgspec.Struct, frozen=True):
    """An output of an op.

    Args:
        python_type: What its values are, an annotation or a `ValueType`; taken from the return annotation if not given.
            `Nothing` stores no value.
        description: What it holds.
        is_required: Whether the op must give it. Steps that need an output that was not given are skipped.
        io_manager_key: The resource that stores it.
        metadata: Facts that an IO manager can read when it stores the output.
        code_version: The version of the code that makes it.
    """

    python_type: Any = UNKNOWN
    description: str | None = None
    is_required: bool = True
    io_manager_key: str = "io_manager"
    metadata: Mapping[str, Any] = NO_METADATA
    code_version: str | None = None

    def __post_init__(self) -> None:
        """Refuse what is no type."""
        check_is_type(self.python_type, "An Out")

    @property
    def is_dynamic(self) -> bool:
        """Whether it holds any number of values, each under a mapping key."""
        return False

    @property
    def is_nothing(self) -> bool:
        """Whether it passes no value."""
        return self.python_type is Nothing

    @property
    def type_name(self) -> str:
        """Its type as people read it."""
        return type_name(self.python_type)

    @property
    def value_type(self) -> ValueType:
        """Its type."""
        return type_of(self.python_type)


class DynamicOut(Out, frozen=True):
    """An output of any number of values, decided at run time, each given as a `DynamicOutput` with its mapping key.

    It takes what `Out` takes.
    """

    @property
    def is_dynamic(self) -> bool:
        """Whether it holds any number of values, each under a mapping key."""
        return True


class GraphIn(msgspec.Struct, frozen=True):
    """An input of a graph.

    Args:
        description: What it is for.
    """

    description: str | None = None


class GraphOut(msgspec.Struct, frozen=True):
    """An output of a graph.

    Args:
        description: What it holds.
    """

    description: str | None = None
