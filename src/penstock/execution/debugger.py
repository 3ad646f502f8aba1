"""`context.pdb`: a debugger on the terminal, also where the step runs in a process whose streams go elsewhere."""

from __future__ import annotations

import pdb  # noqa: T100 - the debugger that users ask for
import sys
from typing import IO

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

    def set_continue(self) -> None:
        """Go on; without breakpoints for good."""
        super().set_continue()
        if not self.breaks:
            self._close()

    def set_quit(self) -> None:
        """End the step here."""
        super().set_quit()
        self._close()

    def _close(self) -> None:
        for each in self._terminal:
            each.close()
