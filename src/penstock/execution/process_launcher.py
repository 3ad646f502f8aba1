"""Runs steps in processes of this machine that know nothing of the run worker: fresh interpreters, no forks."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from ..clock import SYSTEM_CLOCK
from ..codec import decode_json, encode_json
from ..errors import EnvironmentalError
from .step_launcher import StepCheck
from .step_order import PROGRAM, LocationSource, StepOrder
from .step_process import how_it_ended

__all__ = ["ProcessStepLauncher"]


_CHILDREN: dict[str, subprocess.Popen[bytes]] = {}
"""The children of this process that launchers have started, by the names of their orders: it alone can reap them."""


_KEPT = 24 * 3600.0
"""Seconds for which it is known of a process that is gone how it ended, where nobody has asked."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a process on disk: `began` tells it from a later one with the same number."""

    pid: int
    began: str
    code: int | None = None


class ProcessStepLauncher:
    """Starts a fresh interpreter for each step; it is killed by the system when the process that launched it dies.

    Args:
        folder: Where it keeps which processes it has started, one small file each; one for this user in the system's
            folder for temporary files, if not given.
    """

    interval = 0.0

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path(tempfile.gettempdir(), f"penstock-steps-{os.getuid()}")
        self._ready = False

    def launch(self, order: StepOrder) -> None:
        """Start a process, unless one was started for this order."""
        path = self._path(order)
        self._make_folder()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            return
        try:
            with tempfile.TemporaryFile() as text:
                text.write(encode_json(order))  # not as an argument, which other users see
                text.seek(0)
                process = subprocess.Popen(  # noqa: S603 - our own command
                    [sys.executable, *PROGRAM, "--die-with", str(os.getpid())],
                    stdin=text,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(_search_path(order))},
                )
        except OSError:
            path.unlink()
            raise
        _CHILDREN[order.name] = process
        self._write(path, _Entry(pid=process.pid, began=_began(process.pid)))

    def check(self, order: StepOrder) -> StepCheck:
        """Whether its process lives."""
        entry = self._entry(order)
        if entry is None:
            return StepCheck(running=False, what="The step", reason="was never launched.")
        what = f"The process {entry.pid} of the step"
        own = _CHILDREN.get(order.name)
        code = entry.code if own is None else own.poll()
        if code is not None:
            if entry.code is None:
                self._write(self._path(order), msgspec.structs.replace(entry, code=code))
            return StepCheck(running=False, what=what, reason=how_it_ended(code), exit_code=code)
        if own is not None or _began(entry.pid) == entry.began:
            return StepCheck(running=True, what=what)
        return StepCheck(running=False, what=what, reason="ended; how is known to the process alone that started it.")

    def terminate(self, order: StepOrder, *, force: bool) -> None:
        """Send SIGTERM or SIGKILL."""
        entry = self._entry(order)
        if entry is not None and self.check(order).running:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(entry.pid, signal.SIGKILL if force else signal.SIGTERM)

    def forget(self, order: StepOrder) -> None:
        """Remove the file that names its process."""
        self._path(order).unlink(missing_ok=True)
        own = _CHILDREN.pop(order.name, None)
        if own is not None:
            own.wait()

    def _path(self, order: StepOrder) -> Path:
        return self._folder / order.name

    def _make_folder(self) -> None:
        """Make the folder, and take from it what a launcher left that was killed."""
        if self._ready:
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._folder.stat().st_uid != os.getuid():
            raise EnvironmentalError(
                f"The folder {self._folder} belongs to another user, who could pass processes off as steps; give "
                "ProcessStepLauncher a folder of your own."
            )
        for path in self._folder.glob("penstock-step-*"):
            with contextlib.suppress(FileNotFoundError, msgspec.DecodeError):
                entry = decode_json(path.read_bytes(), _Entry)
                if _is_old(path) and _began(entry.pid) != entry.began:
                    path.unlink()
        self._ready = True

    def _entry(self, order: StepOrder) -> _Entry | None:
        try:
            return decode_json(self._path(order).read_bytes(), _Entry)
        except FileNotFoundError:
            return None
        except msgspec.DecodeError:
            return None  # whoever was about to launch it died before it could

    @staticmethod
    def _write(path: Path, entry: _Entry) -> None:
        new = path.with_suffix(".new")
        new.write_bytes(encode_json(entry))
        new.replace(path)


def _search_path(order: StepOrder) -> list[str]:
    """Where the process looks for what it imports itself: where this one does, but for the folders that it looks in
    when it loads the user's code. A file there may have the name of a module that we need."""
    later = {"", str(Path.cwd())}
    code = order.where.code
    if isinstance(code, LocationSource) and code.target.python_file is not None:
        later.add(str(Path(code.target.python_file).absolute().parent))
    return [each for each in sys.path if each not in later]


def _is_old(path: Path) -> bool:
    return SYSTEM_CLOCK.now() - path.stat().st_mtime > _KEPT


def _began(pid: int) -> str:
    """When a process began, in the system's own measure; empty when there is none, or only what is left of one."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        if Path("/proc/self/stat").exists():
            return ""
        return _began_by_ps(pid)
    fields = state.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _began_by_ps(pid: int) -> str:
    """The same where there is no /proc."""
    command = ["ps", "-o", "lstart=", "-p", str(pid)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    return told.stdout.strip()
