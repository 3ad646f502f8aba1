"""User code of the executor tests, and the process that works as a run worker on it.

As a program: `executors_user_code.py DATABASE HOME RUN [CHANNEL]`, where RUN is the run as JSON and CHANNEL an
inherited socket. Steps meet the test at named pipes: a step says that it has come so far, and waits until it may go on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from penstock.config.fields import Field
from penstock.config.mapping import ConfigMapping
from penstock.definitions.assets.asset import asset
from penstock.definitions.assets.asset_check import asset_check
from penstock.definitions.assets.graph_asset import graph_asset
from penstock.definitions.assets.job import define_asset_job
from penstock.definitions.assets.observe import observable_source_asset
from penstock.definitions.assets.selection import AssetSelection
from penstock.definitions.definitions import Definitions
from penstock.definitions.events import AssetCheckResult, DynamicOutput, Output, RetryRequested
from penstock.definitions.executors import (
    Executor,
    async_executor,
    executor,
    in_process_executor,
    multiprocess_executor,
)
from penstock.definitions.loggers import logger
from penstock.definitions.ops.hooks import failure_hook
from penstock.definitions.ops.job import job
from penstock.definitions.ops.op import op
from penstock.definitions.ops.ports import DynamicOut, In, Out
from penstock.definitions.ops.retry import RetryPolicy
from penstock.definitions.ops.type_loader import type_loader
from penstock.definitions.ops.types import Nothing
from penstock.definitions.ops.value_type import TypeCheck, ValueType
from penstock.definitions.resources.configurable import ConfigurableResource
from penstock.definitions.resources.configurable_io import ConfigurableIOManager
from penstock.definitions.resources.file_manager import local_file_manager
from penstock.definitions.resources.input_manager import input_manager
from penstock.definitions.resources.resource import ResourceDefinition
from penstock.definitions.resources.stores import mem_io_manager
from penstock.definitions.resources.upath import UPathIOManager
from penstock.execution.pipes.subprocess_client import PipesSubprocessClient
from penstock.execution.process_launcher import ProcessStepLauncher
from penstock.execution.step_launcher import LaunchingExecutor, StepCheck
from penstock.execution.step_order import StepOrder
from penstock.records.code_target import CodeTarget
from penstock.records.data_version import DataVersion
from penstock.records.event import EngineNote

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


@op(out=DynamicOut(int))
def pair() -> Iterator[DynamicOutput[int]]:
    print("a pair")
    yield DynamicOutput(1, mapping_key="k0")
    yield DynamicOutput(2, mapping_key="k1")


@job
def paired() -> None:
    total(pair().map(double).collect())


@job
def dynamic() -> None:
    total(several(one()).map(double).collect())


@op
def leaves_slowly() -> int:
    leave = os._exit

    def slowly(code: int) -> None:
        meet("leaving")
        leave(code)

    os._exit = slowly  # type: ignore[assignment]  # called once it has told its end
    return os.getpid()


@op
def next_in_line(before: int) -> bool:
    return Path(f"/proc/{before}").exists()


@op
def was_alone(met: bool) -> None:
    assert not met


@job
def in_line() -> None:
    was_alone(next_in_line(leaves_slowly()))


@op
def held(context: Any) -> int:
    print("held is at work", flush=False)
    print("held complains", file=sys.stderr)
    context.log.info("in the middle")
    try:
        meet("held")
    except BaseException:
        context.log.info("last words")
        raise
    finally:
        (MEETING / "held.cleaned").touch()
    return 1


@op
async def held_in_a_loop() -> int:
    print("held is at work\n", end="", flush=False)  # at once: the other step, in a thread of its own, prints too
    try:
        await asyncio.to_thread(arrive, "held")
        await asyncio.Event().wait()
    finally:
        (MEETING / "held.cleaned").touch()
    return 1


@job(executor_def=async_executor)
def in_one_loop() -> None:
    double(held_in_a_loop())
    one()


@failure_hook
def on_failure(context: Any) -> None:
    (MEETING / "hook.ran").touch()


@job(hooks={on_failure})
def holding() -> None:
    double(held())
    one()


@op(ins={"after": In(Nothing)})
def next_one() -> None:
    pass


@op(ins={"after": In(Nothing)})
def large() -> None:
    bytearray(8 << 20).find(b"x")


@job
def five_in_a_row() -> None:
    first = one()
    second = next_one.alias("second")(first)
    third = large.alias("third")(second)
    next_one.alias("fifth")(next_one.alias("fourth")(third))


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


class Even:
    def __init__(self, number: int) -> None:
        self.number = number


@type_loader({"half": int}, required_resource_keys={"factor"})
def load_even(context: Any, config: dict[str, Any]) -> Even:
    return Even(config["half"] * context.resources.factor)


def is_even(context: Any, value: Any) -> TypeCheck:
    context.log.info("checking %d", value.number)
    return TypeCheck(value.number % context.resources.factor == 0, metadata={"number": value.number})


@op(ins={"given": In(ValueType(is_even, name="Even", loader=load_even, required_resource_keys={"factor"}))})
def take_even(context: Any, given: Even) -> int:
    return given.number + int(context.op_config["plus"])


def simple(given: dict[str, Any]) -> dict[str, Any]:
    plus = {"config": {"plus": 1}, "inputs": {"given": {"half": given["half"]}}}
    return {"ops": {"take_even": plus}, "execution": {"config": {"max_concurrent": 1}}}


@job(
    executor_def=multiprocess_executor,
    config=ConfigMapping(simple, config_schema={"half": int}),
    resource_defs={"factor": ResourceDefinition.hardcoded_resource(2)},
)
def mapped() -> None:
    take_even()


class Counter(ConfigurableResource):
    step: int = 1


class TextFiles(ConfigurableIOManager, UPathIOManager):
    """Files in the meeting place, one a value, with a note of what it was told."""

    extension: str | None = ".txt"
    counter: Counter

    @classmethod
    def output_config_schema(cls) -> Any:
        return {"note": Field(str, default_value="none")}

    @property
    def _base_path(self) -> Path:
        return MEETING / "values"

    def dump_to_path(self, context: Any, obj: Any, path: Any) -> None:
        path.write_text(f"{obj + self.counter.step} {context.config['note']}")

    def load_from_path(self, context: Any, path: Any) -> int:
        return int(path.read_text().split()[0])


@input_manager(input_config_schema={"text": str})
def read_text(context: Any) -> str:
    return str(context.config["text"])


@op(ins={"text": In(input_manager_key="read_text")}, required_resource_keys={"files"})
def annotate(context: Any, number: int, text: str, counter: Counter) -> Any:
    handle = context.resources.files.write_data(f"{text} {number}".encode())
    context.log.info("wrote %s", handle.path)
    return counter.step * number


_counter = Counter.configure_at_launch()


@job(
    resource_defs={
        "io_manager": TextFiles.configure_at_launch(counter=_counter),
        "counter": _counter,
        "read_text": read_text,
        "files": local_file_manager,
    }
)
def stores() -> None:
    annotate(one())


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


@op(timeout=0.1)
def late() -> None:
    threading.Event().wait()


@op(timeout=0.1, retry_policy=RetryPolicy(max_retries=1))
def deaf_and_late() -> None:
    with contextlib.suppress(OSError):
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])  # as code in C may keep signals from Python
    threading.Event().wait()


@job
def overdue() -> None:
    late()
    deaf_and_late()


class OneAfterAnother(Executor):
    def __init__(self, note: str) -> None:
        self.note = note

    def execute(self, plan_context: Any, execution_plan: Any) -> Iterator[Any]:
        for step in plan_context.steps():
            plan_context.run_step(step)
            yield EngineNote(message=f"{self.note} {step.key}")


@executor(name="noting", config_schema={"note": str})
def noting(context: Any) -> Executor:
    return OneAfterAnother(context.executor_config["note"])


@job(executor_def=noting, config={"execution": {"config": {"note": "ran"}}})
def noted() -> None:
    total(several(one()).map(double).collect())


@job(executor_def=noting, config={"execution": {"config": {"note": "ran"}}})
def held_by_noting() -> None:
    held()


def note_work(step: str) -> None:
    """Leave a line for each time that a step's function was called, which no log of ours can make up."""
    with (MEETING / "work.txt").open("a") as lines:
        lines.write(f"{step}\n")


