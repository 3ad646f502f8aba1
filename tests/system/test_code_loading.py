"""User code that ends or blocks the process that imports it, and zygotes that are worn: what is served meanwhile."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from penstock.records.run import RunStatus
from penstock.records.wire import LoadStatus, LocationState
from support.deployment import alive
from support.served_code import LIMIT, ServedCode, served

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

GOOD = """
from penstock import Definitions, RunRequest, job, op, sensor

@op
def hello():
    pass

@job
def quick():
    hello()

@sensor(job=quick)
def news(context):
    return RunRequest(run_key="worked")

defs = Definitions(jobs=[quick], sensors=[news])
"""

# As long as a busy machine may need to start a process that imports nothing; the test that hangs waits for all of it.
SHORT = "code_servers: {reload_timeout: 20}\n"


def line_of(state: LocationState) -> str:
    """The innermost line of the user's that the error shows."""
    assert state.error is not None
    return [frame.code for frame in state.error.frames if frame.file.endswith("shop.py")][-1]


CRASHES = {
    "a fault": ("import ctypes\nctypes.string_at(0)\n", "SIGSEGV", "ctypes.string_at(0)"),
    "killed": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n", "SIGKILL", None),
    "an exit": ("import os\nos._exit(7)\n", "exit code 7", None),
    "an endless wait": ("import signal\nsignal.pause()\n", "did not load within 20 seconds", "signal.pause()"),
}


@pytest.mark.parametrize("what", CRASHES)
def test_a_crash_at_import_keeps_the_good_code_and_heals_by_itself(what: str) -> None:
    crash, says, line = CRASHES[what]
    with served(GOOD, settings=SHORT) as code:
        good = code.loaded()
        assert good.status is LoadStatus.LOADED
        code.file.write_text(crash)
        bad = code.client.reload()
        assert bad.status is LoadStatus.FAILED
        assert bad.digest == good.digest
        assert bad.error is not None
        assert says in bad.error.message
        if line is not None:
            assert line in line_of(bad)
        assert [request.run_key for request in code.evaluate("news").run_requests] == ["worked"]
        assert code.finished(code.launch("quick")).status is RunStatus.SUCCESS
        code.file.write_text(GOOD + "\n# corrected\n")
        until_loaded(code)


def test_a_crash_that_passes_is_got_over_without_anybody_s_help() -> None:
    once = "import os\nif not os.path.exists('been_here'):\n    open('been_here', 'w').close()\n    os._exit(7)\n"
    with served(once + GOOD) as code:
        until_loaded(code)
        assert code.errors.read_text().count("exit code 7") == 1
        assert code.finished(code.launch("quick")).status is RunStatus.SUCCESS


def until_loaded(code: ServedCode) -> None:
    state = code.loaded()
    while state.status is not LoadStatus.LOADED:
        state = code.loaded(after=state.version)


def test_code_that_raises_is_loaded_again_once_it_is_corrected_and_not_before() -> None:
    with served("raise OSError('the database is away')\n") as code:
        broken = code.loaded()
        assert broken.status is LoadStatus.FAILED
        assert line_of(broken) == "raise OSError('the database is away')"
        code.file.write_text(GOOD)
        until_loaded(code)
        # One load that failed, one that did not: each begins and ends with a change, and names its stages between.
        loads = code.errors.read_text().count("could not be loaded")
        assert loads == 1


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ("code_servers: {renew_after_forks: 5}\n", GOOD),
        (
            "code_servers: {renew_after_growth_mb: 8}\n",
            GOOD
            + "import os\nkept = []\nos.register_at_fork(after_in_parent=lambda: kept.append(os.urandom(3 << 20)))\n",
        ),
    ],
    ids=["forks", "growth"],
)
def test_a_worn_zygote_is_replaced_and_no_launch_is_lost(settings: str, code: str) -> None:
    with served(code, settings=settings) as place:
        place.loaded()
        runs = []
        while place.errors.read_text().count("is renewed") < 2:
            runs += [place.launch("quick") for _ in range(3)]
            assert [request.run_key for request in place.evaluate("news").run_requests] == ["worked"]
            assert len(runs) < 200, place.errors.read_text()
            place.finished(runs[-1])
        for run_id in runs:
            assert place.finished(run_id).status is RunStatus.SUCCESS
            assert place.notes(run_id) == ""
        assert place.loaded().status is LoadStatus.LOADED


