"""A code server as people run it: real processes, killed in every way, and the truth in the storage afterwards."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.errors import CodeServerUnreachableError, SettingsError
from penstock.ids import new_run_id
from penstock.instance.instance import Instance
from penstock.locations.client import CodeServerClient
from penstock.locations.host import LocationHost, fault_of_remote
from penstock.locations.origin import LocationOrigin
from penstock.locations.workspace import origins_from_options
from penstock.records.event import AssetMaterialization, EngineNote, RunCanceling, RunFailure
from penstock.records.run import Run, RunStatus
from penstock.records.wire import (
    CheckRunConfig,
    EvaluatePartitions,
    EvaluateSensor,
    LaunchAnswer,
    LoadStatus,
    LocationState,
)
from penstock.storage.protocols import NewRun
from support.served_code import wait_for_end_of

pytestmark = pytest.mark.system

LIMIT = 20.0
"""Seconds after which a test gives up waiting; nothing here takes a tenth of it on an idle machine."""

CODE = '''
import os, signal, time
from pathlib import Path
from penstock import (
    AssetMaterialization,
    Config,
    Definitions,
    MultiPartitionsDefinition,
    RunRequest,
    SkipReason,
    StaticPartitionsDefinition,
    in_process_executor,
    job,
    op,
    partitioned_config,
    sensor,
)

class Gate(Config):
    path: str

@op
def hello():
    print("hello from the step")

@op
def wait_at(config: Gate):
    """Until somebody writes into the named pipe."""
    Path(config.path).read_text()

@job
def quick():
    hello()

@job
def gated():
    wait_at()

@job(executor_def=in_process_executor)
def gated_in_process():
    wait_at()

CELLS = MultiPartitionsDefinition(
    {"day": StaticPartitionsDefinition(["mon", "tue"]), "shop": StaticPartitionsDefinition(["x", "y"])}
)

@partitioned_config(CELLS, tags_for_partition_key_fn=lambda key: {"shop": key.keys_by_dimension["shop"]})
def by_cell(key):
    return {"ops": {"cell": {"config": {"path": "config of " + key}}}}

@op
def cell(context, config: Gate):
    context.log_event(AssetMaterialization("cells", description=config.path, partition=context.partition_key))

@job(config=by_cell)
def celled():
    cell()

@sensor(job=quick)
def news(context):
    return RunRequest(run_key=context.cursor)

@sensor(job=quick)
def hung(context):
    time.sleep(60)

@sensor(job=quick)
def stuck(context):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    time.sleep(60)

@sensor(job=quick)
def dies(context):
    os.kill(os.getpid(), signal.SIGKILL)

defs = Definitions(jobs=[quick, gated, gated_in_process, celled], sensors=[news, hung, stuck, dies])
'''


NOT_RESUMED = {"penstock/max_resume_run_attempts": "0"}


class Place:
    """An instance in a folder with a short path, its user code, and the code servers started for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "shop.py"
        self.file.write_text(CODE)
        self.instance = Instance.open(folder / "home")
        self.changes = self.instance.storage.notifier.subscribe()
        self.servers: list[Server] = []

    def serve(self, *flags: str, environ: dict[str, str] | None = None, keep: tuple[int, ...] = ()) -> Server:
        server = Server(self, flags, environ or {}, keep)
        self.servers.append(server)
        return server

    def new_run(self, job: str, tags: dict[str, str] | None = None, **config: object) -> Run:
        run = Run(
            run_id=new_run_id(),
            location="shop.py",
            job=job,
            created=time.time(),
            run_config=config,
            tags=tags or {},
        )
        self.instance.storage.runs.create([NewRun(run=run)])
        now = time.time()
        (claimed,) = self.instance.storage.runs.claim([run.run_id], owner="test", until=now + 15, now=now)
        return claimed

    def gated_run(self, job: str = "gated", tags: dict[str, str] | None = None) -> tuple[Run, Path]:
        """A run that waits until somebody writes into the named pipe."""
        gate = self.folder / f"gate-{new_run_id()}"
        os.mkfifo(gate)
        return self.new_run(job, tags, ops={"wait_at": {"config": {"path": str(gate)}}}), gate

    def run(self, run_id: str) -> Run:
        found = self.instance.storage.runs.get(run_id)
        assert found is not None
        return found

    def is_loaded(self) -> bool:
        stored = self.instance.storage.locations.get("shop.py")
        return stored is not None and stored.status is LoadStatus.LOADED

    def stored_address(self) -> str | None:
        stored = self.instance.storage.locations.get("shop.py")
        return stored.address if stored is not None else None

    def until(self, what: str, condition: Callable[[], bool]) -> None:
        """Wait for something that the storage will tell."""
        deadline = time.monotonic() + LIMIT
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not happen within {LIMIT:g} s"
            self.changes.wait(0.2)

    def until_status(self, run_id: str, *statuses: RunStatus) -> Run:
        self.until(f"one of {statuses}", lambda: self.run(run_id).status in statuses)
        return self.run(run_id)

    def until_in_step(self, run_id: str) -> None:
        self.until("the step", lambda: "STEP_START" in self.event_types(run_id))

    def event_types(self, run_id: str) -> list[str]:
        return [stored.event.type for stored in self.instance.storage.events.of_run(run_id)]

    def failure(self, run_id: str) -> RunFailure:
        facts = [stored.event.fact for stored in self.instance.storage.events.of_run(run_id)]
        (failure,) = (fact for fact in facts if isinstance(fact, RunFailure))
        return failure

    def close(self) -> None:
        for run in self.instance.storage.runs.active():
            start = [stored.event.fact for stored in self.instance.storage.events.of_run(run.run_id)]
            for pid in [getattr(fact, "pid", None) for fact in start]:
                if pid:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(pid, signal.SIGKILL)
        for server in self.servers:
            server.end()
        self.changes.close()
        self.instance.close()


