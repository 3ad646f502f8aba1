"""`context.pdb`: a debugger on the terminal, also where the step runs in a process whose streams go elsewhere."""

from __future__ import annotations

import pdb  # noqa: T100 - the debugger that users ask for
import sys
from types import FrameType
from typing import IO, Any

from ..errors import UsageError

__all__ = ["StepDebugger"]


class StepDebugger(pdb.Pdb):
    """The Python debugger on the terminal that the process was started from.

    Raises:
        UsageError: There is no terminal, as in a run of a deployment.
    """

    def __init__(self) -> None:
        self._terminal: list[IO[str]] = []
        if sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty():
            super().__init__()
            return
        try:
            # stdin and stdout of a step may be captured, but the terminal is there all the same.
            self._terminal = [open("/dev/tty"), open("/dev/tty", "w")]  # noqa: SIM115 - closed at the end of the session
        except OSError as error:
            raise UsageError(
                "context.pdb needs a terminal, and this step has none; run the job with execute_in_process or "
                "`penstock job execute` in a terminal."
            ) from error
        super().__init__(stdin=self._terminal[0], stdout=self._terminal[1])

    def interaction(self, frame: FrameType | None, traceback: Any) -> None:
        """Talk with the person at the terminal."""
        super().interaction(frame, traceback)
        if not self.breaks and self.stopframe is None:  # they went on with nothing to stop at
            for each in self._terminal:
                each.close()
