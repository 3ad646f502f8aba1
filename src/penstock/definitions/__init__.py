"""What users write: ops, jobs, assets, resources, schedules and sensors, and their description as records.

`penstock.definitions` is this room and also the name of a public decorator. Python gives whoever imports the name the
room, once that is loaded; so the room can be called, as the decorator.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

__all__: list[str] = []


class _Room(ModuleType):
    """A module that is called like its decorator."""

    def __call__(self, fn: Any) -> Any:
        from .lazy import definitions

        return definitions(fn)


sys.modules[__name__].__class__ = _Room
