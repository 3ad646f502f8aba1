"""A code location whose job has its steps launched in fresh processes; as a program it executes that job by itself."""

from __future__ import annotations

import os
import sys

from penstock import (
    Definitions,
    InitExecutorContext,
    LaunchingExecutor,
    ProcessStepLauncher,
    execute_job,
    executor,
    job,
    multiple_process_executor_requirements,
    op,
    reconstructable,
)

WORKER = os.getpid()  # of the process that loads this


@executor(name="fresh", requirements=multiple_process_executor_requirements())
def fresh(context: InitExecutorContext) -> LaunchingExecutor:
    return LaunchingExecutor(ProcessStepLauncher())


@op
def loads_by_itself() -> int:
    return os.getpid() - WORKER


@op
def double(number: int) -> int:
    return number * 2


@job(executor_def=fresh)
def elsewhere() -> None:
    double(loads_by_itself())


defs = Definitions(jobs=[elsewhere])


def main() -> int:
    from pathlib import Path

    from penstock.instance.instance import Instance

    with (
        Instance.open(Path(sys.argv[1])) as instance,
        execute_job(reconstructable(elsewhere), instance, op_selection=sys.argv[2:] or None) as result,
    ):
        print(*(each.step_key for each in result.all_events if each.type == "STEP_WORKER_STARTED"))
        print(result.output_for_node("loads_by_itself"))
    return 0 if result.success else 1


if __name__ == "__main__":
    sys.exit(main())
