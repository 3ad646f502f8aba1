"""One step for each store that follows; one that is away does not hold up the others."""

from __future__ import annotations

import logging

import pytest

from penstock.daemon.followers import FollowersDuty
from penstock.errors import StorageUnavailableError
from penstock.records.lease import Lease
from support.held import whole

HELD = whole(Lease(name="followers", holder="d", epoch=1, until=1e12))


class Store:
    """Lacks so many pages."""

    def __init__(self, setting: str, lacks: int, *, is_away: bool = False) -> None:
        self.setting = setting
        self.lacks = lacks
        self.is_away = is_away

    def follow(self) -> bool:
        if self.is_away:
            raise StorageUnavailableError("It is away.")
        self.lacks = max(0, self.lacks - 1)
        return self.lacks > 0

    def behind_since(self) -> float | None:
        return 1.0 if self.lacks else None


def test_it_goes_on_at_once_while_there_is_more() -> None:
    stores = [Store("run_storage", 1), Store("event_log_storage", 3)]
    duty = FollowersDuty(stores)
    assert [duty.tick(HELD) for _ in range(4)] == [0.0, 0.0, 2.0, 2.0]
    assert [store.lacks for store in stores] == [0, 0]
    assert FollowersDuty([]).tick(HELD) == 2.0


def test_one_that_is_away_is_named_and_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    last = Store("schedule_storage", 1)
    stores = [Store("run_storage", 1, is_away=True), Store("event_log_storage", 1, is_away=True), last]
    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(StorageUnavailableError, match=r"^run_storage: It is away\.$"),
    ):
        FollowersDuty(stores).tick(HELD)
    assert last.lacks == 0
    assert caplog.messages == ["event_log_storage: It is away."]
