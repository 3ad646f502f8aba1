"""What the daemon does by itself: schedules, sensors, backfills, a queue with limits; of a deployment on SQLite."""

from __future__ import annotations

import itertools
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing
from typing import NamedTuple

from .deployment import Deployment
from .subject import Subject

__all__ = ["DaemonSize", "measure_daemon"]

INTERVAL = 30.0
"""Seconds between two evaluations of a sensor."""

_WARM_UP = 60.0
_WATCHED = 180.0

_BACKFILL = """
mutation Backfill($params: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $params) { __typename ... on LaunchBackfillSuccess { backfillId } }
}
"""


class DaemonSize(NamedTuple):
    """How much is measured of a subject; figures of a thousand are in proportion where fewer are measured."""

    instigators: Sequence[int]
    partitions: int
    queued: int
    events: int


def measure_daemon(subject: Subject, size: DaemonSize) -> dict[str, float]:
    """All of it."""
    figures: dict[str, float] = {}
    for count in size.instigators:
        figures |= _instigators(subject, count)
    figures |= _reactions(subject, size)
    return figures


def _instigators(subject: Subject, count: int) -> dict[str, float]:
    threads = "{use_threads: true, num_workers: 8}" if subject.name == "peer" else "{num_workers: 8}"
    settings = f"sensors: {threads}\nschedules: {threads}\n"
    with closing(
        Deployment(subject, "instigators", settings=settings, variables={"BENCH_COUNT": str(count)})
    ) as deployment:
        time.sleep(_WARM_UP)
        before = deployment.cpu_seconds("daemon"), deployment.cpu_seconds()
        began = time.time()
        time.sleep(_WATCHED)
        after = deployment.cpu_seconds("daemon"), deployment.cpu_seconds()
        passed = time.time() - began
        late = lateness(deployment.mark.read_text().splitlines(), began)
    who = f"{count:,} schedules and {count:,} sensors: "
    return {
        **{
            f"{who}{kind}s late, {word}, s": _quantile(late[kind], at)
            for kind in ("schedule", "sensor")
            for word, at in (("median", 0.5), ("p99", 0.99))
        },
        f"{who}ticks, /s": sum(map(len, late.values())) / passed,
        f"{who}daemon, % of a core": (after[0] - before[0]) / passed * 100,
        f"{who}whole deployment, % of a core": (after[1] - before[1]) / passed * 100,
    }


def lateness(lines: Sequence[str], began: float) -> dict[str, list[float]]:
    """Seconds by which evaluations since `began` were late, by kind: of a schedule after its instant, of a sensor after
    its interval since the evaluation before."""
    found: dict[str, list[float]] = {"schedule": [], "sensor": []}
    times: dict[str, list[float]] = defaultdict(list)
    for line in lines:
        kind, name, due, at = line.split()
        if kind == "sensor":
            times[name].append(float(at))
        elif float(at) >= began:
            found["schedule"].append(float(at) - float(due))
    for each in times.values():
        found["sensor"] += [later - earlier - INTERVAL for earlier, later in itertools.pairwise(each) if later >= began]
    return found


def _quantile(values: Sequence[float], at: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * at))] if ordered else float("nan")


def _reactions(subject: Subject, size: DaemonSize) -> dict[str, float]:
    if subject.name == "peer":
        runs = "run_coordinator:\n  module: dagster.core.run_coordinator\n  class: QueuedRunCoordinator\n  config:\n"
        limits = "    max_concurrent_runs: 10\n    tag_concurrency_limits:\n"
        indent = "      "
    else:
        runs, limits, indent = "run_queue:\n", "  max_concurrent_runs: 10\n  tag_concurrency_limits:\n", "    "
    each = (
        f"{indent}- {{key: database, value: warehouse, limit: 4}}\n"
        f"{indent}- {{key: tenant, value: {{applyLimitPerUniqueValue: true}}, limit: 2}}\n"
    )
    with closing(Deployment(subject, "reactions", settings=runs + limits + each)) as deployment:
        reacted = [_reaction(deployment) for _ in range(size.events)]
        queued, finished = _backfill(deployment, size.partitions)
        tags = [
            {"tenant": f"tenant-{number % 20}", **({"database": "warehouse"} if number % 3 == 0 else {})}
            for number in range(size.queued)
        ]
        burst = deployment.seconds_of_burst(size.queued, tags)
    thousand = 1000 / size.partitions
    return {
        "an asset is made, to the first line of the run that its sensor asks for, median s": statistics.median(reacted),
        "the same, longest s": max(reacted),
        "backfill of 1,000 partitions, to the last run in the queue, s": queued * thousand,
        "the same, to the end of the last run, s": finished * thousand,
        "1,000 queued runs with limits by tag, to the end of the last, s": burst * 1000 / size.queued,
    }


def _reaction(deployment: Deployment, patience: float = 180.0) -> float:
    """Seconds from the end of an asset's function to the first line of the run that a sensor asks for."""
    before = _reacted(deployment)
    deployment.launch("make_watched")
    until = time.monotonic() + patience
    while len(_reacted(deployment)) == len(before):
        assert time.monotonic() < until, "the sensor did not react"
        time.sleep(0.01)
    made = [float(line.split()[2]) for line in deployment.mark.read_text().splitlines() if line.startswith("made")]
    # So that the next one meets a deployment that is idle again.
    deployment.wait_until_idle()
    return _reacted(deployment)[-1] - made[-1]


def _reacted(deployment: Deployment) -> list[float]:
    lines = deployment.mark.read_text().splitlines()
    return [float(line.split()[2]) for line in lines if line.startswith("reacted")]


def _backfill(deployment: Deployment, count: int, patience: float = 900.0) -> tuple[float, float]:
    """Seconds from the request until so many runs are made, and until they have ended well."""
    began = time.monotonic()
    params = {
        "assetSelection": [{"path": ["parted"]}],
        "partitionNames": [f"part-{number:04}" for number in range(count)],
    }
    answer = deployment.query(_BACKFILL, params=params)["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    tags = [{"key": f"{deployment.tag_prefix}/backfill", "value": answer["backfillId"]}]
    seconds = []
    for more in ({}, {"statuses": ["SUCCESS"]}):
        while deployment.count(tags=tags, **more) < count:
            assert time.monotonic() < began + patience, f"the backfill got no further: {more}"
            time.sleep(0.02)
        seconds.append(time.monotonic() - began)
    return seconds[0], seconds[1]