class Server:
    """One `penstock code-server`."""

    def __init__(self, place: Place, flags: tuple[str, ...], environ: dict[str, str], keep: tuple[int, ...]) -> None:
        self.socket = place.folder / f"{len(place.servers)}.sock"
        listen = () if "--host" in flags else ("--socket", str(self.socket))
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "penstock.cli.main", "code-server", "-f", str(place.file)),
                *("--home", str(place.instance.home), *listen, *flags),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=os.environ | environ,
            pass_fds=keep,
            text=True,
        )
        assert self.process.stdout is not None
        if "--lifeline" in flags:  # started as a child: it says nothing
            self.address = f"unix:{self.socket}"
            place.until("the socket", self.socket.exists)
        else:
            said = self.process.stdout.readline()
            assert " ready at " in said, said
            self.address = said.split()[-1]
        self.client = CodeServerClient(self.address, environ.get("PENSTOCK_CODE_SERVER_TOKEN"))
        self.output: list[str] = []
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.output.extend(self.process.stderr)

    def loaded(self, *, after: int = 0) -> LocationState:
        """The state once the load has ended."""
        state = self.client.state(after=after, wait=LIMIT)
        while state.status is LoadStatus.LOADING:
            state = self.client.state(after=state.version, wait=LIMIT)
        return state

    def zygote(self) -> int:
        """The pid of the zygote."""
        (pid,) = (pid for pid in children_of(self.process.pid) if b"penstock.instance.zygote" in command_of(pid))
        return pid

    def stop(self) -> int:
        """TERM, and wait for the end; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(LIMIT)

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reading.join(LIMIT)
        for stream in (self.process.stdout, self.process.stderr):
            assert stream is not None
            stream.close()


def children_of(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def command_of(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def is_own(run: Run) -> bool:
    """Whether the run's worker keeps its lease itself."""
    return run.owner is not None and run.owner.startswith("worker-")


def pid_of(answer: LaunchAnswer) -> int:
    assert answer.accepted, answer.reason
    assert answer.pid is not None
    return answer.pid


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Place, Server]]:
    """A server that is not harmed."""
    with short_folder() as folder:
        place = Place(folder)
        server = place.serve()
        assert server.loaded().status is LoadStatus.LOADED
        yield place, server
        place.close()


@pytest.fixture
def place() -> Iterator[Place]:
    with short_folder() as folder:
        found = Place(folder)
        yield found
        found.close()


@contextlib.contextmanager
def short_folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="ps-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


# -- a server in good health ------------------------------------------------------------------------------------------


