"""The instance of an execution that was given none: it is made when user code first asks for it."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..instance.instance import Instance

__all__ = ["OwnInstance"]


class OwnInstance:
    """An instance in memory that lives as long as this; the run that uses it is not kept in it."""

    __slots__ = ("__weakref__", "_made")

    def __init__(self) -> None:
        self._made: Instance | None = None

    def get(self) -> Instance:
        """The instance, the same one each time."""
        if self._made is None:
            from ..instance.instance import Instance

            self._made = Instance.ephemeral()
            weakref.finalize(self, self._made.close)
        return self._made
