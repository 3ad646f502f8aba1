"""What the external side raises and warns of."""

from __future__ import annotations

__all__ = ["PipesError", "PipesWarning"]


class PipesError(Exception):
    """A call that does not fit the step that started this process; the message names both and the remedy."""


class PipesWarning(Warning):
    """Something that a script may do but that has no effect here, such as reporting to nobody."""
