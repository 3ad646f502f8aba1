"""Hosts the code servers of a workspace's local locations: one process each, started again when it dies.

A location with an address is served elsewhere. Its code server works on the same storage and makes itself known there;
here it is only looked for, so that a wrong address is said at once.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import PenstockError
from .client import CodeServerClient
from .keeper import Command, ProcessKeeper
from .origin import LocationOrigin
from .service_process import Starter, as_program

__all__ = ["LocationHost", "code_server_command", "fault_of_remote"]

logger = logging.getLogger("penstock.processes")


class LocationHost:
    """The code servers of local origins, and a look at those of others.

    Args:
        home: The instance's home.
        origins: The code locations.
        watch: Whether they reload when a file changes.
        kill_workers: Whether run workers end with their code server.
        services: Other processes by name, which are started after the code servers and stopped before them.
        start: Starts a process.
    """

    def __init__(
        self,
        home: Path,
        origins: Sequence[LocationOrigin],
        *,
        watch: bool = False,
        kill_workers: bool = False,
        services: Mapping[str, Command] | None = None,
        start: Starter = as_program,
    ) -> None:
        # Socket paths may have 107 bytes, and the home may be deep: the sockets have a short folder of their own.
        self._folder = Path(tempfile.mkdtemp(prefix="penstock-"))
        local = [origin for origin in origins if origin.target is not None]
        self._remote = [origin for origin in origins if origin.target is None]
        self._keeper = ProcessKeeper(
            {
                f"the code server of {origin.name}": code_server_command(
                    home, origin, self._folder / f"{number}.sock", watch=watch, kill_workers=kill_workers
                )
                for number, origin in enumerate(local)
            },
            services or {},
            start=start,
        )

    def start(self) -> None:
        """Start every process; code servers load their code meanwhile."""
        self._keeper.start()
        if self._remote:
            threading.Thread(target=self._look_at_remotes, name="remote-locations", daemon=True).start()

    def pids(self) -> dict[str, int]:
        """The process ids by what the processes are called in messages."""
        return self._keeper.pids()

    def stop(self) -> None:
        """Stop every process."""
        self._keeper.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _look_at_remotes(self) -> None:
        for origin in self._remote:
            fault = fault_of_remote(origin)
            if fault is not None:
                logger.warning("%s", fault)


def fault_of_remote(origin: LocationOrigin) -> str | None:
    """Why the code server of an origin with an address is not what the workspace says; None when it is."""
    assert origin.address is not None
    try:
        state = CodeServerClient(origin.address).state()
    except PenstockError as error:
        return f"The code location {origin.name!r} of the workspace: {error}"
    if state.name != origin.name:
        return (
            f"The code server at {origin.address} serves the location {state.name!r}, not {origin.name!r} as the "
            "workspace says; correct the location_name or the address."
        )
    return None


def code_server_command(
    home: Path, origin: LocationOrigin, socket_path: Path, *, watch: bool, kill_workers: bool
) -> Command:
    """The command that serves a local origin on a Unix socket."""
    assert origin.target is not None
    target = origin.target
    options = {
        "--home": home,
        "--python-file": target.python_file,
        "--module-name": target.module_name,
        "--package-name": target.package_name,
        "--attribute": target.attribute,
        "--working-directory": target.working_directory,
        "--location-name": origin.name,
        "--executable": origin.executable,
        "--socket": socket_path,
    }
    words = [text for option, value in options.items() if value is not None for text in (option, str(value))]
    flags = [flag for flag, given in (("--watch", watch), ("--kill-workers-on-exit", kill_workers)) if given]

    def command(lifeline: int) -> tuple[str, ...]:
        return ("code-server", *words, *flags, "--lifeline", str(lifeline))

    return command
