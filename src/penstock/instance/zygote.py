"""The zygote as a process: `python -m penstock.instance.zygote CONNECTION CONSOLE TRACE`, started by the supervisor.

What forks need is imported here, before the user's code, so that no fork imports anything.
"""

from __future__ import annotations

import socket
import sys

from ..locations.zygote import Zygote
from .user_code import LoadedCode

__all__ = ["main"]


def main() -> int:
    """Serve on the inherited descriptors that the arguments name."""
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # it is a pipe: told line by line
    connection, console, trace = (int(argument) for argument in sys.argv[1:4])
    return Zygote(socket.socket(fileno=connection), console, trace, LoadedCode()).run()


if __name__ == "__main__":
    sys.exit(main())
