"""Leases of daemon duties, and the processes of the deployment."""

from __future__ import annotations

from ...records.lease import Lease, ProcessInfo
from ...storage.protocols import Storage
from .builders import NOW

__all__ = ["LeaseContract"]


def _acquired(storage: Storage, holder: str, *, now: float, name: str = "queue") -> Lease:
    lease = storage.leases.acquire(name, holder, ttl=10, now=now)
    assert lease is not None
    return lease


class LeaseContract:
    """`LeaseStorage`."""

    def test_one_holder_at_a_time(self, storage: Storage) -> None:
        first = _acquired(storage, "a", now=NOW)
        assert first == Lease(name="queue", holder="a", epoch=1, until=NOW + 10)
        assert storage.leases.acquire("queue", "b", ttl=10, now=NOW + 9) is None
        assert _acquired(storage, "b", now=NOW + 9, name="sensors").epoch == 1
        assert [lease.holder for lease in storage.leases.all()] == ["a", "b"]

    def test_the_epoch_rises_with_each_change_of_holder_only(self, storage: Storage) -> None:
        _acquired(storage, "a", now=NOW)
        assert _acquired(storage, "a", now=NOW + 5) == Lease(name="queue", holder="a", epoch=1, until=NOW + 15)
        assert _acquired(storage, "b", now=NOW + 15).epoch == 2
        assert _acquired(storage, "b", now=NOW + 100).epoch == 2
        assert _acquired(storage, "a", now=NOW + 200).epoch == 3

    def test_a_lease_of_before_the_clock_was_set_back_is_free(self, storage: Storage) -> None:
        _acquired(storage, "dead", now=NOW + 3600)
        assert _acquired(storage, "b", now=NOW).epoch == 2
        assert storage.leases.acquire("queue", "c", ttl=10, now=NOW - 60) is None  # a small step back is waited for

    def test_a_lease_is_renewed_until_it_has_passed_on(self, storage: Storage) -> None:
        old = _acquired(storage, "a", now=NOW)
        renewed = storage.leases.renew([old], ttl=10, now=NOW + 5)
        assert renewed == [Lease(name="queue", holder="a", epoch=1, until=NOW + 15)]
        (late,) = storage.leases.renew([old], ttl=10, now=NOW + 50)  # over, but nobody has taken it
        _acquired(storage, "b", now=NOW + 60)
        assert storage.leases.renew([late], ttl=10, now=NOW + 61) == []
        _acquired(storage, "a", now=NOW + 71)
        assert storage.leases.renew([late], ttl=10, now=NOW + 72) == []  # its own, but of another epoch

    def test_leases_are_renewed_together_and_those_that_are_lost_are_left_out(self, storage: Storage) -> None:
        queue, monitor, sensors = (
            _acquired(storage, "a", now=NOW, name=name) for name in ("queue", "monitor", "sensors")
        )
        assert storage.leases.renew([], ttl=10, now=NOW) == []
        storage.leases.release(monitor)
        renewed = storage.leases.renew([queue, monitor, sensors], ttl=10, now=NOW + 5)
        assert sorted((lease.name, lease.until) for lease in renewed) == [("queue", NOW + 15), ("sensors", NOW + 15)]
        assert sorted((lease.name, lease.until) for lease in storage.leases.all()) == [
            ("queue", NOW + 15),
            ("sensors", NOW + 15),
        ]

    def test_a_released_lease_is_free_at_once_and_its_epoch_is_spent(self, storage: Storage) -> None:
        old = _acquired(storage, "a", now=NOW)
        storage.leases.release(old)
        assert storage.leases.all() == []
        assert _acquired(storage, "b", now=NOW).epoch == 2
        storage.leases.release(old)  # by one who holds it no more: nothing happens
        assert [lease.holder for lease in storage.leases.all()] == ["b"]

    def test_the_same_holder_after_a_release_has_another_epoch(self, storage: Storage) -> None:
        storage.leases.release(_acquired(storage, "a", now=NOW))
        assert _acquired(storage, "a", now=NOW).epoch == 2

    def test_processes_are_known_while_they_beat(self, storage: Storage) -> None:
        daemon = ProcessInfo(
            id="daemon-1", kind="daemon", host="h", pid=7, version="1", started=NOW, seen=NOW, duties=("queue",)
        )
        storage.leases.beat(daemon)
        web = ProcessInfo(id="web-1", kind="webserver", host="h", pid=8, version="1", started=NOW, seen=NOW + 5)
        storage.leases.beat(web)
        assert storage.leases.processes(seen_after=NOW - 1) == [daemon, web]
        assert storage.leases.processes(seen_after=NOW) == [web]
        later = ProcessInfo(id="daemon-1", kind="daemon", host="h", pid=7, version="1", started=NOW, seen=NOW + 9)
        storage.leases.beat(later)
        assert storage.leases.processes(seen_after=NOW) == [later, web]
        storage.leases.gone("daemon-1")
        storage.leases.gone("unknown")
        assert storage.leases.processes(seen_after=NOW) == [web]
