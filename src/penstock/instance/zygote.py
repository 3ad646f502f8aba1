"""The zygote as a process: `python -P -m penstock.instance.zygote CONNECTION CONSOLE TRACE`, started by the supervisor.

What forks need is imported here, before the user's code, so that no fork imports anything. Until then nothing is looked
for in the present folder (`-P`): a file of the user's might have the name of a module that this needs.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from ..definitions.load import look_first_in
from ..locations.zygote import Zygote
from .user_code import LoadedCode

__all__ = ["main"]


def main() -> int:
    """Serve on the inherited descriptors that the arguments name."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a pipe: told line by line
    connection, console, trace = (int(argument) for argument in sys.argv[1:4])
    look_first_in(Path.cwd())
    return Zygote(socket.socket(fileno=connection), console, trace, LoadedCode()).run()


if __name__ == "__main__":
    sys.exit(main())
