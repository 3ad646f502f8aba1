"""Measure Penstock and the peer in turn and print one table; `--json FILE` writes the figures too."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from .daemon import DaemonSize, measure_daemon
from .deployment import Deployment, median
from .report import tables
from .storage.instances import DATA, DIALECTS, Data
from .storage.measure import LOAD, PEER_LOAD, measure_storage
from .subject import WORKLOADS, Subject, subjects


def child_cpu(command: list[str], environment: dict[str, str]) -> float:
    """CPU seconds (user and system) of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def told_by(subject: Subject, *command: str) -> Any:
    """What a workload prints as its last line, as JSON; one that fails is repeated, and its error is shown."""
    for left in (2, 1, 0):
        run = subprocess.run(
            [str(subject.python), *command], env=subject.environment(), check=False, capture_output=True, text=True
        )
        if run.returncode == 0:
            return json.loads(run.stdout.strip().splitlines()[-1])
        print(f"{subject.name}: {' '.join(command)} failed: {run.stderr[-2000:]}", flush=True)
        assert left, "it failed three times"
    raise AssertionError("the last try returns or raises")


def import_seconds(subject: Subject, script: str) -> float:
    """CPU seconds of an import beyond the bare interpreter, the least of five."""
    environment = subject.environment()
    bare = min(child_cpu([str(subject.python), "-c", "pass"], environment) for _ in range(5))
    return min(child_cpu([str(subject.python), "-c", script], environment) for _ in range(6)) - bare


def in_process_seconds(subject: Subject, kind: str, *, longest: int = 101) -> float:
    """Seconds that one more step costs in one process, from a long and a short job; the least of three."""

    def of(length: int) -> float:
        workload = str(WORKLOADS / "in_process.py")
        return min(float(told_by(subject, workload, subject.module, kind, str(length))) for _ in range(3))

    return (of(longest) - of(1)) / (longest - 1)


def many_assets(subject: Subject, kind: str, count: int) -> dict[str, float]:
    """CPU seconds and megabytes for so many assets, the least of three."""
    workload = str(WORKLOADS / "many_assets.py")
    runs = [told_by(subject, workload, subject.module, kind, str(count)) for _ in range(3)]
    return {name: min(float(each[name]) for each in runs) for name in ("seconds", "megabytes")}


class Size(NamedTuple):
    """How much is measured of a subject. Figures of a thousand steps or ten thousand assets are in proportion where
    fewer are measured."""

    launches: int
    burst: int
    long_burst: int | None
    assets: int
    steps: int  # of jobs whose steps have processes of their own
    steps_in_process: int
    daemon: DaemonSize


OURS = Size(
    launches=15,
    burst=100,
    long_burst=1000,
    assets=10_000,
    steps=1000,
    steps_in_process=1001,
    daemon=DaemonSize(instigators=(200, 1000), partitions=1000, queued=1000, events=15),
)
PEER = Size(
    launches=4,
    burst=10,
    long_burst=None,
    assets=1_000,
    steps=11,
    steps_in_process=101,
    daemon=DaemonSize(instigators=(200, 1000), partitions=20, queued=20, events=4),
)


def measure_code(subject: Subject, size: Size) -> dict[str, float]:
    """What user code costs in one process."""
    described, planned = (many_assets(subject, kind, size.assets) for kind in ("describe", "plan"))
    names = "Config, Definitions, asset, job, op, schedule, sensor"
    return {
        "import, CPU ms": import_seconds(subject, f"import {subject.module}") * 1000,
        "import with first use of the names, CPU ms": import_seconds(subject, f"from {subject.module} import {names}")
        * 1000,
        "op in one process, ms": in_process_seconds(subject, "op") * 1000,
        "asset in one process, ms": in_process_seconds(subject, "asset") * 1000,
        **{
            f"1,000 steps {words}, in one process, s": in_process_seconds(subject, kind, longest=size.steps_in_process)
            * 1000
            for kind, words in (("op", "in a row"), ("wide", "side by side"), ("dynamic", "of a dynamic output"))
        },
        "10,000 assets declared, resolved, described, CPU s": described["seconds"] * 10_000 / size.assets,
        f"the same, peak MB with {size.assets:,} assets": described["megabytes"],
        "10,000-step plan built, CPU s": planned["seconds"] * 10_000 / size.assets,
    }