@op
def worked() -> int:
    note_work("worked")
    return 1


@op
def held_work(number: int) -> int:
    note_work("held_work")
    meet("held")
    return number + 1


@op(out={"given": Out(int, is_required=False), "left_out": Out(int, is_required=False)})
def chosen(number: int) -> Iterator[Output[int]]:
    note_work("chosen")
    yield Output(number, "given")


@op
def summed(numbers: list[int]) -> int:
    note_work("summed")
    (MEETING / "sum.txt").write_text(str(sum(numbers)))
    return sum(numbers)


@op
def always_broken(number: int) -> int:
    note_work("always_broken")
    raise ValueError("it never works")


def work_to_resume() -> None:
    first = worked()
    given, left_out = chosen(first)
    double.alias("left")(left_out)
    double.alias("after_broken")(always_broken(given))
    summed([held_work(first), first])


resumed_in_processes = job(name="resumed_in_processes")(work_to_resume)
resumed_in_one_process = job(name="resumed_in_one_process", executor_def=in_process_executor)(work_to_resume)
resumed_by_noting = job(
    name="resumed_by_noting", executor_def=noting, config={"execution": {"config": {"note": "ran"}}}
)(work_to_resume)
resumed_without_values = job(
    name="resumed_without_values", executor_def=in_process_executor, resource_defs={"io_manager": mem_io_manager}
)(work_to_resume)


@op
def mapped_work(number: int) -> int:
    note_work(f"mapped_work {number}")
    if number == 2:
        meet("held")
    return number * 10


@job
def resumed_dynamic() -> None:
    summed(several(worked()).map(mapped_work).collect())


