"""Measures appending, bytes and pages of one subject on one database."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from typing import Any, NamedTuple

from ..subject import ROOT, WORKLOADS, Subject
from .instances import Data, Place
from .pages import pages
from .questions import questions
from .served import Served

__all__ = ["LOAD", "PEER_LOAD", "Load", "measure_storage"]


class Load(NamedTuple):
    """How much is written: events by one writer and by several, and runs."""

    writers: int
    events: int
    shared_events: int
    runs: int

    def scaled(self, scale: float) -> Load:
        """Less of it, for a short try."""
        part = min(1.0, scale * 10)
        amounts = (max(20, int(each * part)) for each in self[1:])
        return Load(self.writers if part == 1 else 2, *amounts)


UI = ROOT / "ui" / "src" / "services"
LOAD = Load(writers=10, events=140_000, shared_events=140_000, runs=5_000)
PEER_LOAD = Load(writers=10, events=1_200, shared_events=2_400, runs=200)


def measure_storage(subject: Subject, dialect: str, data: Data, load: Load) -> dict[str, float]:
    """All figures; pages in milliseconds."""
    return _writing(subject, dialect, data, load) | _pages(subject, dialect, data)


def _writing(subject: Subject, dialect: str, data: Data, load: Load) -> dict[str, float]:
    with data.scratch(subject, dialect) as place:
        _append(place, "events", 1, 10)  # makes the tables
        empty = place.size()
        server = data.server if dialect == "Postgres" else None
        before = server.cpu_seconds() if server else 0.0
        one = _append(place, "events", 1, load.events)
        served = server.cpu_seconds() - before if server else 0.0
        full = place.size()
        ended = _append(place, "steps", 1, load.events // 4) if subject.name == "penstock" else one
        many = _append(place, "events", load.writers, load.shared_events)
        before_runs = place.size()
        runs = _append(place, "runs", 1, load.runs)
        return {
            "events appended by one writer, /s": one["stored"] / one["seconds"],
            "the same, each step's as it ends, /s": ended["stored"] / ended["seconds"],
            "events appended by ten writers, /s": many["stored"] / many["seconds"],
            "CPU of an event, writer, µs": one["cpu"] / one["stored"] * 1e6,
            "CPU of an event, database server, µs": served / one["stored"] * 1e6,
            "bytes of an event": (full - empty) / one["stored"],
            "runs made by one writer, /s": runs["stored"] / runs["seconds"],
            "bytes of a run with 8 tags, without events": (place.size() - before_runs) / runs["stored"],
        }


def _append(place: Place, kind: str, writers: int, count: int) -> dict[str, float]:
    command = [
        str(place.subject.python),
        str(WORKLOADS / "append.py"),
        place.subject.module,
        kind,
        str(writers),
        str(count),
    ]
    run = subprocess.run(command, env=place.environment, check=False, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
    told: dict[str, float] = json.loads(run.stdout.strip().splitlines()[-1])
    return told


def _pages(subject: Subject, dialect: str, data: Data) -> dict[str, float]:
    place = data.seeded(subject, dialect)
    figures: dict[str, Any] = {}
    with closing(Served(subject, place.environment, data.world)) as served:
        for question in questions(subject.name, data.world, served.ask):
            try:
                answer, seconds = served.measured(question.document, question.variables)
            except (OSError, AssertionError) as error:
                if subject.name == "penstock":
                    raise
                print(f"{subject.name} on {dialect}, {question.name}: {error!r}", flush=True)
                served.connect_anew()
                continue
            found = question.found(answer)
            assert found == (question.expected or max(1, found)), f"{question.name}: the answer holds {found}"
            figures[f"{question.name}, ms"] = seconds * 1000
        for name, document, variables in pages(UI, data.world) if subject.name == "penstock" else ():
            figures[f"{name}, ms"] = served.measured(document, variables)[1] * 1000
    return figures
