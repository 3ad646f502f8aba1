"""The rules for names, tags, owners and kinds, each refused with the place and the way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from ..errors import DefinitionError
from ..records.labels import LABELS
from .source import place_of_call

__all__ = ["check_name", "check_owners", "kinds_as_tags", "normalize_tags", "optional_text"]

_NAME = re.compile(r"[A-Za-z0-9_]+")
_OWNER = re.compile(r"team:[A-Za-z0-9_\-]+|[^@\s]+@[^@\s]+\.[^@\s]+")
_KIND_TAG = "penstock/kind/"
_MOST_KINDS = 3


def check_name(name: object, what: str) -> str:
    """`name` if it may name `what`; letters, digits and `_` only, since it becomes part of paths and config keys.

    Raises:
        DefinitionError: It may not.
    """
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    example = "_".join(re.findall(r"[A-Za-z0-9]+", name)) if isinstance(name, str) else ""
    raise DefinitionError(
        f"{name!r} cannot name {what}{place_of_call()}; use letters, digits and underscores"
        f"{f', for example {example!r}' if example else ''}."
    )


def optional_text(value: Any, what: str) -> str | None:
    """A text or None, as it is.

    Raises:
        DefinitionError: It is neither.
    """
    if value is None or isinstance(value, str):
        return value
    raise DefinitionError(f"{what}{place_of_call()} is {value!r}; give a text.")


def normalize_tags(tags: Mapping[Any, Any] | None, what: str) -> dict[str, str]:
    """Tags as text; a value that is not text is written as JSON.

    Raises:
        DefinitionError: A key is not text, or a value cannot be written as JSON.
    """
    if tags is not None and not isinstance(tags, Mapping):
        raise DefinitionError(f"{what}{place_of_call()} has the tags {tags!r}; give a dict of texts.")
    result = {}
    for key, value in (tags or {}).items():
        if not isinstance(key, str) or not key:
            raise DefinitionError(f"{what}{place_of_call()} has the tag key {key!r}; give a text that is not empty.")
        if not isinstance(value, str):
            try:
                value = msgspec.json.encode(value).decode()
            except TypeError as error:
                raise DefinitionError(
                    f"{what}{place_of_call()} has the tag {key!r} with a value that JSON cannot hold ({error}); "
                    "give a text."
                ) from error
        result[LABELS.read(key)] = value
    return result


def check_owners(owners: Iterable[Any] | None, what: str) -> tuple[str, ...]:
    """Owners, each an e-mail address or `team:name`.

    Raises:
        DefinitionError: One is neither.
    """
    result = tuple(owners or ())
    for owner in result:
        if not isinstance(owner, str) or not _OWNER.fullmatch(owner):
            raise DefinitionError(
                f"{what}{place_of_call()} has the owner {owner!r}; give an e-mail address, or team:name such as "
                "'team:data'."
            )
    return result


def kinds_as_tags(kinds: Iterable[str] | None, what: str) -> dict[str, str]:
    """Kinds in the form in which they are kept among the tags.

    Raises:
        DefinitionError: There are more than three.
    """
    names = list(dict.fromkeys(kinds or ()))
    if len(names) > _MOST_KINDS:
        given = ", ".join(map(str, names))
        raise DefinitionError(f"{what}{place_of_call()} has {len(names)} kinds ({given}); keep at most {_MOST_KINDS}.")
    return {f"{_KIND_TAG}{name}": "" for name in sorted(names)}
