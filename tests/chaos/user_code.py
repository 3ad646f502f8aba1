"""What the chaos runs do: jobs of twenty steps that keep a diary of their own, which the engine has no hand in.

Each attempt of a step holds a lock on a file of its own while it works. The kernel lets go of the lock when the process
is gone, however it went; so an attempt that finds it taken is proof of a step that runs twice at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock import (
    Backoff,
    Config,
    Definitions,
    DynamicOut,
    DynamicOutput,
    Failure,
    OpExecutionContext,
    RetryPolicy,
    in_process_executor,
    job,
    multiprocess_executor,
    op,
)

DIARY = Path(os.environ["PENSTOCK_CHAOS_DIARY"])
CGROUP = os.environ.get("PENSTOCK_CHAOS_CGROUP")
PATIENT = RetryPolicy(max_retries=100, delay=0.3, backoff=Backoff.LINEAR)
"""For whatever is done to a step: these runs are to end well in spite of it."""


@contextlib.contextmanager
def noted(context: OpExecutionContext) -> Iterator[None]:
    """Note the beginning and the end of an attempt, and whether another one was at work on the same step."""
    run, step = context.run_id, context.step_key
    with (DIARY / f"{run}.{step}.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            alone = True
        except BlockingIOError:
            alone = False
        note(run=run, step=step, what="begin", alone=alone)
        yield
        note(run=run, step=step, what="end", alone=alone)


def note(**entry: Any) -> None:
    """One line of the diary, whole or not at all."""
    line = json.dumps({**entry, "pid": os.getpid(), "time": time.time()}) + "\n"
    descriptor = os.open(DIARY / "diary.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, line.encode())
    finally:
        os.close(descriptor)


def work(context: OpExecutionContext) -> None:
    """Be at work for a short while, and say so."""
    with noted(context):
        print(f"{context.step_key} is at work")
        context.log.info("at work")
        time.sleep(random.uniform(0.02, 0.2))


@op(retry_policy=PATIENT)
def source(context: OpExecutionContext) -> int:
    work(context)
    return 1


@op(retry_policy=PATIENT)
def plus_one(context: OpExecutionContext, number: int) -> int:
    work(context)
    return number + 1


@op(retry_policy=PATIENT, pool="chaos")
def pooled(context: OpExecutionContext, number: int) -> int:
    work(context)
    return number + 1


@op(retry_policy=PATIENT, out=DynamicOut(int))
def fan(context: OpExecutionContext, number: int) -> Iterator[DynamicOutput[int]]:
    work(context)
    for index in range(4):
        yield DynamicOutput(number + index, mapping_key=f"k{index}")


@op(retry_policy=PATIENT)
def total(context: OpExecutionContext, numbers: list[int]) -> int:
    work(context)
    return sum(numbers)


class Fate(Config):
    """How the last step of a run is to end: well, by an error of its own, or (`hungry`) well, after it was killed once
    because memory ran out."""

    ends: str = "well"


@op(retry_policy=PATIENT)
def fateful(context: OpExecutionContext, config: Fate, one: int, other: int) -> int:
    if config.ends == "badly":
        raise Failure("this run is to fail", allow_retries=False)
    eats = DIARY / f"{context.run_id}.eats"
    if config.ends == "hungry" and CGROUP is not None and not eats.exists():
        eats.touch()
        note(run=context.run_id, step=context.step_key, what="eats")
        (Path(CGROUP) / "cgroup.procs").write_text(str(os.getpid()))
        eaten = []
        while True:
            eaten.append(bytearray(os.urandom(1 << 20)))
    work(context)
    return one + other


@op(retry_policy=PATIENT)
def last(context: OpExecutionContext, number: int) -> None:
    work(context)
    assert number == EXPECTED, f"a step was given what is not so: {number} instead of {EXPECTED}"


EXPECTED = 14 + 26


def twenty() -> None:
    """Twenty steps: a fan of seven, a chain, four that are mapped, what collects them, and an end."""
    first = source()
    wide = [plus_one.alias(f"wide_{index}")(first) for index in range(5)]
    held = [pooled.alias(f"pooled_{index}")(first) for index in range(2)]
    chain = first
    for index in range(3):
        chain = plus_one.alias(f"chain_{index}")(chain)
    mapped = total.alias("collected")(fan(chain).map(plus_one.alias("each")).collect())
    last(fateful(total.alias("gathered")([*wide, *held]), mapped))


isolated = job(name="isolated", executor_def=multiprocess_executor)(twenty)
together = job(name="together", executor_def=in_process_executor)(twenty)

defs = Definitions(jobs=[isolated, together])
