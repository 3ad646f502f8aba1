"""The event log of all runs, read on by type: page by page, and from a place that is kept for whoever reads next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..records.event import StoredEvent
from .protocols import EventStorage, Storage

__all__ = ["KeptPlace", "pages_of_types"]


def pages_of_types(
    events: EventStorage, types: Sequence[str], *, after: int, limit: int
) -> Iterator[list[StoredEvent]]:
    """The events of some types behind a place, in their order, in pages of at most so many; no page is empty."""
    while types:
        page = events.of_types(types, after=after, limit=limit)
        if page:
            yield page
        if len(page) < limit:
            return
        after = page[-1].id


class KeptPlace:
    """How far somebody has read the log, stored under a name: who does it next goes on from there.

    Args:
        storage: Where log and place are.
        name: The name of the place.
    """

    def __init__(self, storage: Storage, name: str) -> None:
        self._events = storage.events
        self._values = storage.locations
        self._name = name
        self._place = 0
        self._epoch: int | None = None

    def read_on(self, types: Sequence[str], *, epoch: int, limit: int) -> Iterator[list[StoredEvent]]:
        """Pages of events of some types, from the place on; the first time, it is the end of the log.

        The place moves behind a page when the next one is asked for: what is to be done with it has been done by then.

        Args:
            types: The types.
            epoch: Of the lease under which they are read: under another one somebody else may have moved the place.
            limit: How many events a page has at most.
        """
        if epoch != self._epoch:
            self._place = int(self._values.settle_value(self._name, str(self._events.last_id())))
            self._epoch = epoch
        for page in pages_of_types(self._events, types, after=self._place, limit=limit):
            yield page
            self._values.set_value(self._name, str(page[-1].id))
            self._place = page[-1].id

    def pass_over(self) -> None:
        """Move it, if it is kept already, to the end of the log. Nobody may be reading."""
        if self._values.get_value(self._name) is not None:
            self._values.set_value(self._name, str(self._events.last_id()))