def test_a_launched_run_succeeds_and_its_output_is_kept(shared: tuple[Place, Server]) -> None:
    place, server = shared
    run = place.new_run("quick")
    pid_of(server.client.launch(run))
    place.until_status(run.run_id, RunStatus.SUCCESS)
    assert place.event_types(run.run_id)[-1] == "RUN_SUCCESS"
    (key,) = place.instance.logs.keys(run.run_id)
    assert b"hello from the step" in place.instance.logs.read(key, "stdout")[0]


def test_the_location_is_stored_with_its_description_and_address(shared: tuple[Place, Server]) -> None:
    place, server = shared
    place.until("the stored load", lambda: place.stored_address() == server.address and place.is_loaded())
    stored = place.instance.storage.locations.get("shop.py")
    assert stored is not None
    assert stored.origin == f"file {place.file}"
    assert stored.digest is not None
    names = {job.name for job in server.client.description(stored.digest).jobs}
    assert names == {"celled", "gated", "gated_in_process", "quick"}
    assert any(process.kind == "code-server" for process in place.instance.storage.leases.processes(seen_after=0.0))


def test_the_same_attempt_is_launched_once_and_an_old_one_never(shared: tuple[Place, Server]) -> None:
    place, server = shared
    run, gate = place.gated_run()
    first = server.client.launch(run)
    assert server.client.launch(run) == first
    gate.write_text("go")
    place.until_status(run.run_id, RunStatus.SUCCESS)
    place.until("the worker to be forgotten", lambda: not server.client.cancel(run.run_id))
    again = server.client.launch(run)
    assert not again.accepted
    assert "not current" in (again.reason or "")
    assert place.event_types(run.run_id).count("RUN_START") == 1


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_a_killed_worker_is_seen_at_once_and_its_run_goes_on(shared: tuple[Place, Server], job: str) -> None:
    place, server = shared
    run, gate = place.gated_run(job)
    os.kill(pid_of(server.client.launch(run)), signal.SIGKILL)
    queued = place.until_status(run.run_id, RunStatus.QUEUED)
    assert "SIGKILL" in (queued.note or "")
    now = time.time()
    (again,) = place.instance.storage.runs.claim([run.run_id], owner="test", until=now + 15, now=now)
    pid_of(server.client.launch(again))
    gate.write_text("go")
    assert place.until_status(run.run_id, RunStatus.SUCCESS).attempt == 2


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_a_killed_worker_fails_a_run_that_must_not_go_on(shared: tuple[Place, Server], job: str) -> None:
    place, server = shared
    run, _gate = place.gated_run(job, NOT_RESUMED)
    worker = pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    steps = children_of(worker)
    os.kill(worker, signal.SIGKILL)
    killed = time.monotonic()
    place.until_status(run.run_id, RunStatus.FAILURE)
    assert time.monotonic() - killed < 2
    assert "SIGKILL" in place.failure(run.run_id).message
    for step in steps:
        wait_for_end_of(step)


@pytest.mark.parametrize(("job", "force"), [("gated", False), ("gated_in_process", False), ("gated", True)])
def test_a_canceled_run_leaves_no_process(shared: tuple[Place, Server], job: str, force: bool) -> None:
    place, server = shared
    run, _gate = place.gated_run(job)
    worker = pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    steps = children_of(worker)
    place.instance.storage.runs.record(run.run_id, [RunCanceling()], now=time.time())
    assert server.client.cancel(run.run_id, force=force)
    place.until_status(run.run_id, RunStatus.CANCELED)
    for pid in (worker, *steps):
        wait_for_end_of(pid)
    place.until("the worker to be forgotten", lambda: not server.client.cancel(run.run_id))


def test_a_run_canceled_before_its_launch_is_not_started(shared: tuple[Place, Server]) -> None:
    place, server = shared
    run = place.new_run("quick")
    place.instance.storage.runs.record(run.run_id, [RunCanceling()], now=time.time())
    assert not server.client.launch(run).accepted
    place.until_status(run.run_id, RunStatus.CANCELED)
    assert "RUN_START" not in place.event_types(run.run_id)


