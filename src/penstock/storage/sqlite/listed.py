"""Lists as one bound value."""

from __future__ import annotations

from collections.abc import Iterable

from ...codec import encode_json

__all__ = ["listed"]


def listed(values: Iterable[str] | Iterable[int]) -> str:
    """A list of texts or numbers as JSON that `json_each(?)` takes apart, so that a statement's text does not vary."""
    return encode_json(list(values)).decode()
