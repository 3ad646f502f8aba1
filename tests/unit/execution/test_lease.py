"""The worker's own hold on its attempt, with a clock moved by hand."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from penstock.errors import FencedError, StorageError
from penstock.execution.lease import LEASE, RENEWAL, LeaseThread, OwnLease
from penstock.records.run import Run, RunStatus


class HandClock:
    def __init__(self) -> None:
        self.time = 1000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time


class Leases:
    """The part of the run storage that keeps leases, for one attempt."""

    def __init__(self) -> None:
        self.owner = "code-server"
        self.until = 0.0
        self.lost = False
        self.away = False
        self.status = RunStatus.STARTED

    def get(self, run_id: str) -> Run:
        return Run(run_id=run_id, location="l", job="j", attempt=1, status=self.status)

    def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
        self._answer()
        if not self.lost:
            self.owner, self.until = owner, until
        return not self.lost

    def renew(self, owner: str, *, until: float) -> list[tuple[str, int]]:
        self._answer()
        if self.lost or owner != self.owner:
            return []
        self.until = until
        return [("r", 1)]

    def _answer(self) -> None:
        if self.away:
            raise StorageError("away")


@pytest.fixture
def channel() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    yield ours, theirs
    ours.close()
    theirs.close()


def lease_of(runs: Any, clock: HandClock, channel: socket.socket | None) -> OwnLease:
    return OwnLease(runs, Run(run_id="r", location="l", job="j", attempt=1), clock, channel)


def test_while_the_code_server_lives_it_keeps_the_lease(channel: tuple[socket.socket, socket.socket]) -> None:
    runs, clock = Leases(), HandClock()
    lease = lease_of(runs, clock, channel[0])
    assert lease.due_in() is None
    clock.time += 100
    lease.attend()
    assert runs.owner == "code-server"


def test_when_it_is_gone_the_worker_takes_over_and_renews(channel: tuple[socket.socket, socket.socket]) -> None:
    runs, clock = Leases(), HandClock()
    lease = lease_of(runs, clock, channel[0])
    channel[1].close()
    lease.attend()
    assert runs.owner == lease.holder
    assert runs.until == clock.time + LEASE
    assert lease.fileno() == -1
    assert lease.due_in() == RENEWAL
    clock.time += RENEWAL
    lease.attend()
    assert runs.until == clock.time + LEASE


def test_a_lost_attempt_is_told() -> None:
    runs, clock = Leases(), HandClock()
    lease = lease_of(runs, clock, None)
    lease.attend()
    runs.lost = True
    clock.time += RENEWAL
    with pytest.raises(FencedError, match="passed to another"):
        lease.attend()


def test_an_attempt_that_is_gone_already_cannot_be_taken_over() -> None:
    runs = Leases()
    runs.lost = True
    with pytest.raises(FencedError):
        lease_of(runs, HandClock(), None).attend()


def test_a_database_that_is_away_is_asked_again_soon() -> None:
    runs, clock = Leases(), HandClock()
    runs.away = True
    lease = lease_of(runs, clock, None)
    lease.attend()
    assert lease.due_in() == 1.0
    runs.away = False
    clock.time += 1.0
    lease.attend()
    assert runs.owner == lease.holder


def test_a_thread_keeps_the_lease_in_a_process_with_many_open_files() -> None:
    renewed = threading.Event()

    class Told(Leases):
        def take_over(self, run_id: str, *, attempt: int, owner: str, until: float) -> bool:
            renewed.set()
            return super().take_over(run_id, attempt=attempt, owner=owner, until=until)

    with contextlib.ExitStack() as opened, open(os.devnull, "rb") as file:
        for _ in range(1100):
            opened.callback(os.close, os.dup(file.fileno()))
        with LeaseThread(lease_of(Told(), HandClock(), None), None, may_exit=False):
            assert renewed.wait(20.0)


def test_a_worker_on_its_own_is_asked_to_stop_once_its_run_is_canceled() -> None:
    runs, clock = Leases(), HandClock()
    asked: list[float] = []
    run = Run(run_id="r", location="l", job="j", attempt=1)
    lease = OwnLease(runs, run, clock, None, stop=lambda: asked.append(clock.time))  # type: ignore[arg-type]
    lease.attend()
    assert asked == []
    runs.status = RunStatus.CANCELING
    for _ in range(2):
        clock.time += RENEWAL
        lease.attend()
    assert asked == [1000.0 + RENEWAL]
    assert runs.until == clock.time + LEASE
