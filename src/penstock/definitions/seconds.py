"""Times that definitions name, in seconds."""

from __future__ import annotations

from ..errors import DefinitionError
from .source import Source

__all__ = ["check_seconds"]


def check_seconds(given: float | None, name: str, what: str, source: Source | None) -> float | None:
    """The number of seconds; None where none is given.

    Args:
        given: As somebody wrote it.
        name: The name of the argument.
        what: What it is of, as messages call it.
        source: Where that is written.

    Raises:
        DefinitionError: It is not more than 0.
    """
    if given is None:
        return None
    if not given > 0:
        raise DefinitionError(f"{what} ({source}) has {name}={given}; give more than 0.")
    return float(given)
