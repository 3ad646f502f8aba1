"""Names of assets and checks. Inside records, tables and messages an asset is its text form, `a/b/c`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from ..errors import DefinitionError

__all__ = ["AssetCheckKey", "AssetKey", "AssetOrCheckKey", "CoercibleToAssetKey"]


class AssetKey:
    """The hierarchical name of an asset.

    Args:
        path: One part (`"orders"`), or the parts from the outermost to the innermost (`["shop", "orders"]`).

    Raises:
        DefinitionError: The path is empty, or a part is not a non-empty string.
    """

    __slots__ = ("_text", "path")
    path: list[str]

    def __init__(self, path: str | Sequence[str]) -> None:
        parts: list[str] = [path] if isinstance(path, str) else list(path)
        if not parts or not all(type(part) is str and part for part in parts):
            raise DefinitionError(f"An asset key needs one or more non-empty strings, not {path!r}.")
        object.__setattr__(self, "path", parts)
        if len(parts) == 1 and "/" not in parts[0]:
            object.__setattr__(self, "_text", parts[0])
        else:
            object.__setattr__(self, "_text", "/".join(part.replace("/", "\\/") for part in parts))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"An asset key cannot be changed; make a new one instead of setting {name}.")

    def to_user_string(self) -> str:
        """The text form: parts joined by `/`, a `/` inside a part written `\\/`."""
        text: str = self._text  # type: ignore[attr-defined]
        return text

    @classmethod
    def from_user_string(cls, text: str) -> AssetKey:
        """The key whose text form is `text`."""
        return cls([part.replace("\0", "/") for part in text.replace("\\/", "\0").split("/")])

    @classmethod
    def from_coercible(cls, value: CoercibleToAssetKey) -> AssetKey:
        """The key that `value` means: a key, a text of one part, or a sequence of parts."""
        if isinstance(value, AssetKey):
            return value
        if isinstance(value, str):
            return cls([value])
        return cls(value)

    def with_prefix(self, prefix: str | Sequence[str]) -> AssetKey:
        """This key with the prefix's parts before its own."""
        return AssetKey([*([prefix] if isinstance(prefix, str) else prefix), *self.path])

    def has_prefix(self, prefix: Sequence[str]) -> bool:
        """Whether the key begins with these parts."""
        return self.path[: len(prefix)] == list(prefix)

    @property
    def parts(self) -> Sequence[str]:
        """The parts from the outermost to the innermost."""
        return self.path

    def to_python_identifier(self, suffix: str | None = None) -> str:
        """The key as a Python identifier: parts joined by `__`, other characters as `_`."""
        joined = "__".join([*self.path, *([suffix] if suffix else [])])
        if joined.replace("_", "a").isalnum():
            return joined
        return "".join(each if each.isalnum() or each == "_" else "_" for each in joined)

    def __str__(self) -> str:
        return self.to_user_string()

    def __repr__(self) -> str:
        return f"AssetKey({self.path!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetKey) and self.path == other.path

    def __hash__(self) -> int:
        return hash(self.to_user_string())

    def __lt__(self, other: AssetKey) -> bool:
        return self.path < other.path

    def __reduce__(self) -> tuple[type[AssetKey], tuple[list[str]]]:
        return (AssetKey, (self.path,))


CoercibleToAssetKey: TypeAlias = AssetKey | str | Sequence[str]


class AssetCheckKey:
    """The name of a check: the asset that it looks at, and its own name there.

    Args:
        asset_key: The asset.
        name: The check's own name there.
    """

    __slots__ = ("asset_key", "name")
    asset_key: AssetKey
    name: str

    def __init__(self, asset_key: AssetKey, name: str) -> None:
        self.asset_key = asset_key
        self.name = name

    def to_user_string(self) -> str:
        """The text form, `asset/key:check_name`."""
        return f"{self.asset_key.to_user_string()}:{self.name}"

    @classmethod
    def from_user_string(cls, text: str) -> AssetCheckKey:
        """The check key whose text form is `text`."""
        asset, _, name = text.rpartition(":")
        return cls(AssetKey.from_user_string(asset), name)

    def __repr__(self) -> str:
        return f"AssetCheckKey({self.asset_key!r}, {self.name!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AssetCheckKey) and (self.asset_key, self.name) == (other.asset_key, other.name)

    def __hash__(self) -> int:
        return hash((self.asset_key, self.name))

    def __lt__(self, other: AssetCheckKey) -> bool:
        return (self.asset_key, self.name) < (other.asset_key, other.name)


AssetOrCheckKey: TypeAlias = AssetKey | AssetCheckKey
"""The key of an asset or of a check."""
