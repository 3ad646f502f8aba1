"""What an execution is given of the world: storage, logs, a place for values, a clock."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from ..clock import SYSTEM_CLOCK, Clock
from ..engine.pools import PoolRules
from ..logs.store import LogStore
from ..storage.protocols import Storage
from .python_logs import PythonLogs
from .step_order import Elsewhere

__all__ = ["Environment"]


class Environment(msgspec.Struct, frozen=True, kw_only=True):
    """The world as an execution sees it.

    Args:
        storage: Where events go; None keeps them in memory alone.
        logs: Where stdout and stderr of steps go; None leaves them as they are.
        artifacts: The root folder of the file system IO manager that is used where none is named; None keeps values
            in memory.
        clock: The time.
        instance: What user code gets as `context.instance`.
        elsewhere: How another process comes to the code and the instance; None where none can.
        python_logs: What the run does with Python's loggers.
        pools: What holds for concurrency pools.
    """

    storage: Storage | None = None
    logs: LogStore | None = None
    artifacts: Path | None = None
    clock: Clock = SYSTEM_CLOCK
    instance: Any = None
    elsewhere: Elsewhere | None = None
    python_logs: PythonLogs = PythonLogs()
    pools: PoolRules = PoolRules()