def test_evaluations_answer_beside_one_that_hangs(shared: tuple[Place, Server]) -> None:
    _place, server = shared
    answers = []
    hung = threading.Thread(
        target=lambda: answers.append(server.client.evaluate(EvaluateSensor(name="hung", due=1.0, timeout=1.0)))
    )
    hung.start()
    news = server.client.evaluate(EvaluateSensor(name="news", due=1.0, cursor="42"))
    assert hung.is_alive()
    assert [request.run_key for request in news.run_requests] == ["42"]
    hung.join(LIMIT)
    (answer,) = answers
    assert answer.error is not None
    assert "limit of 1 seconds" in answer.error.message
    assert answer.error.frames[0].function == "hung"


def test_an_evaluation_that_cannot_be_interrupted_is_killed(shared: tuple[Place, Server]) -> None:
    _place, server = shared
    error = server.client.evaluate(EvaluateSensor(name="stuck", due=1.0, timeout=0.1)).error
    assert error is not None
    assert "could not be interrupted" in error.message


def test_an_evaluation_whose_process_dies_says_how(shared: tuple[Place, Server]) -> None:
    _place, server = shared
    error = server.client.evaluate(EvaluateSensor(name="dies", due=1.0)).error
    assert error is not None
    assert "SIGKILL" in error.message


def test_a_run_config_is_checked_by_user_code(shared: tuple[Place, Server]) -> None:
    _place, server = shared
    answer = server.client.check_config(CheckRunConfig(job="gated", run_config={"ops": {"wait_att": {}}}))
    assert any("wait_at" in problem.message for problem in answer.problems)


def test_a_run_on_a_partition_gets_the_config_of_user_code(shared: tuple[Place, Server]) -> None:
    place, server = shared
    answer = server.client.partitions(EvaluatePartitions(job="celled", keys=("mon|x", "tue|y")))
    configs = {key: run.run_config["ops"]["cell"]["config"]["path"] for key, run in answer.runs.items()}
    assert configs == {"mon|x": "config of mon|x", "tue|y": "config of tue|y"}
    assert answer.runs["tue|y"].tags == {"shop": "y"}
    assert server.client.partitions(EvaluatePartitions(job="celled", keys=("mon",))).error is not None
    # A run that was made without asking gets its config from the worker.
    run = place.new_run("celled", {"penstock/partition": "tue|y"})
    assert server.client.launch(run).accepted
    assert place.until_status(run.run_id, RunStatus.SUCCESS, RunStatus.FAILURE).status is RunStatus.SUCCESS
    facts = [stored.event.fact for stored in place.instance.storage.events.of_run(run.run_id)]
    (made,) = [fact for fact in facts if isinstance(fact, AssetMaterialization)]
    assert (made.partition, made.description) == ("tue|y", "config of tue|y")


def test_what_is_no_message_is_refused(shared: tuple[Place, Server]) -> None:
    import http.client
    import socket

    _place, server = shared
    for body, kind, status in ((b"{", "application/json", 400), (b"{}", "text/plain", 415)):
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(server.socket))
        connection.request("POST", "/runs", body, {"Content-Type": kind})
        assert connection.getresponse().status == status
        connection.close()


# -- deaths -----------------------------------------------------------------------------------------------------------


def test_a_killed_zygote_is_replaced_and_its_runs_go_on(place: Place) -> None:
    server = place.serve()
    version = server.loaded().version
    run, gate = place.gated_run()
    pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    orphan, _gate = place.gated_run()
    orphans_worker = pid_of(server.client.launch(orphan))
    place.until_in_step(orphan.run_id)

    os.kill(server.zygote(), signal.SIGKILL)
    assert server.loaded(after=version).status is LoadStatus.LOADED
    other = place.new_run("quick")
    pid_of(server.client.launch(other))
    place.until_status(other.run_id, RunStatus.SUCCESS)

    # The supervisor has adopted the workers: it sees how they end.
    os.kill(orphans_worker, signal.SIGKILL)
    assert "SIGKILL" in (place.until_status(orphan.run_id, RunStatus.QUEUED).note or "")
    gate.write_text("go")
    place.until_status(run.run_id, RunStatus.SUCCESS)


@pytest.mark.parametrize("job", ["gated", "gated_in_process"])
def test_workers_outlive_a_killed_server_and_keep_their_leases(place: Place, job: str) -> None:
    server = place.serve()
    server.loaded()
    run, gate = place.gated_run(job)
    worker = pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    zygote = server.zygote()
    server.process.kill()
    wait_for_end_of(zygote)
    place.until("the worker's own lease", lambda: is_own(place.run(run.run_id)))
    gate.write_text("go")
    place.until_status(run.run_id, RunStatus.SUCCESS)
    wait_for_end_of(worker)


