"""A program that becomes another one: `leash.py PARENT COMMAND [ARGUMENT...]`.

Before, it asks the system to end this process when its parent dies, which is a step's process: also one that is killed
cannot leave the external process behind then. It imports next to nothing, since each start of a process waits for it.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> int:
    """Become the command; returns an exit code as a shell does when that fails."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before the line above
        return 1
    try:
        os.execvp(command[0], command)  # noqa: S606 - what the user asked for, without a shell
    except OSError as error:
        os.write(2, f"{command[0]} cannot be started: {error.strerror}\n".encode())
        return 127 if isinstance(error, FileNotFoundError) else 126


if __name__ == "__main__":
    os._exit(main(int(sys.argv[1]), sys.argv[2:]))
