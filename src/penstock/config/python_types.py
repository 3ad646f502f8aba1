"""Python's own types under the names that a config schema or a declared type may call them by.

`List[int]`, `Dict[str, int]`, `Optional[int]`, `Set[int]` and `Tuple[int, str]` are those of Python's `typing`; a
`ValueType` may stand inside them.
"""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Set, Tuple, TypeAlias  # noqa: UP035 - they are given under these names

__all__ = ["Any", "Bool", "Dict", "Float", "Int", "List", "Optional", "Set", "String", "Tuple"]

Bool: TypeAlias = bool
Float: TypeAlias = float
Int: TypeAlias = int
String: TypeAlias = str
