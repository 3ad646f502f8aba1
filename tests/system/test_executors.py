"""Run workers as real processes: what is in the log, and what lives, whatever is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from penstock.codec import encode_json
from penstock.execution.lease import EXIT_FENCED
from penstock.execution.one_loop import OUTPUT
from penstock.execution.worker import EXIT_UNTOLD
from penstock.ids import new_run_id
from penstock.logs.store import log_key
from penstock.records.data_version import VersionTag, computed_version
from penstock.records.event import (
    AssetCheckEvaluation,
    AssetMaterialization,
    AssetObservation,
    EngineNote,
    LoadedInput,
    LogLine,
    LogsCaptured,
    RunCanceling,
    RunFailure,
    StepFailure,
    StepInput,
    StepRestarted,
    StepSkipped,
    StepUpForRetry,
)
from penstock.records.run import FailureReason, Run, RunStatus
from penstock.storage.protocols import NewRun
from support.run_worker import DEADLINE, PROGRAM, Worker, has_ended

pytestmark = pytest.mark.system


def test_types_and_mapped_config_reach_the_process_of_a_step(worker: Worker) -> None:
    worker.start("mapped", {"half": 21})
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    facts = [event.fact for event in worker.events()]
    (got,) = [fact for fact in facts if isinstance(fact, StepInput)]
    assert got.type_name == "Even"
    assert got.metadata["number"].value == 42
    assert [fact.message for fact in facts if isinstance(fact, LogLine)] == ["checking 42"]
    assert worker.pid_of("take_even") != worker.pid


def test_a_step_s_process_waits_for_those_that_leave_before_it_runs_anything(worker: Worker) -> None:
    worker.start("in_line")
    worker.awaits("leaving")
    assert worker.pid_of("next_in_line") != worker.pid_of("leaves_slowly")
    assert worker.types("leaves_slowly")[-1] == "STEP_SUCCESS"
    assert worker.types("next_in_line") == ["STEP_WORKER_STARTING", "STEP_WORKER_STARTED"]
    worker.releases("leaving")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS  # the last step looked whether they met


def test_dynamic_steps_run_each_in_a_process_of_its_own(worker: Worker) -> None:
    worker.start("dynamic")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    steps = ["one", "several", "double[k0]", "double[k1]", "double[k2]", "total"]
    pids = {worker.pid_of(step) for step in steps}
    assert len(pids) == len(steps)
    assert worker.pid not in pids
    assert worker.types("one") == [
        "STEP_WORKER_STARTING",
        "STEP_WORKER_STARTED",
        "LOGS_CAPTURED",
        "RESOURCE_INIT_STARTED",
        "RESOURCE_INIT_SUCCESS",
        "STEP_START",
        "STEP_OUTPUT",
        "HANDLED_OUTPUT",
        "STEP_SUCCESS",
    ]
    assert worker.types("total").count("LOADED_INPUT") == 3
    run_events = worker.types(None)
    assert run_events[-2:] == ["RUN_START", "RUN_SUCCESS"]
    assert worker.events()[-1].type == "RUN_SUCCESS"
    assert worker.logs.read(log_key(worker.run_id, "one"), "stdout")[0] == b"one says hello\n"


def test_resources_and_io_managers_are_set_up_in_each_process_with_their_config(worker: Worker) -> None:
    worker.start(
        "stores",
        {
            "resources": {"counter": {"config": {"step": 5}}},
            "ops": {
                "one": {"outputs": {"result": {"note": "first"}}},
                "annotate": {"inputs": {"text": {"text": "read"}}},
            },
        },
    )
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    values = worker.home / "values" / worker.run_id
    assert (values / "one" / "result.txt").read_text() == "6 first"
    assert (values / "annotate" / "result.txt").read_text() == "35 none"
    (kept,) = (worker.home / "storage" / "file_manager").iterdir()
    assert kept.read_text() == "read 6"
    (loaded,) = [e.fact for e in worker.events() if isinstance(e.fact, LoadedInput) and e.fact.upstream_step is None]
    assert (loaded.input, loaded.io_manager) == ("text", "read_text")


def test_output_can_be_read_while_the_step_runs(worker: Worker) -> None:
    worker.start("holding")
    worker.awaits("held")
    assert worker.logs.read(log_key(worker.run_id, "held"), "stdout")[0] == b"held is at work\n"
    assert worker.logs.read(log_key(worker.run_id, "held"), "stderr")[0] == b"held complains\n"
    worker.wait_until(
        lambda: any(isinstance(e.fact, LogLine) and e.fact.message == "in the middle" for e in worker.events()),
        "the step's log line is stored while it runs",
    )
    captured = [e.fact for e in worker.events() if isinstance(e.fact, LogsCaptured) and e.step_key == "held"]
    assert captured[0].log_key == log_key(worker.run_id, "held")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS


def test_a_killed_step_fails_with_the_signal_named_and_the_others_go_on(worker: Worker) -> None:
    worker.start("holding")
    worker.awaits("held")
    os.kill(worker.pid_of("held"), signal.SIGKILL)
    assert worker.end() == 0
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.source == "UNEXPECTED_ERROR"
    assert "SIGKILL" in failure.error.message
    assert worker.types("one")[-2:] == ["STEP_SUCCESS", "HOOK_SKIPPED"]
    assert worker.types("double") == ["LOG"]
    (end,) = [e.fact for e in worker.events() if isinstance(e.fact, RunFailure)]
    assert end.reason is FailureReason.STEP_FAILURE
    assert end.failed_steps == ("held",)
    assert worker.events()[-1].type == "RUN_FAILURE"
    assert worker.logs.read(log_key(worker.run_id, "held"), "stdout")[0] == b"held is at work\n"


@pytest.mark.parametrize("job", ["holding", "in_one_process"])
def test_sigterm_interrupts_steps_and_ends_the_run_as_canceled(worker: Worker, job: str) -> None:
    worker.start(job)
    worker.awaits("held")
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    failures = {e.step_key: e.fact.source for e in worker.events() if isinstance(e.fact, StepFailure)}
    assert failures["held"] == "INTERRUPT"
    lines = [e.fact.message for e in worker.events() if isinstance(e.fact, LogLine) and e.step_key == "held"]
    assert lines == ["in the middle", "last words"]  # what was said before the signal, and after it
    assert (worker.home / "held.cleaned").exists()
    assert not (worker.home / "hook.ran").exists()
    assert worker.types("double") == []
    assert worker.events()[-1].type == "RUN_CANCELED"


def test_a_cancel_is_raised_in_the_coroutines_of_a_loop(worker: Worker) -> None:
    worker.start("in_one_loop")
    worker.awaits("held")
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    os.killpg(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    failures = {e.step_key: e.fact.source for e in worker.events() if isinstance(e.fact, StepFailure)}
    assert failures == {"held_in_a_loop": "INTERRUPT"}
    assert (worker.home / "held.cleaned").exists()
    assert worker.types("double") == []
    assert b"held is at work\n" in worker.logs.read(log_key(worker.run_id, OUTPUT), "stdout")[0]


def test_sigterm_to_the_worker_alone_reaches_its_steps(worker: Worker) -> None:
    worker.start("holding")
    worker.awaits("held")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED


def test_a_step_that_does_not_stop_is_killed_after_the_grace_period(worker: Worker) -> None:
    worker.start("stubborn", GRACE="0.1")
    worker.awaits("held")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.source == "INTERRUPT"


def test_steps_die_with_their_worker(worker: Worker) -> None:
    worker.start("holding")
    worker.awaits("held")
    step = worker.pid_of("held")
    handle = os.pidfd_open(step)
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.end() == -signal.SIGKILL
    assert has_ended(handle)
    os.close(handle)
    assert not (worker.home / "held.cleaned").exists()
    assert worker.status() is RunStatus.STARTED  # whoever watches the worker tells of its end


def test_a_step_that_leaves_a_process_behind_does_not_hold_the_run(worker: Worker) -> None:
    worker.start("helped")
    worker.awaits("helped")
    os.kill(worker.pid_of("with_helper_process"), signal.SIGKILL)
    assert worker.end() == 0
    assert worker.status() is RunStatus.FAILURE


def test_a_fenced_worker_kills_its_steps_and_writes_no_more(worker: Worker) -> None:
    worker.start("holding")
    worker.awaits("held")
    step = worker.pid_of("held")
    handle = os.pidfd_open(step)
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("one"), "the other step has ended")
    ended = RunFailure(reason=FailureReason.UNEXPECTED_TERMINATION, message="taken for dead")
    assert worker.storage.runs.record(worker.run_id, [ended], now=time.time())
    before = len(worker.events())
    worker.releases("held")
    assert worker.end() == EXIT_FENCED
    assert has_ended(handle)
    os.close(handle)
    assert len(worker.events()) == before
    assert worker.events()[-1].type == "RUN_FAILURE"


def test_a_worker_whose_code_server_is_gone_keeps_its_lease_itself(worker: Worker) -> None:
    worker.start("holding", channel=True)
    worker.awaits("held")
    assert worker.channel is not None
    worker.channel.close()

    def holds_itself() -> bool:
        run = worker.storage.runs.get(worker.run_id)
        return run is not None and (run.owner or "").startswith("worker-")

    worker.wait_until(holds_itself, "the worker holds its own lease")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS


@pytest.mark.parametrize("job", ["holding", "in_one_process"])
def test_a_worker_whose_code_server_is_gone_sees_that_its_run_is_canceled(worker: Worker, job: str) -> None:
    worker.start(job, channel=True, RENEWAL="0.2")
    worker.awaits("held")
    assert worker.channel is not None
    worker.channel.close()
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    assert (worker.home / "held.cleaned").exists()


def test_a_run_that_was_canceled_before_it_began_ends_at_once(worker: Worker, tmp_path: Path) -> None:
    run_id = new_run_id()
    worker.storage.runs.create([NewRun(run=Run(run_id=run_id, location="here", job="dynamic"))])
    now = time.time()
    (run,) = worker.storage.runs.claim([run_id], owner="test", until=now + 15, now=now)
    worker.storage.runs.record(run_id, [RunCanceling()], now=now)
    code = subprocess.run(
        [sys.executable, str(PROGRAM), str(worker.database), str(tmp_path), encode_json(run).decode()],
        check=False,
        timeout=DEADLINE,
    ).returncode
    worker.run = run
    assert code == 0
    assert worker.status() is RunStatus.CANCELED
    assert "STEP_START" not in [each.type for each in worker.events()]


def test_retries_by_policy_and_by_request(worker: Worker) -> None:
    worker.start("retrying")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    lucky = [e.fact for e in worker.events() if e.step_key == "second_time_lucky"]
    assert [each.retry for each in lucky if isinstance(each, StepRestarted)] == [1, 2]
    asked = [e for e in worker.events() if e.step_key == "asks_for_retry"]
    (again,) = [each.fact for each in asked if isinstance(each.fact, StepUpForRetry)]
    assert again.wait == 0.05
    assert again.error.cls == "ValueError"
    times = [each.time for each in asked if each.type in ("STEP_UP_FOR_RETRY", "STEP_RESTARTED")]
    assert times[1] - times[0] >= 0.05


def test_a_step_whose_process_dies_is_tried_again_as_its_policy_says(worker: Worker) -> None:
    worker.start("dying")
    assert worker.end() == 0
    retries = [e.fact for e in worker.events() if e.step_key == "killed" and isinstance(e.fact, StepUpForRetry)]
    assert [each.retry for each in retries] == [1, 2]
    assert "SIGKILL" in retries[0].error.message
    assert "exit code 9" in retries[1].error.message
    assert worker.types("killed")[-1] == "STEP_SUCCESS"
    ends = [e.fact for e in worker.events() if e.step_key == "always_killed"]
    assert [type(each) for each in ends if isinstance(each, StepUpForRetry | StepFailure)] == [
        StepUpForRetry,
        StepFailure,
    ]
    (end,) = [e.fact for e in worker.events() if isinstance(e.fact, RunFailure)]
    assert end.failed_steps == ("always_killed",)


def test_a_step_that_closes_its_output_ends_and_leaves_the_others_alone(worker: Worker) -> None:
    worker.start("silenced")
    worker.awaits("held")
    worker.wait_until(lambda: "STEP_SUCCESS" in worker.types("double"), "the steps after it have run")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert not [e for e in worker.events() if isinstance(e.fact, RunFailure | StepFailure)]


def test_values_that_cannot_be_stored_fail_no_step(worker: Worker) -> None:
    worker.start("odd_values")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    assert "the file caf\\udce9" in [e.fact.message for e in worker.events() if isinstance(e.fact, LogLine)]


def test_a_run_may_begin_while_the_database_is_away(worker: Worker) -> None:
    worker.start("holding", away=True)
    worker.awaits("held")
    worker.rename("runs_away", "runs")
    worker.releases("held")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    numbers = [event.seq for event in worker.events() if event.seq is not None]
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_worker_that_cannot_store_the_end_of_its_run_says_so(worker: Worker) -> None:
    worker.start("holding", OUTAGE="0.2")
    worker.awaits("held")
    worker.rename("counters", "counters_away")
    worker.releases("held")
    assert worker.end() == EXIT_UNTOLD
    assert worker.status() is RunStatus.STARTED


def test_skips_and_failures_go_their_ways(worker: Worker) -> None:
    worker.start("mixed", {"execution": {"config": {"multiprocess": {"max_concurrent": 1}}}})
    assert worker.end() == 0
    assert worker.status() is RunStatus.FAILURE
    assert worker.types("after_a")[-1] == "STEP_SUCCESS"
    skipped = [e.step_key for e in worker.events() if isinstance(e.fact, StepSkipped)]
    assert skipped == ["after_b"]
    (failure,) = [e.fact for e in worker.events() if isinstance(e.fact, StepFailure)]
    assert failure.error.cls == "KeyError"
    assert failure.error.frames[0].user
    assert failure.error.frames[0].function == "broken"
    assert worker.types("after_broken") == ["LOG"]


def test_a_run_that_cannot_begin_says_why(worker: Worker) -> None:
    worker.start("needs_config", {"ops": {"configured": {"config": {"sise": 3}}}})
    assert worker.end() == 0
    (end,) = [e.fact for e in worker.events() if isinstance(e.fact, RunFailure)]
    assert end.reason is FailureReason.JOB_INITIALIZATION_FAILURE
    assert 'did you mean "size"' in end.message


def test_steps_that_run_in_the_worker_are_not_begun_after_a_cancel(worker: Worker) -> None:
    worker.start("holding", WITH_THREAD="1", ALONE="1")
    worker.awaits("held")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    assert worker.types("one") == []


def test_code_with_threads_is_not_forked(worker: Worker) -> None:
    worker.start("odd_values", WITH_THREAD="1")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    (note,) = [e.fact.message for e in worker.events() if isinstance(e.fact, EngineNote)]
    assert "lively" in note
    assert note.startswith("Step odd runs in a process that was not forked")
    assert worker.pid_of("odd") != worker.pid


def test_code_with_threads_that_no_process_can_load_runs_in_the_worker(worker: Worker) -> None:
    worker.start("dynamic", WITH_THREAD="1", ALONE="1")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    notes = {e.step_key: e.fact.message for e in worker.events() if isinstance(e.fact, EngineNote)}
    assert notes["one"].startswith("Step one runs in the run's own process")
    assert "STEP_WORKER_STARTED" not in worker.types("one")


def test_assets_of_all_kinds_are_told_with_their_data_versions(worker: Worker) -> None:
    worker.start("assets_of_all_kinds")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    made = {
        e.fact.asset: (e.step_key, e.fact.tags) for e in worker.events() if isinstance(e.fact, AssetMaterialization)
    }
    of_base = computed_version("1", {})
    assert made["base"] == ("base", {VersionTag.CODE_VERSION: "1", VersionTag.DATA_VERSION: of_base})
    step, tags = made["grown"]
    assert step == "grown.again"
    assert tags[VersionTag.DATA_VERSION] == computed_version("1", {"base": of_base})
    seen = [e.fact for e in worker.events() if isinstance(e.fact, AssetObservation)]
    assert [(fact.asset, fact.tags[VersionTag.DATA_VERSION]) for fact in seen] == [("feed", "7")]
    assert [e.fact.passed for e in worker.events() if isinstance(e.fact, AssetCheckEvaluation)] == [True]
    versions = worker.storage.assets.data_versions(["base", "grown", "feed"])
    assert versions["grown"].inputs == {"base": of_base}
    assert (versions["feed"].version, versions["feed"].observed) == ("7", True)


def test_a_step_that_takes_too_long_is_stopped_also_if_it_does_not_heed_it(worker: Worker) -> None:
    worker.start("overdue", GRACE="0.2")
    assert worker.end() == 0
    (late,) = [e.fact for e in worker.events() if e.step_key == "late" and isinstance(e.fact, StepFailure)]
    assert late.error.cls == "StepTimeoutError"
    assert late.error.message.startswith('Step "late" ran longer than its timeout of 0.1 s and was stopped')
    assert late.error.frames
    deaf = [e.fact for e in worker.events() if e.step_key == "deaf_and_late"]
    (again,) = [each for each in deaf if isinstance(each, StepUpForRetry)]
    (killed,) = [each for each in deaf if isinstance(each, StepFailure)]
    assert again.error.cls == killed.error.cls == "StepTimeoutError"
    assert "was killed: it did not stop within 0.2 s after its timeout of 0.1 s" in killed.error.message


def test_an_executor_of_the_user_s_runs_the_steps(worker: Worker) -> None:
    worker.start("noted")
    assert worker.end() == 0
    assert worker.status() is RunStatus.SUCCESS
    notes = [e.fact.message for e in worker.events() if isinstance(e.fact, EngineNote)]
    assert notes == ["ran one", "ran several", "ran double[k0]", "ran double[k1]", "ran double[k2]", "ran total"]


def test_a_run_of_an_executor_of_the_user_s_is_canceled(worker: Worker) -> None:
    worker.start("held_by_noting")
    worker.awaits("held")
    assert worker.storage.runs.record(worker.run_id, [RunCanceling()], now=time.time())
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.end() == 0
    assert worker.status() is RunStatus.CANCELED
    assert (worker.home / "held.cleaned").exists()


def test_each_line_is_written_to_a_logger_once_by_the_process_that_it_is_of(worker: Worker) -> None:
    worker.start("logged")
    assert worker.end() == 0
    lines = [line.split(" ", 1) for line in (worker.home / "lines").read_text().splitlines()]
    texts = [text for _, text in lines]
    for once in ("doubling 1", "The run ended well."):
        assert texts.count(once) == 1
    finished = [text.split(" in ")[0] for text in texts if text.startswith("Finished")]
    assert finished == ["Finished one", "Finished double"]
    by_text = {text: int(pid) for pid, text in lines}
    assert by_text["doubling 1"] == worker.pid_of("double")
    assert by_text["The run ended well."] == worker.pid