def own_megabytes(pid: int) -> float:
    """What a process shares with no other, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return (sizes["Private_Clean"] + sizes["Private_Dirty"]) / 1024


LARGE = """
import os
from pathlib import Path
from penstock import Config, Definitions, in_process_executor, job, op

rows = [{"id": i, "name": f"name {i}"} for i in range(300_000)]

class Gate(Config):
    gate: str

@op
def waits(config: Gate):
    Path(config.gate + ".pid").write_text(str(os.getpid()))
    Path(config.gate).read_text()

@job
def forked():
    waits()

@job(executor_def=in_process_executor)
def in_process():
    waits()

defs = Definitions(jobs=[forked, in_process])
"""


@pytest.mark.parametrize("job", ["forked", "in_process"])
def test_runs_and_steps_share_the_memory_of_what_was_imported(job: str) -> None:
    with served(LARGE) as code:
        code.loaded()
        (zygote,) = [pid for pid, line in code.processes().items() if "instance.zygote" in line]
        large = own_megabytes(zygote)
        assert large > 80, "the location is not large: this test tests nothing"
        gate = code.folder / "gate"
        os.mkfifo(gate)
        run_id = code.launch(job, ops={"waits": {"config": {"gate": str(gate)}}})
        told = code.folder / "gate.pid"
        step = code.wait("the step", lambda: int(told.read_text() or "0") or None if told.exists() else None)
        assert own_megabytes(step) < large / 3
        gate.write_text("go")
        assert code.finished(run_id).status is RunStatus.SUCCESS


def test_what_user_code_started_at_import_ends_with_its_zygote() -> None:
    with served(GOOD + "import subprocess\nchild = subprocess.Popen(['sleep', '1000'])\nprint(child.pid)\n") as code:
        code.loaded()
        (sleeper,) = [pid for pid, line in code.processes().items() if line.startswith("sleep")]
        (zygote,) = [pid for pid, line in code.processes().items() if "instance.zygote" in line]
        state = code.loaded()
        os.kill(zygote, signal.SIGKILL)
        until_loaded_anew(code, state)
        code.wait("the end of what was started", lambda: None if alive(sleeper) else True)


def until_loaded_anew(code: ServedCode, before: LocationState) -> None:
    state = code.loaded(after=before.version)
    while state.status is not LoadStatus.LOADED:
        state = code.loaded(after=state.version)


SPAWN = "code_servers: {start_method: spawn}\n"


@pytest.mark.parametrize("settings", ["", SPAWN])
def test_a_file_may_have_the_name_of_a_module_that_we_need(settings: str) -> None:
    with served(GOOD, name="string.py", settings=settings) as code:
        assert code.loaded().status is LoadStatus.LOADED
        assert [request.run_key for request in code.evaluate("news").run_requests] == ["worked"]
        run_id = code.launch("quick")
        assert code.finished(run_id).status is RunStatus.SUCCESS, code.facts(run_id)


def test_without_forks_processes_are_kept_ready_and_renewed_with_the_code() -> None:
    with served(GOOD, settings=SPAWN) as code:
        code.loaded()

        def ready() -> list[int] | None:
            found = [pid for pid, line in code.processes().items() if "penstock.instance.fresh" in line]
            return found if len(found) == 2 else None

        killed = code.wait("two processes", ready)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        code.wait("their end", lambda: None if any(alive(pid) for pid in killed) else True)
        assert [request.run_key for request in code.evaluate("news").run_requests] == ["worked"]
        first = code.wait("two others", ready)
        assert [request.run_key for request in code.evaluate("news").run_requests] == ["worked"]
        run_id = code.launch("quick")
        assert code.finished(run_id).status is RunStatus.SUCCESS
        assert 'start_method is "spawn"' in code.notes(run_id)
        code.file.write_text(GOOD.replace('"worked"', '"newer"'))
        assert code.client.reload().status is LoadStatus.LOADED
        assert [request.run_key for request in code.evaluate("news").run_requests] == ["newer"]
        code.wait("other processes", lambda: True if not set(first) & set(ready() or first) else None)
        code.process.send_signal(signal.SIGTERM)
        assert code.process.wait(LIMIT) == 0
        code.wait("the end of all", lambda: None if code.processes() else True)
