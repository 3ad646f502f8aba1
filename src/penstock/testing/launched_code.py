"""The job whose steps the contract of step launchers has launched: in the package, so any process can load it."""

from __future__ import annotations

import os
import signal
from typing import Any

from ..definitions.ops.job import job
from ..definitions.ops.op import op
from ..definitions.ops.ports import Out

__all__ = ["RELEASED", "launched"]

RELEASED = "contract/released"
"""The tag of the run that lets a waiting step go on."""


@op(out=Out(is_required=False))
def quick() -> None:
    """Ends at once."""


@op(out=Out(is_required=False))
def waiting(context: Any) -> None:
    """Says that it is there, and waits for the run's tag."""
    _wait(context)


@op(out=Out(is_required=False))
def deaf(context: Any) -> None:
    """Heeds no wish that it should stop."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _wait(context)


@op(out=Out(is_required=False))
def dying() -> None:
    """Is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def _wait(context: Any) -> None:
    storage = context.instance.storage
    subscription = storage.notifier.subscribe()
    try:
        context.log.info("there")
        while RELEASED not in storage.runs.get(context.run_id).tags:
            subscription.wait(1.0)
    finally:
        subscription.close()


@job
def launched() -> None:
    """Each step by itself."""
    quick()
    waiting()
    deaf()
    dying()
