"""A search for backfills looks at so many and no more, and says where it has ended."""

from __future__ import annotations

from penstock.records.backfill import Backfill
from penstock.storage.backfill_page import LOOKS, found_backfills, whole_page
from penstock.storage.protocols import BackfillFilter


class Shelf:
    """Backfills newest first, and how many of them were read."""

    def __init__(self, count: int) -> None:
        self.backfills = [
            Backfill(backfill_id=f"{number:06}", user="ann" if number == 7 else "bob", created=0.0)
            for number in reversed(range(count))
        ]
        self.read_so_far = 0

    def read(self, before: str, limit: int) -> list[Backfill]:
        found = [each for each in self.backfills if each.backfill_id < before][:limit]
        self.read_so_far += len(found)
        return found


def test_a_search_ends_where_it_has_looked_enough_and_goes_on_from_there() -> None:
    shelf = Shelf(LOOKS + 100)
    where = BackfillFilter(user="ann")
    search = found_backfills(shelf.read, where, limit=5, before=None)
    assert (search.backfills, search.until, shelf.read_so_far) == ((), "000100", LOOKS)
    search = found_backfills(shelf.read, where, limit=5, before=search.until)
    assert [each.backfill_id for each in search.backfills] == ["000007"]
    assert search.until is None
    assert whole_page(shelf.read, where, limit=5, before=None) == list(search.backfills)


def test_a_page_that_is_full_reads_no_further_and_needs_no_cursor() -> None:
    shelf = Shelf(3 * LOOKS)
    search = found_backfills(shelf.read, BackfillFilter(user="bob"), limit=5, before=None)
    assert [each.backfill_id for each in search.backfills] == [f"{number:06}" for number in range(5999, 5994, -1)]
    assert (search.until, shelf.read_so_far < LOOKS) == (None, True)


def test_what_the_database_knows_is_not_looked_through() -> None:
    shelf = Shelf(LOOKS)
    assert len(found_backfills(shelf.read, BackfillFilter(), limit=5, before=None).backfills) == 5
    assert shelf.read_so_far == 5
