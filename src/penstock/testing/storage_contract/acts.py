"""What people did: promises of `ActStorage`, and of every method that changes something for people."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from ...errors import StorageError
from ...records.account import Account, Role
from ...records.act import Act, ActKind
from ...records.automation import By, InstigatorKind, InstigatorStatus, Override
from ...records.backfill import BackfillLine, BackfillPlan, BackfillStatus
from ...records.event import (
    AssetMaterialization,
    AssetWiped,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
)
from ...records.pool import SlotRequest
from ...records.run import Tag
from ...storage.acting import acting
from ...storage.protocols import ActFilter, BackfillChange, Storage
from .backfills import added_backfill
from .builders import NOW, new_run, queued_run, started_run

__all__ = ["ActContract"]

_NIGHTLY = "shop/schedule/nightly"
_FILES = "shop/sensor/files"
_ANN = By(actor="ann", reason="the source is down", via="token 3")
_BOB = By(actor="bob@desk", via="command")
_LATER = NOW + 100

_Told = tuple[ActKind, str, str | None, str | None]


def _told(acts: Sequence[Act]) -> list[_Told]:
    """Kind, subject, before and after of acts, the first one first."""
    return [(act.kind, act.subject, act.before, act.after) for act in reversed(acts)]


def _done(storage: Storage, *changes: Callable[[], object]) -> list[_Told]:
    """What is told of changes that somebody makes."""
    with acting(_ANN, now=_LATER):
        for change in changes:
            change()
    found = storage.acts.page()
    assert {(act.by, act.time) for act in found} <= {(_ANN, _LATER)}
    return _told(found)


class ActContract:
    """`ActStorage`."""

    def test_what_nobody_does_is_no_act(self, storage: Storage) -> None:
        storage.slots.set_limit("db", 3)
        queued_run(storage)
        storage.assets.add_dynamic_partitions("colors", ["red"])
        storage.instigators.set_cursor(_FILES, "shop", "files", "42", now=NOW)
        assert storage.acts.page() == []

    def test_acts_are_found_by_subject_actor_kind_and_time(self, storage: Storage) -> None:
        assert storage.acts.page() == []
        for step, by in enumerate((_ANN, _BOB, _ANN, By())):
            with acting(by, now=NOW + step):
                storage.slots.set_limit("db", step)
                storage.instigators.set_cursor(_FILES, "shop", "files", str(step), now=NOW)
        acts = storage.acts.page()
        assert [(act.subject, act.by, act.time) for act in acts] == [
            (subject, by, NOW + step)
            for step, by in ((3, By()), (2, _ANN), (1, _BOB), (0, _ANN))
            for subject in (_FILES, "pool/db")
        ]
        assert [act.id for act in acts] == sorted({act.id for act in acts}, reverse=True)
        page = storage.acts.page
        assert page(ActFilter(subject=_FILES)) == acts[0::2]
        assert page(ActFilter(actor="ann")) == [*acts[2:4], *acts[6:]]
        assert page(ActFilter(kinds=(ActKind.SET_LIMIT, ActKind.RELOAD))) == acts[1::2]
        assert page(ActFilter(kinds=())) == []
        assert page(ActFilter(since=NOW + 2)) == acts[:4]
        assert page(ActFilter(since=NOW + 4)) == []
        assert page(ActFilter(subject=_FILES, actor="ann", kinds=(ActKind.SET_CURSOR,), since=NOW + 1)) == [acts[2]]
        assert page(before=acts[1].id, limit=2) == acts[2:4]
        assert page(ActFilter(subject=_FILES), before=acts[2].id, limit=1) == [acts[4]]
        assert page(ActFilter(since=NOW + 1), before=acts[1].id) == acts[2:6]
        assert page(ActFilter(subject="unknown/sensor/x")) == []

    def test_acts_without_a_change_are_stored_too(self, storage: Storage) -> None:
        act = Act(subject="location/shop", time=NOW, kind=ActKind.RELOAD, by=_BOB)
        storage.acts.add([act, msgspec.structs.replace(act, kind=ActKind.REFUSED, after="reload")])
        storage.acts.add([])
        refused, reloaded = storage.acts.page()
        assert msgspec.structs.replace(reloaded, id=0) == act
        assert (refused.kind, refused.after) == (ActKind.REFUSED, "reload")

    def test_a_change_that_fails_leaves_no_act(self, storage: Storage) -> None:
        run = queued_run(storage)
        with acting(_ANN, now=NOW), pytest.raises(StorageError):
            storage.runs.create([new_run(), new_run(run_id=run.run_id)])
        assert storage.acts.page() == []

    def test_switches_cursors_overrides_and_removals_are_told(self, storage: Storage) -> None:
        instigators, schedule = storage.instigators, (_NIGHTLY, "shop", InstigatorKind.SCHEDULE, "nightly")
        given = Override(paused_until=_LATER, tags={"by": "hand"})
        states = (InstigatorStatus.RUNNING, InstigatorStatus.STOPPED, InstigatorStatus.DECLARED_IN_CODE)
        with acting(_ANN, now=NOW):
            for status in states:
                instigators.switch(*schedule, status, now=NOW)
            stored = instigators.override(*schedule, given, now=NOW + 1)
            instigators.override(*schedule, None, now=NOW)
            instigators.set_cursor(_FILES, "shop", "files", "42", now=NOW)
            instigators.retire(_FILES, now=NOW)
            instigators.restore(_FILES, now=NOW)
        acts = storage.acts.page()
        assert [act.kind for act in acts] == [
            ActKind.RESTORE,
            ActKind.REMOVE,
            ActKind.SET_CURSOR,
            ActKind.WITHDRAW,
            ActKind.OVERRIDE,
            ActKind.RESET,
            ActKind.STOP,
            ActKind.START,
        ]
        assert [act.subject for act in acts] == [_FILES] * 3 + [_NIGHTLY] * 5
        assert (acts[2].cursor, acts[4].override) == ("42", stored.override)
        assert stored.override == msgspec.structs.replace(given, by=_ANN, since=NOW + 1)

    def test_launches_cancellations_and_deletions_of_runs_are_told(self, storage: Storage) -> None:
        asked = new_run(RunEnqueued(), tags={Tag.PARTITION: "2024-01-01"})
        again = new_run(RunEnqueued(), parent_run_id=asked.run.run_id)
        running, first, second = started_run(storage), f"run/{asked.run.run_id}", f"run/{again.run.run_id}"
        words = "shop/nightly, partition 2024-01-01"
        assert _done(
            storage,
            lambda: storage.runs.create([asked, again]),
            lambda: storage.runs.record(asked.run.run_id, [RunCanceled()], now=NOW + 3),
            lambda: storage.runs.record(asked.run.run_id, [RunCanceled()], now=NOW + 4),
            lambda: storage.runs.delete(again.run.run_id),
            lambda: storage.runs.delete(asked.run.run_id),
            lambda: storage.runs.delete(asked.run.run_id),
            lambda: storage.runs.record(running.run_id, [RunCanceling(actor="ann")], now=NOW + 5),
            lambda: storage.runs.record(running.run_id, [RunCanceled()], now=NOW + 6),
        ) == [
            (ActKind.LAUNCH_RUN, first, None, words),
            (ActKind.LAUNCH_RUN, second, None, f"shop/nightly, repeats {asked.run.run_id}"),
            (ActKind.CANCEL_RUN, first, f"{words}, QUEUED", None),
            (ActKind.DELETE_RUN, first, f"{words}, CANCELED", None),
            (ActKind.CANCEL_RUN, f"run/{running.run_id}", "shop/nightly, STARTED", None),
        ]

    def test_what_is_wanted_of_backfills_is_told(self, storage: Storage) -> None:
        with acting(_ANN, now=_LATER):
            asked = added_backfill(storage)
        of, line = f"backfill/{asked.backfill_id}", BackfillLine(time=NOW, message="Changed.")

        def change(wanted: BackfillChange) -> Callable[[], object]:
            return lambda: storage.backfills.change(asked.backfill_id, wanted, line=line, now=NOW)

        told = _done(
            storage,
            change(BackfillChange(paused=True)),
            change(BackfillChange(paused=True)),
            change(BackfillChange(priority=7, paused=False)),
            change(BackfillChange(status=BackfillStatus.CANCELING)),
            lambda: storage.backfills.delete(asked.backfill_id),
            lambda: storage.backfills.delete("unknown"),
        )
        assert told == [
            (ActKind.LAUNCH_BACKFILL, of, None, f"{asked.asset_count} assets, {asked.partition_count} partitions"),
            (ActKind.CHANGE_BACKFILL, of, "not paused", "paused"),
            (ActKind.CHANGE_BACKFILL, of, "paused, priority 0", "not paused, priority 7"),
            (ActKind.CHANGE_BACKFILL, of, "REQUESTED", "CANCELING"),
        ]

    def test_the_deletion_of_a_backfill_is_told(self, storage: Storage) -> None:
        ended = msgspec.structs.replace(added_backfill(storage), backfill_id="old", ended=NOW)
        storage.backfills.add(ended, BackfillPlan(groups=(), now=NOW), line=BackfillLine(time=NOW, message="Asked."))
        assert _done(storage, lambda: storage.backfills.delete("old")) == [
            (ActKind.DELETE_BACKFILL, "backfill/old", None, None)
        ]

    def test_reports_wipes_and_partitions_are_told(self, storage: Storage) -> None:
        storage.assets.add_dynamic_partitions("colors", ["red"])
        many = [f"c{number}" for number in range(7)]
        assert _done(
            storage,
            lambda: storage.assets.report([AssetMaterialization(asset="a/b"), AssetWiped(asset="c")], now=NOW),
            lambda: storage.assets.report([AssetWiped(asset="c", partitions=("x", "y"))], now=NOW),
            lambda: storage.assets.add_dynamic_partitions("colors", ["red", *many]),
            lambda: storage.assets.add_dynamic_partitions("colors", ["red"]),
            lambda: storage.assets.delete_dynamic_partitions("colors", ["red", "unknown"]),
            lambda: storage.assets.delete_dynamic_partitions("colors", ["red"]),
        ) == [
            (ActKind.REPORT_EVENT, "asset/a/b", None, "ASSET_MATERIALIZATION"),
            (ActKind.WIPE_ASSET, "asset/c", None, None),
            (ActKind.WIPE_ASSET, "asset/c", "x, y", None),
            (ActKind.ADD_PARTITIONS, "partitions/colors", None, "c0, c1, c2, c3, c4 and 2 more"),
            (ActKind.REMOVE_PARTITIONS, "partitions/colors", "red", None),
        ]

    def test_limits_and_freed_slots_are_told(self, storage: Storage) -> None:
        run = started_run(storage)
        request = SlotRequest(step_key="load", pools=("db",), since=NOW)
        storage.slots.claim(run.run_id, 1, [request], now=NOW + 2)
        assert _done(
            storage,
            lambda: storage.slots.set_limit("db", 1),
            lambda: storage.slots.set_limit("db", 3),
            lambda: storage.slots.set_limit("db", 3),
            lambda: storage.slots.delete_limit("db"),
            lambda: storage.slots.delete_limit("db"),
            lambda: storage.slots.free(run.run_id, "load", now=NOW + 31),
            lambda: storage.slots.free(run.run_id, now=NOW + 31),
        ) == [
            (ActKind.SET_LIMIT, "pool/db", None, "1 slot"),
            (ActKind.SET_LIMIT, "pool/db", "1 slot", "3 slots"),
            (ActKind.REMOVE_LIMIT, "pool/db", "3 slots", None),
            (ActKind.FREE_SLOTS, f"run/{run.run_id}", "1 slot of load", None),
        ]

    def test_changes_of_accounts_are_told_and_no_token(self, storage: Storage) -> None:
        accounts = storage.accounts
        bob = Account(name="bob", role=Role.VIEWER, created=NOW)
        made: list[Callable[[], object]] = [
            lambda: accounts.add(bob),
            lambda: accounts.add(bob),
            lambda: accounts.set_role("bob", Role.LAUNCHER),
            lambda: accounts.set_role("bob", Role.EDITOR, location="shop"),
            lambda: accounts.unset_role("bob", "shop"),
            lambda: accounts.unset_role("bob", "shop"),
            lambda: accounts.set_disabled("bob", True),
            lambda: accounts.set_disabled("bob", False),
            lambda: accounts.set_disabled("eve", False),
            lambda: accounts.add_token("bob", "d1g3st", "build", now=NOW, expires=NOW + 9),
            lambda: accounts.revoke_token("bob", accounts.tokens("bob")[0].id, now=NOW),
            lambda: accounts.revoke_token("bob", accounts.tokens("bob")[0].id, now=NOW),
            lambda: accounts.remove("bob"),
            lambda: accounts.remove("bob"),
        ]
        with acting(_ANN, now=_LATER):
            for change in made[:-2]:
                change()
            number = accounts.tokens("bob")[0].id
        told = _done(storage, *made[-2:])
        assert [each for each in told if each[1] != "account/bob"] == []
        assert [(kind, before, after) for kind, _, before, after in told] == [
            (ActKind.ADD_ACCOUNT, None, "viewer"),
            (ActKind.SET_ROLE, "viewer", "launcher"),
            (ActKind.SET_ROLE, None, "editor in shop"),
            (ActKind.SET_ROLE, "editor in shop", None),
            (ActKind.DISABLE_ACCOUNT, None, None),
            (ActKind.ENABLE_ACCOUNT, None, None),
            (ActKind.ADD_TOKEN, None, f"token {number} (build)"),
            (ActKind.REVOKE_TOKEN, f"token {number}", None),
            (ActKind.REMOVE_ACCOUNT, None, None),
        ]
        assert "d1g3st" not in repr(storage.acts.page())