def test_a_new_server_watches_over_the_workers_of_a_dead_one(place: Place) -> None:
    dead = place.serve()
    dead.loaded()
    (canceled, _), (killed, _) = place.gated_run(), place.gated_run()
    workers = {}
    for run in (canceled, killed):
        workers[run.run_id] = pid_of(dead.client.launch(run))
        place.until_in_step(run.run_id)
    dead.process.kill()
    place.until("the workers' own leases", lambda: all(is_own(place.run(run_id)) for run_id in workers))

    server = place.serve()
    server.loaded()
    place.instance.storage.runs.record(canceled.run_id, [RunCanceling()], now=time.time())
    assert server.client.cancel(canceled.run_id)
    place.until_status(canceled.run_id, RunStatus.CANCELED)
    os.kill(workers[killed.run_id], signal.SIGKILL)
    place.until_status(killed.run_id, RunStatus.QUEUED)
    for worker in workers.values():
        wait_for_end_of(worker)


def test_a_stopped_server_lets_its_workers_go_on(place: Place) -> None:
    server = place.serve()
    server.loaded()
    run, gate = place.gated_run()
    pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    assert server.stop() == 0
    assert not server.socket.exists()
    assert place.run(run.run_id).status is RunStatus.STARTED
    gate.write_text("go")
    place.until_status(run.run_id, RunStatus.SUCCESS)


def test_a_server_that_is_told_to_ends_its_workers_with_it(place: Place) -> None:
    server = place.serve("--kill-workers-on-exit")
    server.loaded()
    run, _gate = place.gated_run()
    worker = pid_of(server.client.launch(run))
    place.until_in_step(run.run_id)
    assert server.stop() == 0
    assert place.run(run.run_id).is_finished
    wait_for_end_of(worker)


def test_a_server_stops_when_its_lifeline_is_cut(place: Place) -> None:
    reader, writer = os.pipe()
    server = place.serve("--lifeline", str(reader), keep=(reader,))
    server.loaded()
    os.close(reader)
    os.close(writer)
    assert server.process.wait(LIMIT) == 0


def test_a_host_starts_dead_servers_again_and_stops_them_all(place: Place) -> None:
    def loaded_by(pid: int) -> bool:
        processes = place.instance.storage.leases.processes(seen_after=0.0)
        return any(process.pid == pid for process in processes) and place.is_loaded()

    assert place.instance.home is not None
    host = LocationHost(place.instance.home, origins_from_options(python_files=[place.file]))
    host.start()
    try:
        (first,) = host.pids().values()
        place.until("the first load", lambda: loaded_by(first))
        os.kill(first, signal.SIGKILL)
        place.until("the restart", lambda: list(host.pids().values()) not in ([], [first]))
        (second,) = host.pids().values()
        place.until("the second load", lambda: loaded_by(second))
        run = place.new_run("quick")
        pid_of(place.instance.launcher.launch(run))
        place.until_status(run.run_id, RunStatus.SUCCESS)
    finally:
        host.stop()
    wait_for_end_of(second)


# -- loading ----------------------------------------------------------------------------------------------------------


def test_broken_code_keeps_the_last_good_and_shows_the_users_line_first(place: Place) -> None:
    server = place.serve()
    good = server.loaded()
    place.file.write_text(CODE.replace("@op", "raise ValueError('not today')\n@op", 1))
    broken = server.client.reload()
    assert broken.status is LoadStatus.FAILED
    assert broken.digest == good.digest
    assert broken.error is not None
    assert broken.error.message == "not today"
    assert broken.error.frames[0].file == str(place.file)
    stored = place.instance.storage.locations.get("shop.py")
    assert stored is not None
    assert stored.status is LoadStatus.FAILED
    assert stored.description is not None
    run = place.new_run("quick")
    pid_of(server.client.launch(run))
    place.until_status(run.run_id, RunStatus.SUCCESS)

    place.file.write_text(
        CODE.replace("def quick", "def fast").replace("[quick", "[fast").replace("job=quick", "job=fast")
    )
    changed = server.client.reload()
    assert changed.status is LoadStatus.LOADED
    assert changed.error is None
    assert changed.digest is not None
    assert "fast" in [job.name for job in server.client.description(changed.digest).jobs]


