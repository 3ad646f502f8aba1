"""What is known of assets and their partitions."""

from __future__ import annotations

from typing import Any

import pytest

from ...errors import FencedError
from ...records.asset import PartitionStatus, PartitionStatuses, PlannedAsset
from ...records.data_version import DataVersionState, VersionTag
from ...records.event import (
    AssetFact,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
    Fact,
    FreshnessStateChange,
    RunCanceled,
    RunFailure,
    RunSuccess,
)
from ...records.freshness_state import AssetFreshness, FreshnessState
from ...records.run import FailureReason, Run
from ...storage.protocols import Storage
from .builders import NOW, events_from, started_run

__all__ = ["AssetContract"]

_FAILED = RunFailure(reason=FailureReason.STEP_FAILURE, message="A step failed.")


def _turned(key: str, previous: FreshnessState, state: FreshnessState) -> FreshnessStateChange:
    return FreshnessStateChange(asset=key, state=state, previous=previous)


def _append(storage: Storage, run: Run, seq: int, *facts: Fact, at: float) -> int:
    return storage.events.append(run.run_id, 1, events_from(seq, facts, at=at, step_key="s"), now=at)


class AssetContract:
    """`AssetStorage`, but for checks."""

    def test_an_asset_shows_its_latest_facts(self, storage: Storage) -> None:
        run = started_run(storage, AssetMaterializationPlanned(asset="orders"))
        state = storage.assets.states(["orders"])["orders"]
        assert (state.planned_run, state.planned_at, state.materialized_event) == (run.run_id, NOW, None)
        made = _append(storage, run, 2, AssetMaterialization(asset="orders"), at=NOW + 5)
        seen = _append(storage, run, 3, AssetObservation(asset="orders"), at=NOW + 6)
        state = storage.assets.states(["orders"])["orders"]
        assert (state.materialized_event, state.materialized_at, state.materialized_run) == (made, NOW + 5, run.run_id)
        assert (state.observed_event, state.observed_at) == (seen, NOW + 6)
        assert state.planned_run is None
        assert state.failed_run is None

    def test_states_are_of_the_assets_asked_for_or_of_all(self, storage: Storage) -> None:
        storage.assets.report([AssetMaterialization(asset="a"), AssetObservation(asset="b")], now=NOW)
        assert set(storage.assets.states()) == {"a", "b"}
        assert set(storage.assets.states(["b", "unknown"])) == {"b"}
        assert storage.assets.states([]) == {}

    def test_an_asset_announced_and_not_made_failed_with_its_run(self, storage: Storage) -> None:
        for end in (_FAILED, RunCanceled()):
            run = started_run(
                storage, AssetMaterializationPlanned(asset="made"), AssetMaterializationPlanned(asset="left")
            )
            _append(storage, run, 2, AssetMaterialization(asset="made"), at=NOW + 5)
            storage.runs.record(run.run_id, [end], now=NOW + 8)
            states = storage.assets.states(["made", "left"])
            assert (states["left"].failed_run, states["left"].failed_at) == (run.run_id, NOW + 8)
            assert states["made"].failed_run is None
            assert {state.planned_run for state in states.values()} == {None}

    def test_an_asset_left_out_by_a_run_that_succeeded_did_not_fail(self, storage: Storage) -> None:
        run = started_run(
            storage,
            AssetMaterializationPlanned(asset="orders"),
            AssetMaterializationPlanned(asset="daily", partition="a"),
        )
        _append(storage, run, 2, RunSuccess(), at=NOW + 5)
        state = storage.assets.states(["orders"])["orders"]
        assert (state.planned_run, state.failed_run) == (None, None)
        assert storage.assets.partition_states("daily") == {}

    def test_the_end_of_one_run_leaves_what_another_is_about_to_make(self, storage: Storage) -> None:
        first = started_run(storage, AssetMaterializationPlanned(asset="orders"))
        second = started_run(storage, AssetMaterializationPlanned(asset="orders"), created=NOW + 1)
        storage.runs.record(first.run_id, [RunCanceled()], now=NOW + 8)
        assert storage.assets.states()["orders"].planned_run == second.run_id
        storage.runs.record(second.run_id, [RunCanceled()], now=NOW + 9)
        assert storage.assets.states()["orders"].planned_run is None

    def test_the_earlier_run_is_named_again_when_the_later_one_ends(self, storage: Storage) -> None:
        first = started_run(storage, AssetMaterializationPlanned(asset="orders"))
        second = started_run(storage, AssetMaterializationPlanned(asset="orders"), created=NOW + 1)
        storage.runs.record(second.run_id, [RunCanceled()], now=NOW + 8)
        assert storage.assets.states()["orders"].planned_run == first.run_id

    def test_what_runs_announced_is_known_by_run_and_while_it_is_still_to_come(self, storage: Storage) -> None:
        run = started_run(
            storage,
            AssetMaterializationPlanned(asset="orders"),
            AssetMaterializationPlanned(asset="daily", partition="a"),
        )
        other = started_run(storage, AssetMaterializationPlanned(asset="orders"), created=NOW + 1)
        _append(storage, run, 3, AssetMaterialization(asset="orders"), at=NOW + 5)
        own = [
            PlannedAsset(run_id=run.run_id, asset="daily", partition="a"),
            PlannedAsset(run_id=run.run_id, asset="orders"),
        ]
        assert sorted(storage.assets.planned([run.run_id]), key=lambda each: each.asset) == own
        assert {(each.run_id, each.asset) for each in storage.assets.planned()} == {
            (run.run_id, "daily"),
            (other.run_id, "orders"),
        }
        storage.runs.record(run.run_id, [_FAILED], now=NOW + 8)
        assert [each.run_id for each in storage.assets.planned()] == [other.run_id]
        assert storage.assets.planned([]) == []

    # -- partitions ---------------------------------------------------------------------------------------------------

    def test_a_partition_goes_from_announced_to_made_or_failed(self, storage: Storage) -> None:
        planned = [AssetMaterializationPlanned(asset="daily", partition=key) for key in "abc"]
        run = started_run(storage, *planned)
        states = storage.assets.partition_states("daily")
        assert {key: state.status for key, state in states.items()} == dict.fromkeys(
            "abc", PartitionStatus.MATERIALIZING
        )
        made = _append(storage, run, 2, AssetMaterialization(asset="daily", partition="a"), at=NOW + 5)
        assert storage.assets.states()["daily"].planned_run == run.run_id  # b and c are still to come
        storage.runs.record(run.run_id, [_FAILED], now=NOW + 8)
        states = storage.assets.partition_states("daily")
        assert {key: state.status for key, state in states.items()} == {
            "a": PartitionStatus.MATERIALIZED,
            "b": PartitionStatus.FAILED,
            "c": PartitionStatus.FAILED,
        }
        assert (states["a"].event, states["a"].materialized_at, states["a"].run_id) == (made, NOW + 5, run.run_id)
        assert (states["b"].event, states["b"].updated, states["b"].run_id) == (None, NOW + 8, run.run_id)
        assert storage.assets.partition_states("unknown") == {}

    def test_a_failed_remake_remembers_when_the_partition_was_made(self, storage: Storage) -> None:
        storage.assets.report([AssetMaterialization(asset="daily", partition="a")], now=NOW - 50)
        run = started_run(storage, AssetMaterializationPlanned(asset="daily", partition="a"))
        storage.runs.record(run.run_id, [_FAILED], now=NOW + 8)
        state = storage.assets.partition_states("daily")["a"]
        assert (state.status, state.materialized_at) == (PartitionStatus.FAILED, NOW - 50)

    def test_a_partition_left_out_by_a_run_that_succeeded_is_as_before(self, storage: Storage) -> None:
        storage.assets.report([AssetMaterialization(asset="daily", partition="a")], now=NOW - 50)
        run = started_run(storage, AssetMaterializationPlanned(asset="daily", partition="a"))
        _append(storage, run, 2, RunSuccess(), at=NOW + 5)
        state = storage.assets.partition_states("daily")["a"]
        assert (state.status, state.materialized_at, state.run_id) == (PartitionStatus.MATERIALIZED, NOW - 50, None)

    def test_a_partition_that_a_later_run_makes_again_stays_with_that_run(self, storage: Storage) -> None:
        planned = AssetMaterializationPlanned(asset="daily", partition="a")
        first, second = started_run(storage, planned), started_run(storage, planned, created=NOW + 1)
        _append(storage, first, 2, AssetMaterialization(asset="daily", partition="a"), at=NOW + 5)
        storage.runs.record(first.run_id, [RunCanceled()], now=NOW + 6)
        state = storage.assets.partition_states("daily")["a"]
        assert (state.status, state.run_id, state.materialized_at) == (
            PartitionStatus.MATERIALIZING,
            second.run_id,
            NOW + 5,
        )
        _append(storage, second, 2, AssetMaterialization(asset="daily", partition="a"), at=NOW + 7)
        state = storage.assets.partition_states("daily")["a"]
        assert (state.status, state.run_id) == (PartitionStatus.MATERIALIZED, second.run_id)

    def test_some_partitions_are_asked_for_by_key(self, storage: Storage) -> None:
        facts = [AssetMaterialization(asset=asset, partition=key) for asset in ("daily", "other") for key in "abc"]
        storage.assets.report(facts, now=NOW)
        assert set(storage.assets.partition_states("daily", ["a", "c", "unknown"])) == {"a", "c"}
        assert storage.assets.partition_states("daily", []) == {}

    # -- freshness ----------------------------------------------------------------------------------------------------

    def test_freshness_is_as_it_was_told_last(self, storage: Storage) -> None:
        assert storage.assets.freshness() == {}
        lease = storage.leases.acquire("freshness", "daemon-1", ttl=10, now=NOW)
        assert lease is not None
        passed = [_turned(key, FreshnessState.UNKNOWN, FreshnessState.PASS) for key in ("a", 'of "all"')]
        storage.assets.turn_freshness(passed, lease=lease, now=NOW + 1)
        failed = _turned("a", FreshnessState.PASS, FreshnessState.FAIL)
        storage.assets.turn_freshness([failed], lease=lease, now=NOW + 2)
        stored = storage.events.of_types(["FRESHNESS_STATE_CHANGE"])
        assert [each.event.fact for each in stored] == [*passed, failed]
        assert [each.run_id for each in stored] == [None, None, None]
        found = storage.assets.freshness()
        assert found == {
            "a": AssetFreshness(asset="a", state=FreshnessState.FAIL, since=NOW + 2, event=stored[-1].id),
            'of "all"': AssetFreshness(asset='of "all"', state=FreshnessState.PASS, since=NOW + 1, event=stored[1].id),
        }
        assert set(storage.assets.freshness(['of "all"', "unknown"])) == {'of "all"'}
        assert storage.assets.freshness([]) == {}
        assert set(storage.assets.freshness(state=FreshnessState.FAIL)) == {"a"}
        assert storage.assets.freshness(['of "all"'], state=FreshnessState.FAIL) == {}

    def test_only_the_holder_of_the_lease_turns_freshness(self, storage: Storage) -> None:
        old = storage.leases.acquire("freshness", "daemon-1", ttl=10, now=NOW)
        assert old is not None
        storage.leases.acquire("freshness", "daemon-2", ttl=10, now=NOW + 20)
        change = _turned("a", FreshnessState.UNKNOWN, FreshnessState.PASS)
        with pytest.raises(FencedError):
            storage.assets.turn_freshness([change], lease=old, now=NOW + 21)
        assert storage.assets.freshness() == {}
        assert storage.events.of_types(["FRESHNESS_STATE_CHANGE"]) == []

    # -- statuses in short --------------------------------------------------------------------------------------------

    def test_a_letter_says_where_a_partition_stands(self, storage: Storage) -> None:
        def letters() -> dict[str, str]:
            states = storage.assets.partition_states("daily")
            found = storage.assets.partition_statuses({"daily": 0})["daily"].by_key()
            assert found == {key: state.letter for key, state in states.items()}
            return found

        planned = [AssetMaterializationPlanned(asset="daily", partition=key) for key in "abc"]
        first = started_run(storage, *planned)
        assert letters() == {"a": "i", "b": "i", "c": "i"}
        _append(storage, first, 2, AssetMaterialization(asset="daily", partition="a"), at=NOW + 1)
        assert letters() == {"a": "M", "b": "i", "c": "i"}
        storage.runs.record(first.run_id, [_FAILED], now=NOW + 2)
        assert letters() == {"a": "M", "b": "f", "c": "f"}
        second, third = started_run(storage, *planned, created=NOW + 3), started_run(storage, *planned, created=NOW + 4)
        assert letters() == {"a": "I", "b": "i", "c": "i"}
        _append(storage, second, 2, AssetMaterialization(asset="daily", partition="b"), at=NOW + 5)
        assert letters() == {"a": "I", "b": "I", "c": "i"}  # the third run is to make it, too
        storage.runs.record(third.run_id, [RunCanceled()], now=NOW + 6)
        assert letters() == {"a": "F", "b": "F", "c": "f"}
        fourth = started_run(storage, *planned, created=NOW + 7)
        _append(storage, fourth, 2, RunSuccess(), at=NOW + 8)
        assert letters() == {"a": "M", "b": "M"}
        storage.assets.report([AssetWiped(asset="daily", partitions=("a",))], now=NOW + 9)
        assert letters() == {"b": "M"}

    def test_a_partition_keeps_its_place_and_no_other_gets_it(self, storage: Storage) -> None:
        def made(*keys: str) -> None:
            storage.assets.report([AssetMaterialization(asset='of "all"', partition=key) for key in keys], now=NOW)

        def read(known: int) -> PartitionStatuses:
            return storage.assets.partition_statuses({'of "all"': known})['of "all"']

        keys = tuple(f"key {number}" for number in range(1_100))
        made(*keys)
        assert read(0) == PartitionStatuses(letters="M" * 1_100, keys=keys)
        assert read(600).keys == keys[600:]
        assert read(1_100) == PartitionStatuses(letters="M" * 1_100)
        storage.assets.report([AssetWiped(asset='of "all"', partitions=(keys[-1], keys[2]))], now=NOW)
        assert read(1_090) == PartitionStatuses(letters="MM." + "M" * 1_096 + ".", keys=keys[1_090:-1])
        made(keys[2], "new", keys[0])
        assert read(1_098) == PartitionStatuses(letters="MM." + "M" * 1_096 + ".MM", keys=(keys[1_098], keys[2], "new"))
        storage.assets.report([AssetWiped(asset='of "all"')], now=NOW)
        assert read(0) == PartitionStatuses(letters="." * 1_102)
        made("another")
        assert read(1_102) == PartitionStatuses(letters="." * 1_102 + "M", keys=("another",))

    def test_statuses_of_many_assets_are_read_at_once(self, storage: Storage) -> None:
        storage.assets.report([AssetMaterialization(asset="plain")], now=NOW)
        facts = [AssetMaterialization(asset=asset, partition=key) for key in "xyz" for asset in ("a", "b", "c")]
        storage.assets.report(facts, now=NOW)
        assert storage.assets.partition_statuses({"a": 0, "b": 2, "plain": 0, "unknown": 7}) == {
            "a": PartitionStatuses(letters="MMM", keys=("x", "y", "z")),
            "b": PartitionStatuses(letters="MMM", keys=("z",)),
        }
        assert storage.assets.partition_statuses({}) == {}

    # -- history ------------------------------------------------------------------------------------------------------

    def test_history_is_newest_first_and_paged(self, storage: Storage) -> None:
        facts = [
            (AssetMaterialization if index % 2 else AssetObservation)(asset="orders", partition="ab"[index % 3 == 0])
            for index in range(9)
        ]
        ids = storage.assets.report(facts, now=NOW)
        storage.assets.report([AssetMaterialization(asset="other")], now=NOW)
        expected = list(zip(reversed(ids), reversed(facts), strict=True))
        seen = []
        before: int | None = None
        while page := storage.assets.history("orders", before=before, limit=4):
            seen += page
            before = page[-1].id
        assert [(each.id, each.fact) for each in seen] == expected
        made = storage.assets.history("orders", types=["ASSET_MATERIALIZATION"])
        assert [each.fact for each in made] == [
            fact for fact in reversed(facts) if isinstance(fact, AssetMaterialization)
        ]
        of_partition = storage.assets.history("orders", partition="b", before=ids[-1])
        assert [each.fact for each in of_partition] == [fact for fact in reversed(facts[:-1]) if fact.partition == "b"]

    def test_history_is_found_by_place_and_time_in_both_orders(self, storage: Storage) -> None:
        ids = [
            storage.assets.report([AssetMaterialization(asset="orders", partition=part)], now=NOW + index)[0]
            for index, part in enumerate("aabab")
        ]

        def found(**where: Any) -> list[int]:
            return [each.id for each in storage.assets.history("orders", **where)]

        assert found(ascending=True) == ids
        assert found(after=ids[0], before=ids[4], ascending=True, limit=2) == ids[1:3]
        assert found(after=ids[2]) == [ids[4], ids[3]]
        assert found(since=NOW, until=NOW + 4) == [ids[3], ids[2], ids[1]]
        assert found(since=NOW, until=NOW + 4, limit=1) == [ids[3]]
        assert found(since=NOW, before=ids[3], limit=1) == [ids[2]]
        assert found(since=NOW, after=ids[1], ascending=True, limit=1) == [ids[2]]
        assert found(since=NOW, partition="a", ascending=True) == [ids[1], ids[3]]

    # -- wiping -------------------------------------------------------------------------------------------------------

    def test_nothing_is_known_of_an_asset_that_was_wiped(self, storage: Storage) -> None:
        run = started_run(storage)
        _append(storage, run, 2, AssetMaterialization(asset="daily", partition="a"), at=NOW + 5)
        storage.assets.report([AssetMaterialization(asset="other")], now=NOW)
        storage.assets.report([AssetWiped(asset="daily")], now=NOW + 6)
        assert list(storage.assets.states()) == ["other"]
        assert storage.assets.history("daily") == []
        assert storage.assets.partition_states("daily") == {}
        assert storage.assets.latest_materializations(["daily"]) == {}
        assert storage.events.of_types(["ASSET_WIPED"])[0].event.fact == AssetWiped(asset="daily")
        _append(storage, run, 3, AssetMaterialization(asset="daily", partition="a"), at=NOW + 7)
        assert storage.assets.states()["daily"].materialized_at == NOW + 7

    def test_other_partitions_stay_when_one_is_wiped(self, storage: Storage) -> None:
        (first,) = storage.assets.report([AssetMaterialization(asset="daily", partition="a")], now=NOW)
        facts: list[AssetFact] = [
            AssetMaterialization(asset="daily", partition="b"),
            AssetObservation(asset="daily", partition="b"),
        ]
        (second, _) = storage.assets.report(facts, now=NOW + 1)
        assert storage.assets.states()["daily"].materialized_event == second
        storage.assets.report([AssetWiped(asset="daily", partitions=("b",))], now=NOW + 6)
        state = storage.assets.states()["daily"]
        assert (state.materialized_event, state.materialized_at, state.observed_event) == (first, NOW, None)
        assert list(storage.assets.partition_states("daily")) == ["a"]
        assert [each.id for each in storage.assets.history("daily")] == [first]

    def test_history_outlives_the_run(self, storage: Storage) -> None:
        run = started_run(storage)
        made = _append(storage, run, 2, AssetMaterialization(asset="orders", partition="a"), at=NOW + 5)
        _append(storage, run, 3, RunSuccess(), at=NOW + 6)
        storage.runs.delete(run.run_id)
        (event,) = storage.assets.history("orders")
        assert (event.id, event.run_id, event.step_key, event.time) == (made, run.run_id, "s", NOW + 5)
        assert storage.assets.states()["orders"].materialized_event == made
        assert storage.assets.latest_materializations(["orders"]) == {"orders": event}

    def test_the_latest_materializations_are_of_the_assets_that_have_one(self, storage: Storage) -> None:
        ids = storage.assets.report(
            [AssetMaterialization(asset="a"), AssetMaterialization(asset="a"), AssetObservation(asset="b")], now=NOW
        )
        latest = storage.assets.latest_materializations(["a", "b", "unknown"])
        assert {asset: event.id for asset, event in latest.items()} == {"a": ids[1]}
        assert latest["a"].run_id is None

    # -- dynamic partitions -------------------------------------------------------------------------------------------

    def test_dynamic_partitions_keep_the_order_in_which_they_were_added(self, storage: Storage) -> None:
        assert storage.assets.add_dynamic_partitions("files", ["b", "a", "b"]) == ["b", "a"]
        assert storage.assets.add_dynamic_partitions("files", ["a", "c"]) == ["c"]
        assert storage.assets.add_dynamic_partitions("other", ["a"]) == ["a"]
        assert storage.assets.dynamic_partitions("files") == ["b", "a", "c"]
        storage.assets.delete_dynamic_partitions("files", ["b", "unknown"])
        assert storage.assets.dynamic_partitions("files") == ["a", "c"]
        storage.assets.add_dynamic_partitions("files", ["b"])
        assert storage.assets.dynamic_partitions("files") == ["a", "c", "b"]
        assert storage.assets.dynamic_partitions("unknown") == []

    # -- data versions ------------------------------------------------------------------------------------------------

    def test_a_data_version_is_that_of_the_latest_event_that_tells_one(self, storage: Storage) -> None:
        tags = {VersionTag.DATA_VERSION: "v1", VersionTag.CODE_VERSION: "c", f"{VersionTag.INPUT_DATA_VERSION}up": "u"}
        (first,) = storage.assets.report([AssetMaterialization(asset="a", tags=tags)], now=NOW)
        storage.assets.report([AssetObservation(asset="a")], now=NOW + 1)
        assert storage.assets.data_versions(["a", "unknown"]) == {
            "a": DataVersionState(asset="a", event=first, time=NOW, version="v1", code_version="c", inputs={"up": "u"})
        }
        storage.assets.report([AssetObservation(asset="a", tags={VersionTag.DATA_VERSION: "v2"})], now=NOW + 2)
        state = storage.assets.data_versions(["a"])["a"]
        assert (state.version, state.observed, state.code_version, state.inputs) == ("v2", True, None, {})
        (plain,) = storage.assets.report([AssetMaterialization(asset="a")], now=NOW + 3)
        assert storage.assets.data_versions(["a"])["a"].version == str(plain)

    def test_partitions_have_data_versions_of_their_own(self, storage: Storage) -> None:
        for partition in ("x", "y"):
            tags = {VersionTag.DATA_VERSION: f"v-{partition}"}
            storage.assets.report([AssetMaterialization(asset="a", partition=partition, tags=tags)], now=NOW)
        versions = storage.assets.partition_data_versions("a", ["x", "y", "z"])
        assert {key: state.version for key, state in versions.items()} == {"x": "v-x", "y": "v-y"}
        assert storage.assets.data_versions(["a"], partition="x")["a"].partition == "x"
        assert storage.assets.data_versions(["a"])["a"].version == "v-y"
        storage.assets.report([AssetWiped(asset="a", partitions=("y",))], now=NOW + 1)
        assert set(storage.assets.partition_data_versions("a", ["x", "y"])) == {"x"}
        assert storage.assets.data_versions(["a"])["a"].version == "v-x"
        storage.assets.report([AssetWiped(asset="a")], now=NOW + 2)
        assert storage.assets.data_versions(["a"]) == {}
        assert storage.assets.partition_data_versions("a", ["x"]) == {}
