"""What the log has let go of and a catalog still has: noted in the log before it goes, and asked while one is away."""

from __future__ import annotations

from ..protocols import LocationStorage

__all__ = ["LetGo"]


class LetGo:
    """A place in the log up to which it may lack what a catalog has.

    Args:
        values: The named values of the log.
        name: Under which of them it is kept.
    """

    def __init__(self, values: LocationStorage, name: str) -> None:
        self._values = values
        self._name = name

    def upto(self) -> float:
        """The place: an id, or a time in seconds since the epoch; 0 while the log has everything."""
        return float(self._values.get_value(self._name) or 0)

    def note(self, place: float) -> None:
        """Note that what is up to this place may go. It never goes back."""
        if place > self.upto():
            self._values.set_value(self._name, repr(place))