@pytest.mark.parametrize(
    ("code", "cls", "says"),
    [
        ("import absent_module\n", "ModuleNotFoundError", "absent_module"),
        ("def f(:\n", "SyntaxError", "invalid syntax"),
        ("raise SystemExit(3)\n", "SystemExit", "3"),
        ("import os; os._exit(3)\n", "LoadCrash", "exit code 3"),
    ],
)
def test_code_that_cannot_be_loaded_is_told_and_launches_nothing(place: Place, code: str, cls: str, says: str) -> None:
    place.file.write_text(code)
    server = place.serve()
    state = server.loaded()
    assert state.status is LoadStatus.FAILED
    assert state.error is not None
    assert state.error.cls == cls
    assert says in state.error.message
    if cls != "LoadCrash":
        assert state.error.frames[0].file == str(place.file)
    answer = server.client.launch(place.new_run("quick"))
    assert not answer.accepted
    assert "could not be loaded" in (answer.reason or "")


def test_threads_at_import_cost_a_fresh_process_and_say_so(place: Place) -> None:
    place.file.write_text(
        CODE
        + "\nimport threading\nthreading.Thread(target=time.sleep, args=(600,), name='poller', daemon=True).start()\n"
    )
    server = place.serve()
    assert server.loaded().status is LoadStatus.LOADED
    news = server.client.evaluate(EvaluateSensor(name="news", due=1.0, cursor="42"))
    assert [request.run_key for request in news.run_requests] == ["42"]
    run = place.new_run("quick")
    pid_of(server.client.launch(run))
    place.until_status(run.run_id, RunStatus.SUCCESS)
    notes = [stored.event.fact for stored in place.instance.storage.events.of_run(run.run_id)]
    assert any(isinstance(note, EngineNote) and "poller" in note.message for note in notes)


def test_a_changed_file_is_loaded_when_the_server_watches(place: Place) -> None:
    server = place.serve("--watch")
    before = server.loaded()
    place.until("the stored load", lambda: place.instance.storage.locations.get("shop.py") is not None)
    helper = place.folder / "helper.py"
    helper.write_text("NAME = 'one'\n")
    place.file.write_text("import helper\n" + CODE)
    first = server.loaded(after=before.version)
    assert first.status is LoadStatus.LOADED
    helper.write_text("raise RuntimeError('helper is broken')\n")
    second = server.loaded(after=first.version)
    assert second.status is LoadStatus.FAILED
    assert second.error is not None
    assert second.error.message == "helper is broken"
    helper.write_text("NAME = 'two'\n")
    assert server.loaded(after=second.version).status is LoadStatus.LOADED


# -- over TCP ---------------------------------------------------------------------------------------------------------


def test_a_workspaces_remote_server_is_looked_for(place: Place) -> None:
    server = place.serve()
    right = LocationOrigin(name="shop.py", address=server.address)
    assert fault_of_remote(right) is None
    wrong = fault_of_remote(LocationOrigin(name="ware", address=server.address))
    assert wrong is not None
    assert "'shop.py', not 'ware'" in wrong
    absent = fault_of_remote(LocationOrigin(name="ware", address="unix:/absent.sock"))
    assert absent is not None
    assert "unix:/absent.sock" in absent


def test_over_tcp_a_token_is_asked_for(place: Place) -> None:
    server = place.serve("--host", "127.0.0.1", environ={"PENSTOCK_CODE_SERVER_TOKEN": "open sesame"})
    assert server.address.startswith("http://127.0.0.1:")
    assert server.loaded().status is LoadStatus.LOADED
    for wrong in (None, "open barley"):
        with pytest.raises(SettingsError, match="401"):
            CodeServerClient(server.address, wrong).state()
    place.until("the stored address", lambda: place.stored_address() == server.address)


def test_a_server_that_is_gone_is_named(place: Place) -> None:
    server = place.serve()
    server.loaded()
    server.stop()
    with pytest.raises(CodeServerUnreachableError, match=r"0\.sock"):
        server.client.state()
