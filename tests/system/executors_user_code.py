"""User code of the executor tests, and the process that works as a run worker on it.

As a program: `executors_user_code.py DATABASE HOME RUN [CHANNEL]`, where RUN is the run as JSON and CHANNEL an
inherited socket. Steps meet the test at named pipes: a step says that it has come so far, and waits until it may go on.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.definitions.assets.asset import asset
from penstock.definitions.assets.asset_check import asset_check
from penstock.definitions.assets.graph_asset import graph_asset
from penstock.definitions.assets.job import define_asset_job
from penstock.definitions.assets.observe import observable_source_asset
from penstock.definitions.assets.selection import AssetSelection
from penstock.definitions.definitions import Definitions
from penstock.definitions.events import AssetCheckResult, DynamicOutput, Output, RetryRequested
from penstock.definitions.executors import in_process_executor, multiprocess_executor
from penstock.definitions.ops.hooks import failure_hook
from penstock.definitions.ops.job import job
from penstock.definitions.ops.op import op
from penstock.definitions.ops.ports import DynamicOut, Out
from penstock.definitions.ops.retry import RetryPolicy
from penstock.execution.pipes.subprocess_client import PipesSubprocessClient
from penstock.records.data_version import DataVersion

MEETING = Path(os.environ.get("MEETING", "."))


def arrive(name: str) -> None:
    """Say that this point is reached; waits until somebody listens."""
    (MEETING / f"{name}.here").open("w").close()


def wait_for_release(name: str) -> None:
    """Wait until the test lets this point go on."""
    (MEETING / f"{name}.go").open().close()


def meet(name: str) -> None:
    arrive(name)
    wait_for_release(name)


@op
def one() -> int:
    print("one says hello")
    return 1


@op
def double(context: Any, number: int) -> int:
    context.log.info("doubling %d", number)
    return number * 2


@op(out=DynamicOut(int))
def several(number: int) -> Iterator[DynamicOutput[int]]:
    for index in range(3):
        yield DynamicOutput(number + index, mapping_key=f"k{index}")


@op
def total(numbers: list[int]) -> int:
    return sum(numbers)


@job
def dynamic() -> None:
    total(several(one()).map(double).collect())


@op
def held(context: Any) -> int:
    print("held is at work", flush=False)
    print("held complains", file=sys.stderr)
    context.log.info("in the middle")
    try:
        meet("held")
    finally:
        (MEETING / "held.cleaned").touch()
    return 1


@failure_hook
def on_failure(context: Any) -> None:
    (MEETING / "hook.ran").touch()


@job(hooks={on_failure})
def holding() -> None:
    double(held())
    one()


@op
def with_helper_process() -> int:
    helper = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    meet("helped")
    helper.communicate()
    return 1


@job
def helped() -> None:
    with_helper_process()


@op(retry_policy=RetryPolicy(max_retries=2))
def second_time_lucky(context: Any) -> int:
    if context.retry_number < 2:
        raise ValueError(f"attempt {context.retry_number}")
    return 7


@op(retry_policy=RetryPolicy(max_retries=2))
def killed(context: Any) -> int:
    if context.retry_number == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if context.retry_number == 1:
        os._exit(9)
    retry: int = context.retry_number
    return retry


@op(retry_policy=RetryPolicy(max_retries=1))
def always_killed() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


@job
def dying() -> None:
    killed()
    always_killed()


@op
def odd(context: Any) -> int:
    context.log.info("the file %s", os.fsdecode(b"caf\xe9"))
    context.add_output_metadata({"size": 2**70})
    return 1


@job
def odd_values() -> None:
    odd()


@op
def closes_stdout() -> int:
    sys.stdout.close()
    return 1


@job
def silenced() -> None:
    double(closes_stdout())
    held()


@op
def asks_for_retry(context: Any) -> int:
    if not context.retry_number:
        raise RetryRequested(max_retries=1, seconds_to_wait=0.05) from ValueError("not yet")
    return 8


@job
def retrying() -> None:
    second_time_lucky()
    asks_for_retry()


@op(out={"a": Out(is_required=False), "b": Out(is_required=False)})
def choose() -> Iterator[Output[int]]:
    yield Output(1, "a")


@op
def broken(number: int) -> int:
    raise KeyError("user's own error")


@job
def mixed() -> None:
    a, b = choose()
    double.alias("after_a")(a)
    double.alias("after_b")(b)
    double.alias("after_broken")(broken(a))


@op
def deaf() -> None:
    """Does not let itself be interrupted."""
    arrive("held")
    while True:
        with contextlib.suppress(BaseException):
            wait_for_release("held")


@job
def stubborn() -> None:
    deaf()


@job(executor_def=in_process_executor)
def in_one_process() -> None:
    double(held())


@op(config_schema={"size": int})
def configured(context: Any) -> int:
    size: int = context.op_config["size"]
    return size


@job(executor_def=multiprocess_executor)
def needs_config() -> None:
    configured()


OUTSIDE = """
import os, signal, sys
from pathlib import Path
from penstock_pipes import open_penstock_pipes

