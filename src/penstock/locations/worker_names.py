"""Run workers carry their run in the name of their process, so that a new code server knows those of a dead one."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..records.run import Run

__all__ = ["name_this_process", "pid_of_orphan", "pids_of_run"]

_PREFIX = "ps-"
_OWN_LEASE = "worker-"


def _name(run_id: str) -> str:
    """Of the 15 characters that the kernel keeps of a name: the run id's random end."""
    return _PREFIX + run_id[-12:]


def name_this_process(run_id: str) -> None:
    """Give this process the name of the run's worker, where the system has such names."""
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(_name(run_id), encoding="ascii")


def pid_of_orphan(run: Run) -> int | None:
    """The process that works on the run and keeps its lease itself; None when there is none on this machine.

    Such a lease's holder is named after the process: `worker-<pid in hex>-...`. That the process is still the same one,
    and of this machine, is known by its name.
    """
    if run.owner is None or not run.owner.startswith(_OWN_LEASE):
        return None
    try:
        pid = int(run.owner.split("-")[1], 16)
        name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (ValueError, OSError):
        return None
    return pid if name == _name(run.run_id) else None


def pids_of_run(run_id: str) -> list[int]:
    """The processes of this machine that work on the run: its workers, and the steps that these have forked."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name = (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            continue  # it has just ended
        if name == _name(run_id):
            found.append(int(folder.name))
    return found