@op(retry_policy=RetryPolicy(max_retries=1))
def worker_killer(context: Any) -> int:
    note_work(f"worker_killer {context.retry_number}")
    if context.retry_number == 0:
        raise ValueError("first the code's own failure")
    meet("held")
    return 1


@job
def resumed_retry() -> None:
    worker_killer()


@op
def waits_long() -> int:
    note_work("waits_long")
    raise RetryRequested(max_retries=1, seconds_to_wait=3600)


def wait_long() -> None:
    double(waits_long())


waiting_in_processes = job(name="waiting_in_processes")(wait_long)
waiting_in_one_process = job(name="waiting_in_one_process", executor_def=in_process_executor)(wait_long)


class AppendLines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        with Path(MEETING, "lines").open("a") as file:
            file.write(f"{os.getpid()} {record.getMessage()}\n")


@logger(str)
def to_file(context: Any) -> logging.Logger:
    made = logging.Logger(context.logger_config)
    made.addHandler(AppendLines())
    return made


@job(logger_defs={"file": to_file}, config={"loggers": {"file": {"config": "lines"}}})
def logged() -> None:
    double(one())


class BrokenLauncher(ProcessStepLauncher):
    """Fails as a launcher may whose other side is away."""

    def launch(self, order: StepOrder) -> None:
        if order.start.step == "killed" and not order.start.retry:
            raise ConnectionError("nobody is there")
        super().launch(order)

    def check(self, order: StepOrder) -> StepCheck:
        if not (MEETING / "checked").exists():
            (MEETING / "checked").touch()
            raise ConnectionError("nobody answers")
        return super().check(order)


@executor(name="launching")
def launching(context: Any) -> LaunchingExecutor:
    kind = BrokenLauncher if os.environ["LAUNCHED"] == "broken" else ProcessStepLauncher
    return LaunchingExecutor(kind(MEETING / "steps"), max_concurrent=2)


defs = Definitions(
    executor=launching if os.environ.get("LAUNCHED") else None,
    jobs=[
        stores,
        overdue,
        noted,
        held_by_noting,
        logged,
        piped,
        piped_in_one_process,
        silenced,
        dying,
        odd_values,
        dynamic,
        in_line,
        holding,
        five_in_a_row,
        paired,
        in_one_loop,
        helped,
        retrying,
        mixed,
        stubborn,
        in_one_process,
        needs_config,
        mapped,
        resumed_in_processes,
        resumed_in_one_process,
        resumed_by_noting,
        resumed_without_values,
        resumed_dynamic,
        waiting_in_processes,
        waiting_in_one_process,
        resumed_retry,
    ],
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


@asset(code_version="1")
def made_before() -> int:
    note_work("made_before")
    return 2


@asset(code_version="1")
def made_after(made_before: int) -> int:
    note_work("made_after")
    meet("held")
    return made_before * 2


@asset
def left_out(made_after: int) -> int:
    note_work("left_out")
    return made_after


_resumed = AssetSelection.assets("made_before", "made_after", "left_out")

defs = Definitions.merge(
    defs,
    Definitions(
        assets=[base, grown, feed, made_before, made_after, left_out],
        asset_checks=[is_eight],
        jobs=[
            define_asset_job("assets_of_all_kinds", AssetSelection.all(include_sources=True) - _resumed),
            define_asset_job("resumed_assets", _resumed),
        ],
    ),
)


def main() -> int:
    from penstock.codec import decode_json
    from penstock.execution import child, driver, lease, worker
    from penstock.execution.environment import Environment
    from penstock.execution.step_order import Elsewhere, LocationSource
    from penstock.instance.reference import InstanceRef
    from penstock.instance.settings import Settings
    from penstock.logs.local import LocalLogStore
    from penstock.records.run import Run
    from penstock.storage.sqlite.storage import SqliteStorage

    database, home, run, *channel = sys.argv[1:]
    if os.environ.get("WITH_THREAD"):
        threading.Thread(target=threading.Event().wait, name="lively", daemon=True).start()
    driver.GRACE = float(os.environ.get("GRACE", driver.GRACE))
    child.MOST_ATTEMPTS = int(os.environ.get("MOST_ATTEMPTS", child.MOST_ATTEMPTS))
    child.MOST_GROWTH = int(os.environ.get("MOST_GROWTH", child.MOST_GROWTH))
    worker.OUTAGE = float(os.environ.get("OUTAGE", worker.OUTAGE))
    lease.RENEWAL = float(os.environ.get("RENEWAL", lease.RENEWAL))
    elsewhere = Elsewhere(
        code=LocationSource(target=CodeTarget(python_file=__file__, attribute="defs")),
        instance=decode_json(InstanceRef(home=home, settings=Settings()).encode(), dict),
    )
    environment = Environment(
        elsewhere=None if os.environ.get("ALONE") else elsewhere,
        storage=SqliteStorage(Path(database)),
        logs=LocalLogStore(Path(home, "logs")),
        artifacts=Path(home, "storage"),
    )
    connected = socket.socket(fileno=int(channel[0])) if channel else None
    return worker.execute_run(defs, decode_json(run, Run), environment, connected)


if __name__ == "__main__":
    sys.exit(main())
