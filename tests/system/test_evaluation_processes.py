"""Processes that evaluate one work after another: which are used again, which are not, and that none is left."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from penstock.records.wire import CheckRunConfig, EvaluateSensor, Evaluation
from support.served_code import ServedCode, served, wait_for_end_of

pytestmark = pytest.mark.system

CODE = """
import asyncio, os, random, signal, subprocess, threading, time
from penstock import Definitions, SkipReason, job, op, sensor

@op
def nothing():
    pass

@job
def quiet():
    nothing()

COUNTED = []
NEVER = threading.Event()
SENSORS = []

def evaluated(function):
    @sensor(name=function.__name__, job=quiet)
    def that(_context):
        return SkipReason(f"{os.getpid()} {function() or ''}")

    SENSORS.append(that)

@evaluated
def looks():
    COUNTED.append(1)
    return len(COUNTED)

@evaluated
def draws():
    return random.random()

@evaluated
def raises():
    raise ValueError(os.getpid())

@evaluated
def exits():
    raise SystemExit(os.getpid())

@evaluated
def runs_a_loop():
    asyncio.run(asyncio.sleep(0))

@evaluated
def waits_for_threads():
    thread = threading.Thread(target=COUNTED.copy)
    thread.start()
    thread.join()

@evaluated
def leaves_a_thread():
    threading.Thread(target=NEVER.wait, daemon=True).start()

@evaluated
def leaves_a_process():
    return subprocess.Popen(["sleep", "600"]).pid

@evaluated
def leaves_a_daemon():
    return int(subprocess.run("setsid sleep 600 >/dev/null 2>&1 & echo $!", shell=True, capture_output=True).stdout)

@evaluated
def leaves_a_loop():
    COUNTED.append(asyncio.new_event_loop())

@evaluated
def goes_elsewhere():
    os.chdir("/")

@evaluated
def sets_a_variable():
    os.environ["LEFT"] = "yes"

@evaluated
def handles_a_signal():
    signal.signal(signal.SIGUSR1, lambda *_: None)

@evaluated
def blocks_a_signal():
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})

@evaluated
def sets_a_timer():
    signal.setitimer(signal.ITIMER_VIRTUAL, 600)

@evaluated
def is_large():
    COUNTED.append(b"x" * (100 << 20))

@evaluated
def hangs():
    time.sleep(600)

@evaluated
def swallows_all():
    try:
        time.sleep(600)
    except BaseException:
        pass

defs = Definitions(jobs=[quiet], sensors=SENSORS)
"""


@pytest.fixture(scope="module")
def shared() -> Iterator[ServedCode]:
    """A server that is not harmed."""
    with served(CODE) as code:
        code.loaded()
        yield code


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[ServedCode]:
    with served(CODE, settings=getattr(request, "param", "")) as code:
        code.loaded()
        yield code


def words(evaluation: Evaluation) -> list[str]:
    assert evaluation.skip_reason is not None, evaluation.error
    return evaluation.skip_reason.split()


def pid_of(server: ServedCode, sensor: str = "looks") -> int:
    """The process that evaluated it."""
    return int(words(server.evaluate(sensor))[0])


def test_evaluations_follow_each_other_in_one_process(shared: ServedCode) -> None:
    first, second = (words(shared.evaluate("looks")) for _ in range(2))
    assert first[0] == second[0]
    assert int(second[1]) == int(first[1]) + 1, "what a module holds is still there"


def test_a_config_check_uses_the_same_processes(shared: ServedCode) -> None:
    before = pid_of(shared)
    assert shared.client.check_config(CheckRunConfig(job="quiet", run_config={})).problems == ()
    assert pid_of(shared) == before


def test_random_numbers_do_not_repeat(shared: ServedCode) -> None:
    drawn = [words(shared.evaluate("draws")) for _ in range(3)]
    assert len({number for _pid, number in drawn}) == 3


@pytest.mark.parametrize("sensor", ["runs_a_loop", "waits_for_threads"])
def test_what_is_over_does_not_count(shared: ServedCode, sensor: str) -> None:
    assert pid_of(shared, sensor) == pid_of(shared)


def test_an_error_of_user_code_alone_does_not_end_the_process(shared: ServedCode) -> None:
    error = shared.evaluate("raises").error
    assert error is not None
    assert error.root().message == str(pid_of(shared))


@pytest.mark.parametrize(
    "sensor",
    [
        *("leaves_a_thread", "leaves_a_process", "leaves_a_daemon", "leaves_a_loop", "goes_elsewhere"),
        *("sets_a_variable", "handles_a_signal", "blocks_a_signal", "sets_a_timer", "is_large"),
    ],
)
def test_a_process_that_is_not_as_it_was_ends_with_all_that_it_has_left(shared: ServedCode, sensor: str) -> None:
    pid, *left = words(shared.evaluate(sensor))
    assert pid_of(shared) != int(pid)
    for each in (pid, *left):
        wait_for_end_of(int(each))


@pytest.mark.parametrize(("sensor", "cls"), [("hangs", "TimeLimitExceededError"), ("swallows_all", None)])
def test_a_process_that_was_interrupted_ends(shared: ServedCode, sensor: str, cls: str | None) -> None:
    before = pid_of(shared)
    error = shared.client.evaluate(EvaluateSensor(name=sensor, due=1.0, timeout=0.1)).error
    assert (error.cls if error is not None else None) == cls
    wait_for_end_of(before)
    assert pid_of(shared) != before


def test_a_process_that_was_told_to_exit_ends(shared: ServedCode) -> None:
    error = shared.evaluate("exits").error
    assert error is not None
    wait_for_end_of(int(error.root().message))


def test_why_a_process_is_not_used_again_is_told_once(server: ServedCode) -> None:
    for _ in range(2):
        pid_of(server, "goes_elsewhere")
    pid_of(server, "leaves_a_thread")
    told = server.errors.read_text()
    assert told.count("sensor 'goes_elsewhere' takes no other work, since it changed the working directory") == 1
    assert "sensor 'leaves_a_thread' takes no other work, since it left threads" in told


def test_an_idle_process_that_dies_is_replaced(shared: ServedCode) -> None:
    before = pid_of(shared)
    os.kill(before, signal.SIGKILL)
    assert pid_of(shared) != before


def test_code_that_is_loaded_anew_gets_new_processes(server: ServedCode) -> None:
    before = pid_of(server)
    server.client.reload()
    assert pid_of(server) != before
    wait_for_end_of(before)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_its_server(server: ServedCode, number: signal.Signals) -> None:
    idle = pid_of(server)
    server.process.send_signal(number)
    wait_for_end_of(idle)


@pytest.mark.parametrize("server", ["code_servers: {evaluations_per_process: 2}\n"], indirect=True)
def test_after_so_many_evaluations_a_process_is_replaced(server: ServedCode) -> None:
    assert max(int(words(server.evaluate("looks"))[1]) for _ in range(5)) == 2


@pytest.mark.parametrize("server", ["code_servers: {evaluations_per_process: 1}\n"], indirect=True)
def test_each_evaluation_may_have_a_process_of_its_own(server: ServedCode) -> None:
    assert len({pid_of(server) for _ in range(3)}) == 3
