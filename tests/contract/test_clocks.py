"""Hosts whose clocks differ share a Postgres database: nothing is judged by a wrong clock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.clock import SYSTEM_CLOCK
from penstock.instance.instance import Instance
from penstock.instance.settings import Settings
from penstock.logs.local import LocalLogStore
from penstock.records.event import RunCanceled, RunEnqueued
from penstock.storage.postgres import PostgresStorage
from penstock.testing.storage_contract.builders import new_run

HOUR = 3600.0
_LEASE = 600.0


class Shifted:
    """The clock of a host that is so many seconds ahead; its time of day may also be set anew."""

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead

    def now(self) -> float:
        return SYSTEM_CLOCK.now() + self.ahead

    def monotonic(self) -> float:
        return SYSTEM_CLOCK.monotonic()


class Host:
    """A machine of a deployment, as far as its storage and its time go."""

    def __init__(self, url: str, folder: Path, ahead: float) -> None:
        self.name = f"daemon-{ahead:g}"
        self.own = Shifted(ahead)
        storage = PostgresStorage(url, own_clock=self.own)
        storage.migrate()
        self.instance = Instance(
            home=None, settings=Settings(), storage=storage, logs=LocalLogStore(folder), artifacts=folder
        )
        self.clock = self.instance.clock
        self.storage = self.instance.storage

    def takes(self) -> bool:
        """Whether it gets the duty."""
        return self.storage.leases.acquire("queue", self.name, ttl=_LEASE, now=self.clock.now()) is not None


@pytest.fixture
def hosts(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Host, Host, Host]]:
    """One behind, one right, one ahead."""
    slow, right, fast = (Host(postgres_url, tmp_path, ahead) for ahead in (-HOUR, 0.0, HOUR))
    yield slow, right, fast
    for host in (slow, right, fast):
        host.storage.close()


def test_they_agree_what_time_it_is(hosts: tuple[Host, Host, Host]) -> None:
    """Which ticks are due follows from it."""
    for host in hosts:
        assert host.clock.now() == pytest.approx(SYSTEM_CLOCK.now(), abs=60)


def test_a_duty_stays_with_the_daemon_that_has_it(hosts: tuple[Host, Host, Host]) -> None:
    for first in hosts:
        assert first.takes()
        (lease,) = first.storage.leases.all()
        assert [host.takes() for host in hosts if host is not first] == [False, False]
        for host in hosts:
            assert lease.until == pytest.approx(host.clock.now() + _LEASE, abs=60)
        first.storage.leases.release(lease)


def test_a_jump_of_a_clock_costs_no_lease_and_takes_none(hosts: tuple[Host, Host, Host]) -> None:
    _, right, fast = hosts
    assert right.takes()
    for ahead in (-HOUR, HOUR, 0.0):
        right.own.ahead = fast.own.ahead = ahead
        (lease,) = right.storage.leases.all()
        assert lease.until > right.clock.now()
        assert not fast.takes()


def test_no_run_is_taken_for_lost(hosts: tuple[Host, Host, Host]) -> None:
    for holder in hosts:
        now = holder.clock.now()
        (run,) = holder.storage.runs.create([new_run(RunEnqueued(), created=now)])
        assert holder.storage.runs.claim([run.run_id], owner="me", until=now + _LEASE, now=now)
        for judge in hosts:
            assert judge.storage.runs.expired(judge.clock.now()) == []
            assert [each.run_id for each in judge.storage.runs.expired(now + 2 * _LEASE)] == [run.run_id]
        assert holder.storage.runs.record(run.run_id, [RunCanceled()], now=now)
