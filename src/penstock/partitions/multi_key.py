"""The key of a partition of several dimensions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from ..errors import InvocationError

__all__ = ["SEPARATOR", "MultiPartitionKey"]

SEPARATOR = "|"


class MultiPartitionKey(str):
    """A text that joins the keys of all dimensions by `|`, in the order of the dimensions' names.

    Args:
        keys_by_dimension: The key of each dimension, by the dimension's name.

    Raises:
        InvocationError: There are no dimensions, a key is no text, or it contains `|`.
    """

    __slots__ = ("_keys",)
    _keys: dict[str, str]

    def __new__(cls, keys_by_dimension: Mapping[str, str]) -> Self:
        """The key of these keys."""
        given: object = keys_by_dimension
        if not isinstance(given, Mapping) or not given:
            raise InvocationError(f"A MultiPartitionKey is made of a mapping of dimensions to keys, not of {given!r}.")
        keys = dict(sorted(given.items()))
        for name, key in keys.items():
            if not isinstance(key, str) or SEPARATOR in key:
                raise InvocationError(
                    f'{key!r} cannot be the key of dimension {name!r}; it must be a text without "{SEPARATOR}".'
                )
        made = super().__new__(cls, SEPARATOR.join(keys.values()))
        made._keys = keys
        return made

    @classmethod
    def of_parts(cls, names: Sequence[str], parts: Sequence[str]) -> Self:
        """The key of dimensions, sorted by name, whose keys are known to be right."""
        made = super().__new__(cls, SEPARATOR.join(parts))
        made._keys = dict(zip(names, parts, strict=True))
        return made

    @property
    def keys_by_dimension(self) -> Mapping[str, str]:
        """The key of each dimension."""
        return dict(self._keys)

    def __reduce__(self) -> tuple[type[MultiPartitionKey], tuple[dict[str, str]]]:
        """What a copy is made of."""
        return MultiPartitionKey, (self._keys,)
