"""What the text form of selections may ask of an asset: `group:`, `tag:`, `kind:`, `owner:`, `column:` and others.

A value may hold `*` for any text. `<null>` asks for assets that have no such thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ...errors import DefinitionError
from .graph import AssetNode
from .selection import AssetSelection, Matching

__all__ = ["ATTRIBUTES", "COLUMN_SCHEMA", "NULL", "attribute", "tagged"]

NULL = "<null>"
"""The value that asks for assets without a value."""

TABLE_NAME = "penstock/table_name"
COLUMN_SCHEMA = "penstock/column_schema"
_KIND = "penstock/kind/"

Values = Callable[[AssetNode], Iterable[str]]


def attribute(name: str, value: str) -> AssetSelection:
    """The assets with an attribute of this value.

    Raises:
        DefinitionError: The attribute cannot be known where code is loaded.
    """
    values = ATTRIBUTES[name]
    if values is None:
        raise DefinitionError(
            f"{name}: is not known to the code of a location, only to whoever sees all of them; leave it out here."
        )
    matches = _matcher(value)
    text = f"{name}:{_shown(value)}"
    if value == NULL:
        return Matching(lambda node: next(iter(values(node)), None) is None, text, include_sources=False)
    return Matching(lambda node: any(matches(each) for each in values(node)), text, include_sources=False)


def tagged(key: str, value: str | None) -> AssetSelection:
    """The assets with a tag of this key, and of this value; without one, with an empty value."""
    if key == NULL:
        return Matching(lambda node: not _own_tags(node), f"tag:{NULL}", include_sources=False)
    key_matches, value_matches = _matcher(key), _matcher(value or "")
    text = f"tag:{_shown(key)}" + ("" if value is None else f"={_shown(value)}")

    def has(node: AssetNode) -> bool:
        return any(key_matches(each) and value_matches(its) for each, its in node.spec.tags.items())

    return Matching(has, text, include_sources=False)


def _matcher(pattern: str) -> Callable[[str], bool]:
    if "*" not in pattern:
        return pattern.__eq__
    regex = re.compile(".*".join(re.escape(each) for each in pattern.split("*")), re.DOTALL)
    return lambda text: regex.fullmatch(text) is not None


def _shown(value: str) -> str:
    if value == NULL:
        return NULL
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _own_tags(node: AssetNode) -> list[str]:
    return [tag for tag in node.spec.tags if not tag.startswith(_KIND)]


def _group(node: AssetNode) -> Iterable[str]:
    return (node.group,)


def _kinds(node: AssetNode) -> Iterable[str]:
    return (tag.removeprefix(_KIND) for tag in node.spec.tags if tag.startswith(_KIND))


def _owners(node: AssetNode) -> Iterable[str]:
    return node.spec.owners


def _columns(node: AssetNode) -> Iterable[str]:
    schema = node.spec.metadata.get(COLUMN_SCHEMA)
    schema = getattr(schema, "schema", schema)
    return (column.name for column in getattr(schema, "columns", ()))


def _table_name(node: AssetNode) -> Iterable[str]:
    name = node.spec.metadata.get(TABLE_NAME)
    name = getattr(name, "text", name)
    return (name,) if isinstance(name, str) else ()


ATTRIBUTES: dict[str, Values | None] = {
    "changed_in_branch": None,
    "code_location": None,
    "column": _columns,
    "group": _group,
    "kind": _kinds,
    "owner": _owners,
    "table_name": _table_name,
}
"""By the name of the attribute, the values that an asset has; None for those that only the whole deployment knows."""
