"""Lists as one bound value."""

from __future__ import annotations

from collections.abc import Iterable

from ...codec import encode_json

__all__ = ["listed"]


def listed(values: Iterable[str] | Iterable[int] | Iterable[tuple[str, str]]) -> str:
    """A list of texts, numbers or pairs as JSON, taken apart by `json_each(?)`, so that a statement's text does not
    vary."""
    return encode_json(list(values)).decode()