def measure_deployment(subject: Subject, size: Size) -> dict[str, float]:
    """What a deployment costs, and how quickly it takes runs."""
    figures = {}
    with closing(Deployment(subject)) as deployment:
        figures["dev start to definitions served, s"] = deployment.start_seconds
        figures["launch through the queue to first user line, median s"] = median(
            deployment.seconds_to_first_line(size.launches)
        )
        figures["idle deployment, PSS MB"] = deployment.resident_megabytes()
        figures["queued run to its end, one of many, ms"] = deployment.seconds_of_burst(size.burst) / size.burst * 1000
        if size.long_burst is not None:
            figures["the same, one of 1,000, ms"] = (
                deployment.seconds_of_burst(size.long_burst) / size.long_burst * 1000
            )
    with closing(Deployment(subject, immediate=True)) as deployment:
        figures["launch without a queue to first user line, median s"] = median(
            deployment.seconds_to_first_line(size.launches)
        )
    return figures


def measure_steps(subject: Subject, size: Size) -> dict[str, float]:
    """What steps cost that run in processes."""
    figures = {}
    with closing(Deployment(subject, "steps")) as deployment:
        for executor in ("isolated", "warm"):
            for shape, words in (("chain", "in a row"), ("wide", "side by side"), ("dynamic", "of a dynamic output")):
                # What a run costs besides, an import in the fork server above all, is not the step's.
                short = min(deployment.seconds_of_run(f"{executor}_{shape}_1") for _ in range(2))
                eleven = min(deployment.seconds_of_run(f"{executor}_{shape}_11") for _ in range(2))
                if shape == "chain":
                    figures[f"one more step in a row, {executor}, ms"] = (eleven - short) / 10 * 1000
                seconds = eleven if size.steps == 11 else deployment.seconds_of_run(f"{executor}_{shape}_{size.steps}")
                figures[f"1,000 steps {words}, {executor}, s"] = (seconds - short) / (size.steps - 1) * 1000
    return figures


def measure_databases(subject: Subject, data: Data, dialects: Sequence[str]) -> dict[str, float]:
    """What storage costs on each database."""
    load = (LOAD if subject.name == "penstock" else PEER_LOAD).scaled(data.scale)
    return {
        f"{dialect}: {name}": value
        for dialect in dialects
        for name, value in measure_storage(subject, dialect, data, load).items()
    }


def measure(subject: Subject, size: Size, only: str, data: Data, dialects: Sequence[str]) -> dict[str, float]:
    """The figures of one subject: all, or those of one part."""
    parts: dict[str, Callable[[], dict[str, float]]] = {
        "code": lambda: measure_code(subject, size),
        "deployment": lambda: measure_deployment(subject, size),
        "steps": lambda: measure_steps(subject, size),
        "daemon": lambda: measure_daemon(subject, size.daemon),
        "storage": lambda: measure_databases(subject, data, dialects),
    }
    figures: dict[str, float] = {}
    try:
        for name, part in parts.items():
            if only in (name, ""):
                print(f"measuring {subject.name}: {name} ...", flush=True)
                figures |= part()
    finally:
        subject.clean()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--only", choices=("code", "deployment", "steps", "daemon", "storage"), default="", help="one part of it"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--no-peer", action="store_true", help="measure Penstock alone")
    parser.add_argument("--scale", type=float, default=1.0, help="storage: how much of a history of 1,000,000 runs")
    parser.add_argument("--data", type=Path, default=DATA, help="storage: where histories are kept")
    parser.add_argument("--database", choices=DIALECTS, action="append", help="storage: on this database alone")
    parser.add_argument("--seed-only", action="store_true", help="storage: make the histories, and measure nothing")
    arguments = parser.parse_args()
    chosen = subjects()[:1] if arguments.no_peer else subjects()
    dialects = arguments.database or DIALECTS
    found: dict[str, dict[str, float]] = {"penstock": {}, "peer": {}}
    with closing(Data(arguments.data, arguments.scale)) as data:
        for subject, size in zip(chosen, (OURS, PEER), strict=False):
            if arguments.seed_only:
                for dialect in dialects:
                    data.seeded(subject, dialect)
            else:
                found[subject.name] = measure(subject, size, arguments.only, data, dialects)
                print(json.dumps(found[subject.name]), flush=True)
    print(f"\nPython {platform.python_version()}, {platform.machine()}\n")
    print(tables(found, dialects))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
