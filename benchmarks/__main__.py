"""Measure Penstock and the peer in turn and print one table; `--json FILE` writes the figures too."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from .deployment import Deployment, median
from .subject import WORKLOADS, Subject, subjects


def child_cpu(command: list[str], environment: dict[str, str]) -> float:
    """CPU seconds (user and system) of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def import_seconds(subject: Subject, script: str) -> float:
    """CPU seconds of an import beyond the bare interpreter, the least of five."""
    environment = subject.environment()
    bare = min(child_cpu([str(subject.python), "-c", "pass"], environment) for _ in range(5))
    return min(child_cpu([str(subject.python), "-c", script], environment) for _ in range(6)) - bare


def in_process_seconds(subject: Subject, kind: str) -> float:
    """Seconds that one more step costs in one process, from a long and a short job; the least of three."""

    def of(length: int) -> float:
        command = [str(subject.python), str(WORKLOADS / "in_process.py"), subject.module, kind, str(length)]
        runs = [
            subprocess.run(command, env=subject.environment(), check=True, capture_output=True, text=True)
            for _ in range(3)
        ]
        return min(float(json.loads(run.stdout.strip().splitlines()[-1])) for run in runs)

    return (of(101) - of(1)) / 100


def many_assets(subject: Subject, kind: str, count: int) -> dict[str, float]:
    """CPU seconds and megabytes for so many assets, the least of three."""
    command = [str(subject.python), str(WORKLOADS / "many_assets.py"), subject.module, kind, str(count)]
    runs = []
    for _ in range(3):
        run = subprocess.run(command, env=subject.environment(), check=True, capture_output=True, text=True)
        runs.append(json.loads(run.stdout.strip().splitlines()[-1]))
    return {name: min(float(each[name]) for each in runs) for name in ("seconds", "megabytes")}


def measure(subject: Subject, *, launches: int, burst: int, assets: int) -> dict[str, float]:
    """All figures of one subject, with so many single launches, runs queued at once, and assets of one location.

    Figures for assets are told for 10,000, in proportion where fewer are measured.
    """
    described, planned = many_assets(subject, "describe", assets), many_assets(subject, "plan", assets)
    figures = {
        "import, CPU ms": import_seconds(subject, f"import {subject.module}") * 1000,
        "import with first use of the names, CPU ms": import_seconds(
            subject, f"from {subject.module} import Config, Definitions, asset, job, op, schedule, sensor"
        )
        * 1000,
        "op in one process, ms": in_process_seconds(subject, "op") * 1000,
        "asset in one process, ms": in_process_seconds(subject, "asset") * 1000,
        "10,000 assets declared, resolved, described, CPU s": described["seconds"] * 10_000 / assets,
        f"the same, peak MB with {assets:,} assets": described["megabytes"],
        "10,000-step plan built, CPU s": planned["seconds"] * 10_000 / assets,
    }
    deployment = Deployment(subject)
    try:
        figures["dev start to definitions served, s"] = deployment.start_seconds
        figures["launch to first user line, median s"] = median(deployment.seconds_to_first_line(launches))
        one = min(deployment.seconds_of_run("chain_1") for _ in range(2))
        eleven = min(deployment.seconds_of_run("chain_11") for _ in range(2))
        figures["step in its own process, ms"] = (eleven - one) / 10 * 1000
        figures["idle deployment, PSS MB"] = deployment.resident_megabytes()
        figures["queued run to its end, one of many, ms"] = deployment.seconds_of_burst(burst) / burst * 1000
    finally:
        deployment.stop()
        subject.clean()
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument("--no-peer", action="store_true", help="measure Penstock alone")
    arguments = parser.parse_args()
    ours, peer = subjects()
    print("measuring penstock ...", flush=True)
    mine = measure(ours, launches=15, burst=100, assets=10_000)
    theirs: dict[str, float] = {}
    if not arguments.no_peer:
        print("measuring the peer ...", flush=True)
        theirs = measure(peer, launches=4, burst=10, assets=1_000)
    print(f"\nPython {platform.python_version()}, {platform.machine()}\n")
    print(f"| {'figure':52} | {'penstock':>10} | {'peer':>10} | {'ratio':>7} |")
    print(f"|{'-' * 54}|{'-' * 11}:|{'-' * 11}:|{'-' * 8}:|")
    show: Callable[[float | None], str] = lambda value: "" if value is None else f"{value:.3g}"  # noqa: E731
    for name, value in mine.items():
        other = theirs.get(name)
        ratio = f"{other / value:.0f}x" if other is not None and value > 0 else ""
        print(f"| {name:52} | {show(value):>10} | {show(other):>10} | {ratio:>7} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"penstock": mine, "peer": theirs}, indent=2))


if __name__ == "__main__":
    sys.exit(main())
