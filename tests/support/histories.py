"""Histories of any shape, made through the public methods of a storage alone."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from hypothesis import strategies as st

from penstock.records.data_version import VersionTag
from penstock.records.errors import ErrorInfo
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetCheckEvaluationPlanned,
    AssetFact,
    AssetMaterialization,
    AssetMaterializationPlanned,
    AssetObservation,
    AssetWiped,
    Fact,
    LogLine,
    RunCanceled,
    RunCanceling,
    RunEnqueued,
    RunFailure,
    RunResumed,
    RunStart,
    RunSuccess,
    StepFailure,
    StepRestarted,
    StepSkipped,
    StepStart,
    StepSuccess,
    StepUpForRetry,
    StepWorkerStarted,
)
from penstock.records.metadata import FloatMetadataValue, Metadata, TextMetadataValue
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.storage.protocols import RunFilter, Storage
from penstock.testing.storage_contract.builders import NOW, events_from, new_run

__all__ = ["ACTIONS", "History", "actions"]

ASSETS = ("a", "b/c")
PARTITIONS = (None, "p", "q")
STEPS = ("one", "two", "three")
_ERROR = ErrorInfo(cls="Broken", message="no")


class History:
    """Goes on with the history of a storage; each action draws what it does from a seed of its own.

    Args:
        storage: The storage.
        pace: By how much more time passes from action to action than a few seconds.
    """

    def __init__(self, storage: Storage, *, pace: float = 1.0) -> None:
        self.storage = storage
        self.now = NOW
        self._pace = pace
        self._seqs: dict[tuple[str, int], int] = {}
        self._chance = random.Random(0)

    def act(self, name: str, seed: int) -> None:
        """Do one of `ACTIONS`."""
        self._chance = random.Random(seed)
        self.now += self._chance.choice([0.0, 0.5, 7.0]) * self._pace
        ACTIONS[name](self)

    # -- actions ------------------------------------------------------------------------------------------------------

    def create(self) -> None:
        chance = self._chance
        assets = [
            AssetMaterializationPlanned(asset=chance.choice(ASSETS), partition=chance.choice(PARTITIONS))
            for _ in range(chance.randrange(3))
        ]
        checks = [AssetCheckEvaluationPlanned(asset=chance.choice(ASSETS), check="c")] if chance.random() < 0.3 else []
        facts: list[Fact] = [*assets, *checks]
        if chance.random() < 0.8:
            facts.append(RunEnqueued())
        tags = {"team": chance.choice("xy")} if chance.random() < 0.5 else {}
        snapshot = b'{"a": 1}' if chance.random() < 0.3 else None
        new = new_run(*facts, created=self.now, tags=tags, job=chance.choice(["nightly", "hourly"]))
        new = type(new)(run=new.run, facts=new.facts, snapshot=snapshot)
        self.storage.runs.create([new])

    def claim(self) -> None:
        waiting = self._runs(RunStatus.QUEUED, RunStatus.NOT_STARTED)
        for run in waiting[:2]:
            self.storage.runs.claim([run.run_id], owner="server", until=self.now + 30, now=self.now)

    def start(self) -> None:
        for run in self._runs(RunStatus.STARTING)[:2]:
            self._append(run, [RunStart(pid=1) if run.attempt == 1 else RunResumed(pid=1)], None)

    def work(self) -> None:
        chance = self._chance
        for run in self._runs(RunStatus.STARTED, RunStatus.CANCELING)[:2]:
            step = chance.choice(STEPS)
            facts: list[Fact] = [
                StepWorkerStarted(pid=1),
                StepStart(),
                LogLine(level="INFO", message="at work \u00e9"),
                self._made(),
                self._seen(),
                AssetCheckEvaluation(asset=chance.choice(ASSETS), check="c", passed=chance.random() < 0.5),
                StepUpForRetry(error=_ERROR, retry=1),
                StepRestarted(retry=1),
                StepSuccess(seconds=1.0),
                StepFailure(error=_ERROR),
                StepSkipped(reason="not needed"),
            ]
            self._append(run, sorted(chance.sample(facts, chance.randrange(1, 6)), key=facts.index), step)

    def lose(self) -> None:
        for run in self._runs(RunStatus.STARTED)[:1]:
            self.storage.runs.record(
                run.run_id, [RunEnqueued(reason="lost", lost_worker=True)], now=self.now, attempt=run.attempt
            )

    def cancel(self) -> None:
        for run in self._runs(RunStatus.STARTED, RunStatus.QUEUED)[:1]:
            fact = RunCanceling() if run.status is RunStatus.STARTED else RunCanceled(message="no more")
            self.storage.runs.record(run.run_id, [fact], now=self.now)

    def end(self) -> None:
        for run in self._runs(RunStatus.STARTED, RunStatus.CANCELING)[:1]:
            ends: list[Fact] = [RunFailure(reason=FailureReason.STEP_FAILURE, message="a step failed"), RunSuccess()]
            if run.status is RunStatus.CANCELING:
                ends.append(RunCanceled())
            self._append(run, [self._chance.choice(ends)], None)

    def delete(self) -> None:
        for run in self._runs(RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED)[:1]:
            self.storage.runs.delete(run.run_id)

    def report(self) -> None:
        chance = self._chance
        facts: list[AssetFact] = [self._made(), self._seen()]
        if chance.random() < 0.3:
            named = chance.choice([None, ("p",), ("p", "q")])
            facts.append(AssetWiped(asset=chance.choice(ASSETS), partitions=named))
        chance.shuffle(facts)
        self.storage.assets.report(facts[: chance.randrange(1, 3)], now=self.now)

    def tag(self) -> None:
        for run in self._runs(*RunStatus)[:1]:
            self.storage.runs.add_tags(run.run_id, {"seen": self._chance.choice("ab")})

    # -- parts --------------------------------------------------------------------------------------------------------

    def _made(self) -> AssetMaterialization:
        chance = self._chance
        value = chance.choice([1.5, float("inf"), -0.0])
        tags = {VersionTag.DATA_VERSION: chance.choice("vw")} if chance.random() < 0.3 else {}
        metadata: Metadata = {"rows": FloatMetadataValue(value), "words": TextMetadataValue("\u00fc")}
        return AssetMaterialization(
            asset=chance.choice(ASSETS), partition=chance.choice(PARTITIONS), metadata=metadata, tags=tags
        )

    def _seen(self) -> AssetObservation:
        chance = self._chance
        tags = {VersionTag.DATA_VERSION: chance.choice("vw")} if chance.random() < 0.5 else {}
        return AssetObservation(asset=chance.choice(ASSETS), partition=chance.choice(PARTITIONS), tags=tags)

    def _runs(self, *statuses: RunStatus) -> list[Run]:
        found = self.storage.runs.page(RunFilter(statuses=statuses), limit=20, ascending=True)
        self._chance.shuffle(found)
        return found

    def _append(self, run: Run, facts: list[Fact], step: str | None) -> None:
        place = (run.run_id, run.attempt)
        first = self._seqs.get(place, 0) + 1
        self._seqs[place] = first + len(facts)
        events = events_from(first, facts, at=self.now, step_key=step)
        self.storage.events.append(run.run_id, run.attempt, events, now=self.now)


ACTIONS: Mapping[str, Callable[[History], None]] = {
    "create": History.create,
    "claim": History.claim,
    "start": History.start,
    "work": History.work,
    "lose": History.lose,
    "cancel": History.cancel,
    "end": History.end,
    "delete": History.delete,
    "report": History.report,
    "tag": History.tag,
}

_LIVELY = [*ACTIONS, "create", "claim", "start", "work", "work", "work", "end"]


def actions(
    *, least: int = 0, most: int = 160, without: tuple[str, ...] = ()
) -> st.SearchStrategy[list[tuple[str, int]]]:
    """Actions for `History.act`."""
    names = [name for name in _LIVELY if name not in without]
    return st.lists(st.tuples(st.sampled_from(names), st.integers(0, 1 << 30)), min_size=least, max_size=most)
