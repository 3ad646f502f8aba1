"""One-off runs: asked for now, made once at an instant to come."""

from __future__ import annotations

import msgspec
import pytest

from ...errors import FencedError, StorageError
from ...records.act import ActKind
from ...records.automation import By
from ...records.event import RunEnqueued
from ...records.lease import Lease
from ...records.one_off import OneOff, OneOffStatus, one_off_subject
from ...storage.acting import acting
from ...storage.protocols import ActFilter, RunFilter, Storage
from .builders import NOW, new_run

__all__ = ["OneOffContract"]

_ANN = By(actor="ann", reason="month's end")


def _planned(storage: Storage, due: float = NOW + 60) -> OneOff:
    asked = OneOff(
        location="shop",
        job="nightly",
        due=due,
        until=due + 3600,
        run_config={"ops": {}},
        tags={"a": "b"},
        partition="2024-01-01",
        assets=("orders",),
        by=_ANN,
    )
    with acting(_ANN, now=NOW):
        return storage.one_offs.plan(asked, now=NOW)


def _lease(storage: Storage, holder: str = "daemon-1", now: float = NOW) -> Lease:
    lease = storage.leases.acquire("one_offs", holder, ttl=15, now=now)
    assert lease is not None
    return lease


class OneOffContract:
    """`OneOffStorage`."""

    def test_what_is_asked_for_waits(self, storage: Storage) -> None:
        late, soon = _planned(storage, NOW + 100), _planned(storage, NOW + 50)
        assert (soon.status, soon.created, soon.by, soon.run_id) == (OneOffStatus.WAITING, NOW, _ANN, None)
        assert storage.one_offs.get(soon.id) == soon
        assert storage.one_offs.get(soon.id + 1) is None
        assert storage.one_offs.waiting() == [soon, late]
        assert storage.one_offs.waiting(limit=1) == [soon]
        assert storage.one_offs.page() == [soon, late]
        assert storage.one_offs.page(before=soon.id) == [late]
        assert storage.one_offs.page(limit=1) == [soon]

    def test_it_becomes_one_run(self, storage: Storage) -> None:
        planned, lease = _planned(storage), _lease(storage)
        run = new_run(RunEnqueued())
        settled = storage.one_offs.settle(
            planned.id, OneOffStatus.LAUNCHED, lease=lease, run=run, note=None, now=NOW + 61
        )
        assert settled
        assert storage.one_offs.get(planned.id) == msgspec.structs.replace(
            planned, status=OneOffStatus.LAUNCHED, ended=NOW + 61, run_id=run.run.run_id
        )
        assert not storage.one_offs.settle(
            planned.id, OneOffStatus.LAUNCHED, lease=lease, run=new_run(RunEnqueued()), note=None, now=NOW + 62
        )
        assert [each.run_id for each in storage.runs.page(RunFilter(), limit=5)] == [run.run.run_id]
        assert storage.one_offs.waiting() == []

    def test_it_waits_on_when_its_run_cannot_be_stored(self, storage: Storage) -> None:
        planned, lease = _planned(storage), _lease(storage)
        run = new_run(RunEnqueued())
        storage.runs.create([run])
        with pytest.raises(StorageError):
            storage.one_offs.settle(planned.id, OneOffStatus.LAUNCHED, lease=lease, run=run, note=None, now=NOW + 61)
        assert storage.one_offs.waiting() == [planned]

    def test_whoever_has_lost_the_lease_makes_nothing(self, storage: Storage) -> None:
        planned, lease = _planned(storage), _lease(storage)
        _lease(storage, "daemon-2", NOW + 60)
        with pytest.raises(FencedError):
            storage.one_offs.settle(
                planned.id, OneOffStatus.LAUNCHED, lease=lease, run=new_run(RunEnqueued()), note=None, now=NOW + 61
            )
        assert storage.one_offs.waiting() == [planned]
        assert storage.runs.count(RunFilter()) == 0

    def test_one_that_comes_to_nothing_says_why(self, storage: Storage) -> None:
        lease = _lease(storage)
        for status in (OneOffStatus.MISSED, OneOffStatus.FAILED):
            planned = _planned(storage)
            assert storage.one_offs.settle(planned.id, status, lease=lease, note="it was late", now=NOW + 9)
            assert storage.one_offs.get(planned.id) == msgspec.structs.replace(
                planned, status=status, ended=NOW + 9, note="it was late"
            )
            assert [each.id for each in storage.one_offs.page(statuses=[status])] == [planned.id]
        both = storage.one_offs.page(statuses=[OneOffStatus.FAILED, OneOffStatus.MISSED, OneOffStatus.WAITING])
        assert both == storage.one_offs.page()
        assert storage.one_offs.page(statuses=[]) == []

    def test_one_that_is_called_off_makes_no_run(self, storage: Storage) -> None:
        planned, lease = _planned(storage), _lease(storage)
        bob = By(actor="bob", reason="not needed")
        with acting(bob, now=NOW + 5):
            canceled = storage.one_offs.cancel(planned.id, now=NOW + 5)
        assert canceled == msgspec.structs.replace(
            planned, status=OneOffStatus.CANCELED, ended=NOW + 5, note="not needed"
        )
        assert not storage.one_offs.settle(
            planned.id, OneOffStatus.LAUNCHED, lease=lease, run=new_run(RunEnqueued()), note=None, now=NOW + 61
        )
        assert storage.runs.count(RunFilter()) == 0
        with acting(_ANN, now=NOW + 6):
            assert storage.one_offs.cancel(planned.id, now=NOW + 6) == canceled
            assert storage.one_offs.cancel(planned.id + 1, now=NOW + 6) is None
        acts = storage.acts.page(ActFilter(subject=one_off_subject("shop", planned.id)))
        assert [(act.kind, act.by, act.time) for act in acts] == [
            (ActKind.CANCEL_RUN, bob, NOW + 5),
            (ActKind.PLAN_RUN, _ANN, NOW),
        ]
