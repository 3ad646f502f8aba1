"""Where a name of Dagster's means something else here, or is not here: what differs, and why.

The page `docs/reference/compatibility.md` is written from it, and a test holds that every gap in the surface is named.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["DIFFERENT", "LEFT_OUT", "NOT_CONSTRUCTED"]

NOT_CONSTRUCTED: frozenset[str] = frozenset()
"""Classes whose objects users are given and do not make: what their constructors take is our own."""

DIFFERENT: Mapping[str, str] = {}
"""By `name`, `name(parameter)` or `Class.member`: how it differs, and why."""

LEFT_OUT: Mapping[str, str] = {}
"""Names that are not here, and why."""
