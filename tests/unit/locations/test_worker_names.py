"""The worker of a run is known by the name of its process."""

from __future__ import annotations

import os
import subprocess
import sys

from penstock.ids import new_run_id
from penstock.locations.worker_names import pid_of_orphan, pids_of_run
from penstock.records.run import Run

SCRIPT = """
import sys
from penstock.locations.worker_names import name_this_process
name_this_process(sys.argv[1])
print("named", flush=True)
sys.stdin.read()
"""


def test_only_the_runs_own_worker_is_found() -> None:
    run_id = new_run_id()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, run_id], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"named\n"

        def found(owner: str | None, run_id: str = run_id) -> int | None:
            return pid_of_orphan(Run(run_id=run_id, location="shop", job="nightly", owner=owner))

        assert found(f"worker-{process.pid:x}-0a1b2c3d") == process.pid
        assert found(f"worker-{process.pid:x}-0a1b2c3d", new_run_id()) is None
        assert found(f"worker-{os.getpid():x}-0a1b2c3d") is None
        assert found(f"code-server-{process.pid:x}-0a1b2c3d") is None
        assert found("worker-nonsense") is None
        assert found(None) is None
        assert pids_of_run(run_id) == [process.pid]
        assert pids_of_run(new_run_id()) == []
        process.communicate()
