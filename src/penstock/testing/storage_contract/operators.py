"""What operators do to schedules and sensors: overrides and removals."""

from __future__ import annotations

import msgspec

from ...records.automation import By, InstigatorKind, InstigatorState, InstigatorStatus, Override, TickStatus
from ...storage.acting import acting
from ...storage.protocols import Storage
from .builders import NOW

__all__ = ["OperatorContract"]

_NIGHTLY = "shop/schedule/nightly"
_ANN = By(actor="ann", reason="the source is down")
_OVERRIDE = Override(
    paused_until=NOW + 100,
    cron=("0 5 * * *", "@daily"),
    timezone="Europe/Berlin",
    run_config={"ops": {"load": {"config": {"rows": 3}}}},
    tags={"by": "hand"},
)


def _override(storage: Storage, override: Override | None = _OVERRIDE, *, now: float = NOW) -> InstigatorState:
    with acting(_ANN, now=now):
        return storage.instigators.override(_NIGHTLY, "shop", InstigatorKind.SCHEDULE, "nightly", override, now=now)


def _planned(storage: Storage, fingerprint: str, next_due: float) -> None:
    state = InstigatorState(
        id=_NIGHTLY,
        location="shop",
        kind=InstigatorKind.SCHEDULE,
        name="nightly",
        next_due=next_due,
        fingerprint=fingerprint,
    )
    storage.instigators.plan([state])


class OperatorContract:
    """What of `InstigatorStorage` is people's."""

    def test_an_override_is_stored_and_forgets_when_it_was_due(self, storage: Storage) -> None:
        _planned(storage, "f", NOW + 5)
        state = _override(storage)
        assert state == storage.instigators.get(_NIGHTLY)
        assert state.override == msgspec.structs.replace(_OVERRIDE, by=_ANN, since=NOW)
        assert (state.next_due, state.fingerprint, state.updated) == (None, None, NOW)
        _planned(storage, "g", NOW + 9)
        planned = storage.instigators.get(_NIGHTLY)
        assert planned is not None
        assert (planned.override, planned.next_due) == (state.override, NOW + 9)
        withdrawn = _override(storage, None, now=NOW + 1)
        assert (withdrawn.override, withdrawn.next_due) == (None, None)

    def test_a_tick_at_work_does_not_plan_for_what_holds_no_more(self, storage: Storage) -> None:
        lease = storage.leases.acquire("schedules", "daemon-1", ttl=15, now=NOW)
        assert lease is not None
        _planned(storage, "old", NOW)
        for due, between, expected in ((NOW, "new", NOW + 50), (NOW + 1, "old", NOW + 60)):
            tick = storage.instigators.begin_tick(_NIGHTLY, due, lease=lease, now=NOW)
            assert tick is not None
            _planned(storage, between, NOW + 50)
            storage.instigators.complete_tick(
                msgspec.structs.replace(tick, status=TickStatus.SUCCESS),
                lease=lease,
                next_due=NOW + 60,
                fingerprint="old",
                now=NOW + 2,
            )
            state = storage.instigators.get(_NIGHTLY)
            assert state is not None
            assert state.next_due == expected

    def test_a_removed_one_is_kept_and_restored(self, storage: Storage) -> None:
        with acting(_ANN, now=NOW):
            assert storage.instigators.retire(_NIGHTLY, now=NOW) is None
            assert storage.instigators.restore(_NIGHTLY, now=NOW) is None
        assert storage.acts.page() == []
        before = _override(storage)
        removed = storage.instigators.retire(_NIGHTLY, now=NOW + 1)
        assert removed == msgspec.structs.replace(before, retired=NOW + 1, updated=NOW + 1)
        assert storage.instigators.states() == {_NIGHTLY: removed}
        restored = storage.instigators.restore(_NIGHTLY, now=NOW + 2)
        assert restored == msgspec.structs.replace(before, updated=NOW + 2)
        assert restored == storage.instigators.get(_NIGHTLY)

    def test_who_turns_a_removed_one_on_has_it_back(self, storage: Storage) -> None:
        _override(storage)
        storage.instigators.retire(_NIGHTLY, now=NOW + 1)
        state = storage.instigators.switch(
            _NIGHTLY, "shop", InstigatorKind.SCHEDULE, "nightly", InstigatorStatus.RUNNING, now=NOW + 2
        )
        assert (state.retired, state.status) == (None, InstigatorStatus.RUNNING)
