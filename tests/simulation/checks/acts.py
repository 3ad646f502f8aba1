"""One-off runs were made once or called off, and nothing was due in a pause."""

from __future__ import annotations

from collections import Counter

from penstock.records.automation import TickStatus
from penstock.records.one_off import OneOffStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from simulation.deployment import Deployment
from simulation.people import OVERRULED
from simulation.rough import LATEST

__all__ = ["check_acts"]


def check_acts(deployment: Deployment) -> None:
    """See the head of this file."""
    people, storage = deployment.people, deployment.storage
    first = [run for run in storage.runs.page(RunFilter(), limit=1_000_000) if run.parent_run_id is None]
    runs = Counter(run.tags.get(Tag.ONE_OFF) for run in first)
    end = deployment.simulation.now()
    for asked in people.planned:
        stands = storage.one_offs.get(asked.id)
        assert stands is not None
        if asked.id in people.canceled and stands.status is OneOffStatus.CANCELED:
            assert runs[str(asked.id)] == 0
        elif stands.status is OneOffStatus.WAITING:
            assert asked.due > end - LATEST
        else:
            assert (stands.status, runs[str(asked.id)]) == (OneOffStatus.LAUNCHED, 1)
            assert stands.ended is not None
            if not deployment.jumped:
                assert 0.0 <= stands.ended - asked.due < LATEST
    ticks = storage.instigators.ticks(f"code/schedule/{OVERRULED}", limit=1_000_000)
    by_tick = Counter(run.tags.get(Tag.TICK) for run in first)
    assert {by_tick[str(tick.id)] for tick in ticks if tick.status is TickStatus.SUCCESS} <= {1}
    if not deployment.jumped:
        assert not [tick for tick in ticks if any(since < tick.due < until for since, until in people.pauses)]
