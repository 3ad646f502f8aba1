"""What a log with catalogs may let go of: nothing that a catalog is still to be given."""

from __future__ import annotations

from msgspec.structs import replace

from ...records.retention import OldEvents, OldTicks, Removed, StorageCut
from ..retention import Retention
from .events import EventFollower
from .let_go import LetGo
from .ticks import TickFollower

__all__ = ["CopiedRetention"]


class CopiedRetention:
    """`Retention` that has catalogs brought up first, and notes what the log lets go of.

    Args:
        log: The log's own.
        events: Brings events to their catalog; None if they have none.
        events_gone: Up to which id the log may have let go of events.
        ticks: Brings ticks to their catalog; None if they have none.
        ticks_gone: Up to which time the log may have let go of ticks.
    """

    def __init__(
        self,
        log: Retention,
        *,
        events: EventFollower | None,
        events_gone: LetGo,
        ticks: TickFollower | None,
        ticks_gone: LetGo,
    ) -> None:
        self._log = log
        self._events = events
        self._events_gone = events_gone
        self._ticks = ticks
        self._ticks_gone = ticks_gone
        self.kept, self.old, self.old_runs, self.shorten = log.kept, log.old, log.old_runs, log.shorten

    def remove(self, cut: StorageCut, *, at_most: int) -> Removed:
        """Remove about so many rows of what is old and was brought over; where some was not, bring over some of it."""
        match cut:
            case OldEvents() if self._events is not None:
                if self._events.follow():
                    return Removed(rows=0, more=True)
                if self._log.old(cut):
                    self._events_gone.note(self._events.reached())
            case OldTicks() if self._ticks is not None:
                if self._ticks.follow():
                    return Removed(rows=0, more=True)
                cut = replace(cut, before=min(cut.before, self._ticks.lacks_from()))
                if self._log.old(cut):
                    self._ticks_gone.note(cut.before)
        return self._log.remove(cut, at_most=at_most)
