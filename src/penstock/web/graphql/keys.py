"""Asset keys and tags: inside they are a text and a mapping, in the API lists of parts and of pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import TypeAlias

from ...records.keys import AssetKey
from .context import Context
from .fields import Answer, Fields

__all__ = ["TABLES", "Pair", "pairs"]

Pair: TypeAlias = tuple[str, str]

_KEY = Fields("AssetKey", source=str)

_TAG = Fields("PipelineTag", source=tuple)
_TAG.answers["key"] = Answer(None, itemgetter(0))
_TAG.answers["value"] = Answer(None, itemgetter(1))

TABLES = (_KEY, _TAG)


@_KEY.field
def path(key: str, _: Context) -> list[str]:
    return AssetKey.from_user_string(key).path if "\\" in key else key.split("/")


def pairs(tags: Mapping[str, str] | Iterable[Pair]) -> Iterable[Pair]:
    """Tags as (key, value), in their order."""
    return tags.items() if isinstance(tags, Mapping) else tags
