"""Who holds a run: claims, leases, attempts."""

from __future__ import annotations

import pytest

from ...errors import FencedError
from ...records.event import LogLine, RunCanceled, RunCanceling, RunEnqueued, RunFailure, RunStart, RunSuccess
from ...records.run import FailureReason, RunStatus
from ...storage.protocols import Storage
from .builders import NOW, events_from, given_run, queued_run, started_run

__all__ = ["ClaimContract"]

_LINE = LogLine(level="INFO", message="still here")


class ClaimContract:
    """Claims, leases and fencing of runs."""

    def test_a_claim_begins_an_attempt_under_a_lease(self, storage: Storage) -> None:
        queued, made = queued_run(storage), given_run(storage)
        claimed = storage.runs.claim(
            [queued.run_id, made.run_id, "unknown"], owner="daemon", until=NOW + 9, now=NOW + 1
        )
        assert [run.run_id for run in claimed] == [queued.run_id, made.run_id]
        for run in claimed:
            assert run == storage.runs.get(run.run_id)
            assert (run.status, run.attempt, run.owner, run.lease_until, run.launched) == (
                RunStatus.STARTING,
                1,
                "daemon",
                NOW + 9,
                NOW + 1,
            )
        assert storage.events.of_run(queued.run_id)[-1].event.type == "RUN_STARTING"
        assert storage.runs.queued(limit=5) == []

    def test_a_run_is_claimed_once(self, storage: Storage) -> None:
        run = queued_run(storage)
        assert len(storage.runs.claim([run.run_id, run.run_id], owner="a", until=NOW + 9, now=NOW)) == 1
        assert storage.runs.claim([run.run_id], owner="b", until=NOW + 9, now=NOW) == []

    def test_a_claim_under_a_lease_that_has_passed_on_is_refused(self, storage: Storage) -> None:
        run = queued_run(storage)
        old = storage.leases.acquire("queue", "daemon-1", ttl=4, now=NOW)
        assert old is not None
        new = storage.leases.acquire("queue", "daemon-2", ttl=4, now=NOW + 5)
        with pytest.raises(FencedError, match="daemon-2"):
            storage.runs.claim([run.run_id], owner="daemon-1", until=NOW + 20, now=NOW + 6, under=old)
        assert [run.status for run in storage.runs.queued(limit=5)] == [RunStatus.QUEUED]
        assert len(storage.runs.claim([run.run_id], owner="daemon-2", until=NOW + 20, now=NOW + 6, under=new)) == 1

    def test_active_runs_are_those_that_hold_a_place(self, storage: Storage) -> None:
        queued_run(storage)
        started = started_run(storage)
        canceling = started_run(storage)
        storage.runs.record(canceling.run_id, [RunCanceling()], now=NOW + 3)
        starting = queued_run(storage)
        storage.runs.claim([starting.run_id], owner="d", until=NOW + 9, now=NOW)
        ended = started_run(storage)
        storage.runs.record(ended.run_id, [RunCanceled()], now=NOW + 3)
        assert [run.run_id for run in storage.runs.active()] == [started.run_id, canceling.run_id, starting.run_id]

    def test_a_lease_passes_to_the_code_server_that_names_the_current_attempt(self, storage: Storage) -> None:
        run = queued_run(storage)
        assert not storage.runs.take_over(run.run_id, attempt=0, owner="s", until=NOW + 99)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 9, now=NOW)
        assert not storage.runs.take_over(run.run_id, attempt=2, owner="s", until=NOW + 99)
        assert storage.runs.take_over(run.run_id, attempt=1, owner="s", until=NOW + 99)
        taken = storage.runs.get(run.run_id)
        assert taken is not None
        assert (taken.owner, taken.lease_until, taken.status) == ("s", NOW + 99, RunStatus.STARTING)
        storage.runs.record(run.run_id, [RunCanceled()], now=NOW + 1)
        assert not storage.runs.take_over(run.run_id, attempt=1, owner="t", until=NOW + 99)

    def test_an_owner_renews_all_that_it_still_holds(self, storage: Storage) -> None:
        mine, ended, other = started_run(storage), started_run(storage), started_run(storage, owner="server-2")
        storage.runs.record(ended.run_id, [RunCanceled()], now=NOW + 3)
        assert storage.runs.renew("server-1", until=NOW + 60) == [(mine.run_id, 1)]
        assert storage.runs.renew("nobody", until=NOW + 60) == []
        leases = [storage.runs.get(run.run_id).lease_until for run in (mine, ended, other)]  # type: ignore[union-attr]
        assert leases == [NOW + 60, None, NOW + 30]

    def test_a_lease_that_nobody_renews_expires(self, storage: Storage) -> None:
        run = started_run(storage)
        ended = started_run(storage)
        storage.runs.record(ended.run_id, [RunCanceled()], now=NOW + 3)
        assert storage.runs.expired(NOW + 29) == []
        assert [each.run_id for each in storage.runs.expired(NOW + 30)] == [run.run_id]
        storage.runs.renew("server-1", until=NOW + 60)
        assert storage.runs.expired(NOW + 31) == []

    def test_a_run_put_back_waits_again_and_its_next_claim_is_another_attempt(self, storage: Storage) -> None:
        run = queued_run(storage)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 9, now=NOW)
        assert storage.runs.record(run.run_id, [RunEnqueued(reason="No answer.")], now=NOW + 10, attempt=1)
        waiting = storage.runs.get(run.run_id)
        assert waiting is not None
        assert (waiting.status, waiting.owner, waiting.lease_until, waiting.note) == (
            RunStatus.QUEUED,
            None,
            None,
            "No answer.",
        )
        assert not storage.runs.take_over(run.run_id, attempt=1, owner="late", until=NOW + 99)
        with pytest.raises(FencedError):
            storage.events.append(run.run_id, 1, events_from(1, [RunStart()]), now=NOW + 11)
        lost = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="The worker of attempt 1 has died.")
        assert not storage.runs.record(run.run_id, [lost], now=NOW + 11, attempt=1)
        assert storage.runs.get(run.run_id) == waiting
        (again,) = storage.runs.claim([run.run_id], owner="daemon", until=NOW + 30, now=NOW + 12)
        assert again.attempt == 2

    def test_a_late_worker_is_refused(self, storage: Storage) -> None:
        run = queued_run(storage)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 9, now=NOW)
        storage.runs.record(run.run_id, [RunEnqueued(reason="No answer.")], now=NOW + 10)
        storage.runs.claim([run.run_id], owner="daemon", until=NOW + 30, now=NOW + 12)
        before = storage.events.of_run(run.run_id)
        for attempt in (0, 1, 3):
            with pytest.raises(FencedError, match="attempt"):
                storage.events.append(run.run_id, attempt, events_from(1, [RunStart()]), now=NOW + 13)
        assert storage.events.of_run(run.run_id) == before
        storage.events.append(run.run_id, 2, events_from(1, [RunStart()]), now=NOW + 13)

    def test_a_worker_whose_run_has_ended_is_refused(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.runs.record(run.run_id, [RunCanceled()], now=NOW + 4)
        with pytest.raises(FencedError, match="CANCELED"):
            storage.events.append(run.run_id, 1, events_from(2, [_LINE]), now=NOW + 5)
        assert storage.events.of_run(run.run_id)[-1].event.type == "RUN_CANCELED"

    def test_a_worker_whose_run_was_deleted_is_refused(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.runs.record(run.run_id, [RunCanceled()], now=NOW + 4)
        storage.runs.delete(run.run_id)
        with pytest.raises(FencedError):
            storage.events.append(run.run_id, 1, events_from(2, [_LINE]), now=NOW + 5)

    def test_a_lease_that_is_over_does_not_refuse_its_worker_by_itself(self, storage: Storage) -> None:
        run = started_run(storage)
        storage.events.append(run.run_id, 1, events_from(2, [RunSuccess()]), now=NOW + 1000)
        ended = storage.runs.get(run.run_id)
        assert ended is not None
        assert ended.status is RunStatus.SUCCESS
