"""What a zygote is told to load and to do, and the one thing that it needs of the floors above: the doing."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Protocol, TypeAlias

import msgspec

from ..records.code_target import CodeTarget
from ..records.location import LocationDescription
from ..records.wire import Answer, Asked, Evaluation, ExecuteRun, StorageAccess, SupervisorFrame, Work

__all__ = [
    "CODE_BROKEN",
    "CODE_LOADED",
    "GO",
    "TRYING_A_FORK",
    "GivenWork",
    "LoadCode",
    "NextWork",
    "ToZygote",
    "UserCode",
]

TRYING_A_FORK = "seeing whether it can be forked"
"""The last stage of a load."""

CODE_LOADED = b"+"
"""What a fresh process says once it has loaded the code ..."""

CODE_BROKEN = b"-"
"""... or once it has failed to."""

GO = b"!"
"""What a fork is told once its birth is known."""


class LoadCode(msgspec.Struct, frozen=True, kw_only=True, tag="load"):
    """The first message to a process that is to hold user code.

    `environment` is for the floors above alone: what they need in order to open the instance inside a run worker.
    `never_fork` says why no process with this code may fork, where none may whatever it finds.
    """

    name: str
    target: CodeTarget
    environment: bytes = b""
    never_fork: str | None = None


class GivenWork(msgspec.Struct, frozen=True, kw_only=True, tag="given"):
    """What a fresh process is told to do, and how it reaches the storage, if it does not open the database itself."""

    work: Work
    storage: StorageAccess | None = None


class NextWork(msgspec.Struct, frozen=True, kw_only=True):
    """What a process that evaluates is told to do next, and how it reaches the storage for that."""

    work: Asked
    storage: StorageAccess | None = None


ToZygote: TypeAlias = LoadCode | SupervisorFrame


class UserCode(Protocol):
    """Loads user code, and acts on what was loaded.

    What it acts with is `storage`: how the process reaches the storage, if it does not open the database itself.
    """

    def load(self, order: LoadCode, progress: Callable[[str], None]) -> LocationDescription:
        """Import the user's code and describe it; raises whatever the code raises.

        Args:
            order: What to load.
            progress: Told each stage that begins.
        """
        ...

    def evaluate(self, work: Asked, storage: StorageAccess | None, tell: Callable[[Evaluation], None]) -> Answer:
        """Evaluate a schedule or sensor, check a run config, or give that of partitions, in this process; `tell` takes
        what is to be known before the end."""
        ...

    def execute_run(self, work: ExecuteRun, channel: socket.socket, storage: StorageAccess | None) -> int:
        """Be the run's worker, to the end of the run; gives the exit code. `channel` ends when the supervisor does."""
        ...
