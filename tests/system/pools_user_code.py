"""User code of steps in pools, and a program that is the worker of one run of it."""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from pathlib import Path
from typing import Any

from penstock import Definitions, RetryPolicy, in_process_executor, job, op
from penstock.definitions.executors import async_executor

PLACE = Path(os.environ.get("MEETING", "."))


def meet(name: str) -> None:
    """Say that this is reached, and wait until the test lets it go on; each by opening a pipe."""
    (PLACE / f"{name}.here").open("w").close()
    (PLACE / f"{name}.go").open().close()


@op(pool="db")
def guarded() -> None:
    meet(os.environ["POINT"])


@op
def unguarded() -> int:
    return 1


@op(pool="db", retry_policy=RetryPolicy(max_retries=1))
def second_time_lucky(context: Any) -> None:
    if context.retry_number == 0:
        raise ValueError("not yet")


@op(pool="api")
def other(_number: int) -> None:
    pass


@job
def in_processes() -> None:
    guarded()
    unguarded()


@job(executor_def=in_process_executor)
def in_one_process() -> None:
    guarded()
    unguarded()


@op(pool="db")
async def guarded_in_a_loop() -> None:
    await asyncio.to_thread(meet, os.environ["POINT"])


@job(executor_def=async_executor)
def in_one_loop() -> None:
    guarded_in_a_loop.alias("guarded")()
    unguarded()


@job
def retrying() -> None:
    second_time_lucky()


@job
def two_pools() -> None:
    other(unguarded())
    guarded()


defs = Definitions(jobs=[in_processes, in_one_process, in_one_loop, retrying, two_pools])


def main() -> int:
    from penstock.codec import decode_json
    from penstock.engine.pools import PoolRules
    from penstock.execution import worker
    from penstock.execution.environment import Environment
    from penstock.logs.local import LocalLogStore
    from penstock.records.run import Run
    from penstock.storage.sqlite.storage import SqliteStorage

    database, home, run, *channel = sys.argv[1:]
    environment = Environment(
        storage=SqliteStorage(Path(database)),
        logs=LocalLogStore(Path(home, "logs")),
        artifacts=Path(home, "storage"),
        pools=PoolRules(granularity="run" if os.environ.get("GRANULARITY") == "run" else "op"),
    )
    connected = socket.socket(fileno=int(channel[0])) if channel else None
    return worker.execute_run(defs, decode_json(run, Run), environment, connected)


if __name__ == "__main__":
    sys.exit(main())
