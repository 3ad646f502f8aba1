"""How fresh assets are: kept when it changes, told once, looked at no more often than it can change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from penstock.codec import encode_json
from penstock.daemon.freshness import FreshnessDuty
from penstock.daemon.keeper import Held, parts_of
from penstock.errors import FencedError
from penstock.locations.catalog import Catalog
from penstock.records.event import AssetFact, AssetMaterialization, AssetObservation, AssetWiped, FreshnessStateChange
from penstock.records.freshness import AnyFreshnessPolicy, FreshnessPolicy
from penstock.records.freshness_state import FreshnessState
from penstock.records.location import AssetDescription, LocationDescription
from penstock.records.wire import LoadStatus
from penstock.storage.protocols import StoredLocation
from penstock.storage.sqlite.storage import SqliteStorage
from penstock.testing.clock import FakeClock
from support.held import all_parts

START = 1_767_261_600.0  # 2026-01-01T10:00 UTC
HOUR = timedelta(hours=1)
WINDOW = FreshnessPolicy.time_window(fail_window=3 * HOUR, warn_window=HOUR)
NOON = FreshnessPolicy.cron(deadline_cron="0 12 * * *", lower_bound_delta=HOUR)


class House:
    """A storage with described assets, and daemons that keep how fresh they are."""

    def __init__(self) -> None:
        self.storage = SqliteStorage(None)
        self.clock = FakeClock(START)
        self.reads: list[str] = []

    def describe(self, version: int = 1, /, **policies: AnyFreshnessPolicy | None) -> None:
        """The code location defines these assets, and `plain` without a policy."""
        assets = [
            AssetDescription(key=key, freshness=policy, op=None if key == "seen" else key)
            for key, policy in {**policies, "plain": None}.items()
        ]
        self.storage.locations.put(
            StoredLocation(
                name="shop",
                status=LoadStatus.LOADED,
                digest=str(version),
                description=encode_json(LocationDescription(name="shop", assets=tuple(assets))),
            )
        )

    def duty(self) -> FreshnessDuty:
        return FreshnessDuty(self.storage, Catalog(self.storage.locations), self.clock)

    def held(self, holder: str = "daemon-1", parts: Sequence[int] = range(8)) -> Held:
        names = parts_of("freshness", 8)
        leases = [self.storage.leases.acquire(names[part], holder, ttl=60, now=self.clock.now()) for part in parts]
        return Held(names, all_parts([each for each in leases if each is not None])._parts)

    def report(self, *facts: AssetFact) -> None:
        self.storage.assets.report(facts, now=self.clock.now())

    def told(self) -> list[tuple[str, str, float]]:
        """The changes in the log: asset, state, when."""
        found = []
        for stored in self.storage.events.of_types(["FRESHNESS_STATE_CHANGE"]):
            fact = stored.event.fact
            assert isinstance(fact, FreshnessStateChange)
            found.append((fact.asset, fact.state.value, stored.event.time - START))
        return found


@pytest.fixture
def house() -> Iterator[House]:
    made = House()
    yield made
    made.storage.close()


def made(key: str) -> AssetMaterialization:
    return AssetMaterialization(asset=key)


def test_an_asset_turns_when_it_is_made_and_as_time_goes_by(house: House) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    assert duty.tick(held) is None
    assert house.told() == []
    house.report(made("a"))
    wait = duty.tick(held)
    assert wait == pytest.approx(3600)
    assert wait is not None
    house.clock.advance(wait)
    wait = duty.tick(held)
    assert wait == pytest.approx(2 * 3600)
    assert wait is not None
    house.clock.advance(wait)
    assert duty.tick(held) is None
    house.clock.advance(100)
    house.report(made("a"))
    duty.tick(held)
    assert [each[:2] for each in house.told()] == [("a", "PASS"), ("a", "WARN"), ("a", "FAIL"), ("a", "PASS")]
    assert [each[2] for each in house.told()] == pytest.approx([0, 3600, 3 * 3600, 3 * 3600 + 100])
    row = house.storage.assets.freshness(["a"])["a"]
    assert row.state is FreshnessState.PASS
    assert row.since == pytest.approx(START + 3 * 3600 + 100)


def test_a_deadline_fails_what_was_not_made_for_it(house: House) -> None:
    house.describe(a=NOON, b=NOON)
    duty, held = house.duty(), house.held()
    house.report(made("a"), made("b"))
    assert duty.tick(held) == pytest.approx(2 * 3600)
    house.clock.advance(5400)
    house.report(made("a"))
    assert duty.tick(held) == pytest.approx(1800)
    house.clock.advance(1800)
    assert duty.tick(held) == pytest.approx(86_400)
    assert house.told() == [("a", "PASS", 0), ("b", "PASS", 0), ("b", "FAIL", 7200)]
    assert set(house.storage.assets.freshness(state=FreshnessState.FAIL)) == {"b"}


def test_what_something_else_makes_is_as_fresh_as_it_was_seen(house: House) -> None:
    house.describe(seen=WINDOW, a=WINDOW)
    duty, held = house.duty(), house.held()
    house.report(AssetObservation(asset="seen"), AssetObservation(asset="a"))
    duty.tick(held)
    assert house.told() == [("seen", "PASS", 0)]


def test_what_is_wiped_is_known_no_more(house: House) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    house.report(made("a"))
    duty.tick(held)
    house.report(AssetWiped(asset="a"))
    duty.tick(held)
    house.clock.advance(4 * 3600)
    assert duty.tick(held) is None
    assert [each[1] for each in house.told()] == ["PASS", "UNKNOWN"]


def test_another_policy_counts_at_once(house: House) -> None:
    house.describe(a=WINDOW, b=None)
    duty, held = house.duty(), house.held()
    house.report(made("a"), made("b"))
    duty.tick(held)
    house.clock.advance(120)
    house.describe(2, a=FreshnessPolicy.time_window(fail_window=timedelta(minutes=1)), b=WINDOW)
    duty.tick(held)
    assert sorted(house.told()) == [("a", "FAIL", 120), ("a", "PASS", 0), ("b", "PASS", 120)]


def test_two_daemons_share_the_assets_and_tell_each_change_once(house: House) -> None:
    keys = [f"a{number}" for number in range(40)]
    house.describe(**dict.fromkeys(keys, WINDOW))
    house.report(*map(made, keys))
    first, second = house.duty(), house.duty()
    of_first, of_second = house.held("daemon-1", range(4)), house.held("daemon-2", range(4, 8))
    first.tick(of_first)
    assert 0 < len(house.told()) < 40
    second.tick(of_second)
    assert sorted(key for key, _, _ in house.told()) == sorted(keys)
    for each in range(4, 8):
        house.storage.leases.release(of_second._parts[parts_of("freshness", 8)[each]].lease)
    everything = house.held("daemon-1")
    house.clock.advance(3601)
    first.tick(everything)
    assert len(house.told()) == 80
    with pytest.raises(FencedError):
        second.tick(of_second)
    assert len(house.told()) == 80


def test_after_a_failure_nothing_is_forgotten(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    duty.tick(held)
    house.report(made("a"))
    with monkeypatch.context() as broken:
        broken.setattr(house.storage.assets, "turn_freshness", _raise)
        with pytest.raises(OSError, match="away"):
            duty.tick(held)
    assert house.told() == []
    duty.tick(held)
    assert house.told() == [("a", "PASS", 0)]


def _raise(*_: Any, **__: Any) -> None:
    raise OSError("away")


def test_a_look_at_which_nothing_has_happened_reads_no_assets(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    house.report(made("a"))
    duty.tick(held)
    monkeypatch.setattr(house.storage.assets, "states", _raise)
    house.clock.advance(600)
    house.report(made("plain"))
    assert duty.tick(held) == pytest.approx(3000)


def test_an_asset_that_is_made_often_waits_in_one_place(house: House) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    for _ in range(50):
        house.report(made("a"))
        duty.tick(held)
        house.clock.advance(60)
    assert len(duty._turns) == 1
    house.clock.advance(3540)
    assert [each[1] for each in house.told()] == ["PASS"]
    duty.tick(held)
    house.clock.advance(1)
    duty.tick(held)
    assert [each[1] for each in house.told()] == ["PASS", "WARN"]


def test_a_clock_that_was_set_back_is_believed(house: House) -> None:
    house.describe(a=WINDOW)
    duty, held = house.duty(), house.held()
    house.report(made("a"))
    house.clock.advance(4000)
    duty.tick(held)
    house.clock.jump(-3000)
    duty.tick(held)
    assert [each[1] for each in house.told()] == ["WARN", "PASS"]
