"""Judges a deployment by what it stored and by the diary of the steps: pure, so that it can itself be tested."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from penstock.records.event import StoredEvent
from penstock.records.run import FINISHED, Run, RunStatus

__all__ = ["Entry", "Expected", "Outage", "judge", "read"]

ENDS = {"RUN_SUCCESS", "RUN_FAILURE", "RUN_CANCELED"}
LONGEST_PAUSE = 30.0
"""Seconds within which something happens to a run after any fault."""


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """How a run is to end, and whether somebody asked it to stop."""

    ends: str  # well, badly, hungry
    canceled: bool = False


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the diary."""

    run: str
    step: str
    what: str  # begin, end, eats
    pid: int
    time: float
    alone: bool = True


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time in which nothing could go on: the database or the disk was away, a process was stopped."""

    begin: float
    end: float


def judge(
    runs: Mapping[str, tuple[Run, Sequence[StoredEvent]]],
    expected: Mapping[str, Expected],
    diary: Iterable[Entry],
    outages: Sequence[Outage] = (),
    *,
    steps: int = 20,
) -> list[str]:
    """What is wrong, each in a sentence; nothing if every promise was kept.

    Args:
        runs: Each run with its whole log.
        expected: By run id, of each run that was asked for.
        diary: What the steps noted.
        outages: When nothing could go on.
        steps: How many steps a whole run has.
    """
    wrong = [f"Run {run_id} was asked for, and is not there." for run_id in expected if run_id not in runs]
    wrong += [f"Run {run_id} is there, and nobody asked for it." for run_id in runs if run_id not in expected]
    entries: dict[str, list[Entry]] = defaultdict(list)
    for entry in diary:
        entries[entry.run].append(entry)
    for run_id, (run, log) in runs.items():
        if run_id in expected:
            wrong += _end(run, log, expected[run_id], steps)
            wrong += _diary(run_id, log, sorted(entries[run_id], key=lambda entry: entry.time))
            wrong += _pauses(run_id, log, outages)
    return wrong


def _end(run: Run, log: Sequence[StoredEvent], expected: Expected, steps: int) -> list[str]:
    wrong = []
    ends = [each.event.type for each in log if each.event.type in ENDS]
    if run.status not in FINISHED:
        return [f"Run {run.run_id} has not ended: it is {run.status}."]
    if len(ends) != 1 or (log and log[-1].event.type not in ENDS):
        wrong.append(f"Run {run.run_id} has the ends {ends}, and then {log[-1].event.type}.")
    if run.lease_until is not None:
        wrong.append(f"Run {run.run_id} has ended and is still leased.")
    true = {RunStatus.FAILURE if expected.ends == "badly" else RunStatus.SUCCESS}
    if expected.canceled:
        true.add(RunStatus.CANCELED)
    if run.status not in true:
        told = [str(each.event.fact) for each in log if each.event.type in ("RUN_FAILURE", "STEP_FAILURE")]
        wrong.append(f"Run {run.run_id} was to end as {'/'.join(sorted(true))} and ended as {run.status}: {told[-2:]}")
    made = [each.event.step_key for each in log if each.event.type == "STEP_SUCCESS"]
    if len(made) != len(set(made)):
        wrong.append(f"Run {run.run_id} has steps that succeeded more than once.")
    if run.status is RunStatus.SUCCESS and len(made) != steps:
        wrong.append(f"Run {run.run_id} succeeded with {len(made)} of {steps} steps.")
    return wrong


def _diary(run_id: str, log: Sequence[StoredEvent], entries: Sequence[Entry]) -> list[str]:
    wrong = [f"Step {each.step} of run {run_id} ran twice at once." for each in entries if not each.alone]
    stored = {each.event.step_key: each.event.time for each in log if each.event.type == "STEP_SUCCESS"}
    ended = {each.step for each in entries if each.what == "end"}
    wrong += [f"Step {step} of run {run_id} succeeded without an end." for step in stored if step not in ended]
    wrong += [
        f"Step {each.step} of run {run_id} began again {each.time - stored[each.step]:.1f} s after its success."
        for each in entries
        if each.what == "begin" and each.time > stored.get(each.step, float("inf"))
    ]
    over = [each.event.time for each in log if each.event.type in ENDS]
    # A step that is killed with its run may have begun just before.
    wrong += [
        f"Step {each.step} of run {run_id} began {each.time - over[0]:.1f} s after the run's end."
        for each in entries
        if each.what == "begin" and over and each.time > over[0] + 2.0
    ]
    return wrong


def _pauses(run_id: str, log: Sequence[StoredEvent], outages: Sequence[Outage]) -> list[str]:
    """Stretches in which nothing happened to a run that had begun, less those in which nothing could."""
    started = [index for index, each in enumerate(log) if each.event.type == "RUN_STARTING"]
    times = [each.event.time for each in log[started[0] :]] if started else []
    wrong = []
    for before, after in itertools.pairwise(times):
        away = sum(max(0.0, min(after, each.end) - max(before, each.begin)) for each in outages)
        if after - before - away > LONGEST_PAUSE:
            wrong.append(f"Nothing happened to run {run_id} for {after - before:.0f} s, {away:.0f} s of them excused.")
    return wrong


def read(line: str) -> Entry:
    """A line of the diary."""
    return msgspec.json.decode(line, type=Entry)
