"""Processes that write events and note what they were told is stored: storms of writers and of faults need them."""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TypeVar

from penstock.errors import StorageUnavailableError
from penstock.instance.doctor.verify import verify
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    Event,
    Fact,
    LogLine,
    RunSuccess,
    StepStart,
    StepSuccess,
)
from penstock.storage.protocols import Storage
from penstock.testing.storage_contract.builders import NOW, events_from, started_run
from penstock.testing.storage_contract.processes import Opener

__all__ = ["Writer", "acknowledged", "long_seconds", "start_writer", "wrong_with"]

T = TypeVar("T")

_BATCHES_OF_A_RUN = 5
_ASSETS = 5
_PARTITIONS = 20
_PAUSE = 0.02
_IMPORTED_ONCE = ["penstock.testing.storage_contract", "penstock.instance.doctor.verify", "penstock.storage.sqlite"]


def long_seconds() -> float | None:
    """How long the long form of a test is to last; None for the short one, which counts rounds instead."""
    given = os.environ.get("PENSTOCK_STORAGE_SECONDS")
    return None if given is None else float(given)


class Writer:
    """What one who writes is to do.

    Args:
        diary: The file in which it notes what it was told is stored: a run's id and its last event's number.
        seed: Of its random numbers, and its name.
        runs: How many runs it writes, if not `until`.
        until: Until when it begins further ones, on the monotonic clock.
        patient: Whether it tries again while the database is away; else that ends it as any other error does.
    """

    def __init__(
        self,
        diary: Path,
        seed: int,
        *,
        runs: int = 1,
        until: float | None = None,
        patient: bool = False,
    ) -> None:
        self._diary = diary
        self._random = random.Random(seed)
        self._name = f"server-{seed}"
        self._runs = runs
        self._until = until
        self._patient = patient

    def work(self, storage: Storage) -> None:
        """Write runs, one after the other, each in batches; now and then one is sent twice."""
        written = 0
        while written < self._runs if self._until is None else time.monotonic() < self._until:
            run = self._told(lambda: started_run(storage, owner=self._name))
            self._note(run.run_id, 1)
            batches = list(self._batches())
            for place, batch in enumerate(batches):
                for each in (batch, batch) if self._random.random() < 0.2 else (batch,):
                    self._append(storage, run.run_id, each)
                if place and self._random.random() < 0.1:
                    self._append(storage, run.run_id, batches[place - 1])
            written += 1

    def _append(self, storage: Storage, run_id: str, batch: list[Event]) -> None:
        self._told(lambda: storage.events.append(run_id, 1, batch, now=NOW))
        last = batch[-1].seq
        assert last is not None
        self._note(run_id, last)

    def _told(self, act: Callable[[], T]) -> T:
        while True:
            try:
                return act()
            except StorageUnavailableError:
                if not self._patient:
                    raise
                threading.Event().wait(_PAUSE)

    def _note(self, run_id: str, seq: int) -> None:
        with self._diary.open("a") as diary:
            diary.write(f"{run_id} {seq}\n")
            diary.flush()
            if self._patient:
                os.fsync(diary.fileno())

    def _batches(self) -> Iterator[list[Event]]:
        seq = 2
        for number in range(_BATCHES_OF_A_RUN):
            step = f"step_{number}"
            facts = [StepStart(), *self._facts(), StepSuccess(seconds=1)]
            yield events_from(seq, facts, step_key=step)
            seq += len(facts)
        yield events_from(seq, [RunSuccess()])

    def _facts(self) -> Iterator[Fact]:
        for _ in range(self._random.randrange(20)):
            asset = f"asset_{self._random.randrange(_ASSETS)}"
            match self._random.randrange(5):
                case 0:
                    yield AssetMaterialization(asset=asset, partition=f"p{self._random.randrange(_PARTITIONS)}")
                case 1:
                    yield AssetCheckEvaluation(asset=asset, check="rows", passed=self._random.random() < 0.5)
                case _:
                    yield LogLine(level="INFO", message=f"a line about {asset}")


def start_writer(writer: Writer, opener: Opener) -> BaseProcess:
    """Start a process for it, with a storage of its own; its exit code is 0 when it has done all it was to do."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_IMPORTED_ONCE)
    process = context.Process(target=_work_alone, args=(writer, opener))
    process.start()
    return process


def _work_alone(writer: Writer, opener: Opener) -> None:
    storage = opener()
    writer.work(storage)
    storage.close()


def acknowledged(diaries: Path) -> dict[str, int]:
    """The last number of each run that a writer was told is stored, as the diaries in a folder have it."""
    told: Counter[str] = Counter()
    for diary in diaries.iterdir():
        for line in diary.read_text().splitlines(keepends=True):
            if line.endswith("\n"):  # a writer that was killed may have left a part of one
                run_id, seq = line.split()
                told[run_id] = max(told[run_id], int(seq))
    return dict(told)


def wrong_with(storage: Storage, told: dict[str, int]) -> list[str]:
    """What is not as it must be: every event once and in order, none missing that was acknowledged, and all that is
    derived as the log says."""
    wrong = []
    seen: set[int] = set()
    for run_id, last in told.items():
        log = storage.events.of_run(run_id, limit=1_000_000)
        numbers = [each.event.seq for each in log if each.event.seq is not None]
        ids = [each.id for each in log]
        if numbers != list(range(1, len(numbers) + 1)):
            wrong.append(f"{run_id}: numbers {numbers}")
        if len(numbers) < last:
            wrong.append(f"{run_id}: {last} were acknowledged, {len(numbers)} are stored")
        if ids != sorted(set(ids)) or seen & set(ids):
            wrong.append(f"{run_id}: ids {ids}")
        seen |= set(ids)
    return wrong + [f"{each.kind} {each.where}: {each.what}" for each in verify(storage, now=NOW)]
