"""Each tick made its runs exactly once, none was late, and whatever was made has ended."""

from __future__ import annotations

from collections import Counter

from penstock.partitions.cron import parse, ticks_between
from penstock.records.automation import TickStatus
from penstock.records.run import Tag
from penstock.storage.protocols import RunFilter
from simulation.deployment import Deployment
from simulation.rough import CRONS, INTERVALS, LATEST, START

__all__ = ["check_ticks"]


def check_ticks(deployment: Deployment) -> None:
    """See the head of this file."""
    end = deployment.simulation.now()
    all_runs = deployment.storage.runs.page(RunFilter(), limit=1_000_000)
    assert [run for run in all_runs if not run.is_finished and run.created < end - 120] == []
    runs = [run for run in all_runs if run.parent_run_id is None]
    by_tick = Counter(run.tags.get(Tag.TICK) for run in runs)
    for name, cron in CRONS.items():
        ticks = deployment.storage.instigators.ticks(f"code/schedule/{name}", limit=1_000_000)
        done = {tick.due for tick in ticks if tick.status is TickStatus.SUCCESS}
        assert [tick for tick in ticks if tick.status is TickStatus.FAILURE] == []
        assert {tick.due: by_tick[str(tick.id)] for tick in ticks if tick.due in done} == dict.fromkeys(done, 1)
        wanted = set(ticks_between(parse(cron), START, end - 60, "UTC"))
        # Of those that the time of day was set forward over only the latest is made up.
        missing = {due for due in wanted - done if not deployment.leapt(due, LATEST)}
        assert missing == set(), f"{name} was not evaluated for {sorted(missing)}"
    for name, interval in INTERVALS.items():
        keys = sorted(int(run.tags[Tag.RUN_KEY].rpartition(":")[2]) for run in runs if run.tags.get(Tag.SENSOR) == name)
        assert keys == list(range(len(keys))), f"{name} made its runs in this order: {keys}"
        if not deployment.jumped:
            passed = deployment.simulation.monotonic()
            assert len(keys) >= passed / (interval + LATEST) - 1
    if not deployment.jumped:
        late = {key: at - key[1] for key, at in deployment.asked.items() if key[0] in CRONS and at - key[1] > LATEST}
        assert late == {}