class Stopped(BaseException):
    pass

def stop(number, frame):
    (home / "outside.asked").touch()
    if not deaf:
        raise Stopped

signal.signal(signal.SIGTERM, stop)
with open_penstock_pipes() as pipes:
    home, deaf = Path(pipes.get_extra("home")), pipes.get_extra("deaf")
    (home / "outside.pid").write_text(str(os.getpid()))
    print("outside is at work", flush=True)
    pipes.log.info("outside has begun")
    (home / "held.here").open("w").close()
    while True:
        try:
            (home / "held.go").open().close()
            break
        except InterruptedError:
            pass
    pipes.report_custom_message({"is": "done"})
"""


@op(config_schema={"deaf": bool, "forward": bool})
def outside(context: Any) -> Any:
    config = context.op_config
    client = PipesSubprocessClient(forward_termination=config["forward"], termination_timeout_seconds=0.2)
    extras = {"home": str(MEETING), "deaf": config["deaf"]}
    done = client.run(context=context, command=[sys.executable, "-c", OUTSIDE], extras=extras)
    return done.get_custom_messages()


@job
def piped() -> None:
    outside()


@job(executor_def=in_process_executor)
def piped_in_one_process() -> None:
    outside()


defs = Definitions(
    jobs=[
        piped,
        piped_in_one_process,
        silenced,
        dying,
        odd_values,
        dynamic,
        holding,
        helped,
        retrying,
        mixed,
        stubborn,
        in_one_process,
        needs_config,
    ]
)


@op
def twice(number: int) -> int:
    return number * 2


@asset(code_version="1")
def base() -> int:
    return 2


@graph_asset(code_version="1")
def grown(base: int) -> Any:
    return twice.alias("again")(twice(base))


@observable_source_asset
def feed() -> DataVersion:
    return DataVersion("7")


@asset_check(asset=grown)
def is_eight(grown: int) -> AssetCheckResult:
    return AssetCheckResult(passed=grown == 8)


defs = Definitions.merge(
    defs,
    Definitions(
        assets=[base, grown, feed],
        asset_checks=[is_eight],
        jobs=[define_asset_job("assets_of_all_kinds", AssetSelection.all(include_sources=True))],
    ),
)


def main() -> int:
    from penstock.codec import decode_json
    from penstock.execution import lease, multiprocess, worker
    from penstock.execution.environment import Environment
    from penstock.logs.local import LocalLogStore
    from penstock.records.run import Run
    from penstock.storage.sqlite.storage import SqliteStorage

    database, home, run, *channel = sys.argv[1:]
    if os.environ.get("WITH_THREAD"):
        threading.Thread(target=threading.Event().wait, name="lively", daemon=True).start()
    multiprocess.GRACE = float(os.environ.get("GRACE", multiprocess.GRACE))
    worker.OUTAGE = float(os.environ.get("OUTAGE", worker.OUTAGE))
    lease.RENEWAL = float(os.environ.get("RENEWAL", lease.RENEWAL))
    environment = Environment(
        storage=SqliteStorage(Path(database)),
        logs=LocalLogStore(Path(home, "logs")),
        artifacts=Path(home, "storage"),
    )
    connected = socket.socket(fileno=int(channel[0])) if channel else None
    return worker.execute_run(defs, decode_json(run, Run), environment, connected)


if __name__ == "__main__":
    sys.exit(main())
