"""Steps that print in every way, for the tests of captured logs; run as a worker like `executors_user_code.py`."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import executors_user_code as worker_program  # type: ignore[import-not-found]  # it lies beside this program
from executors_user_code import meet

from penstock import Definitions, in_process_executor, job, op


@op
def talker(context: Any) -> None:
    print("by print")
    sys.stderr.write("to stderr, no end of line")
    os.write(1, b"by the system call\n")
    subprocess.run(["/bin/echo", "by another program"], check=True)
    libc = ctypes.CDLL(None)
    libc.write(1, b"by a library\n", 13)
    context.log.info("told")
    print("after it was told")
    meet("held")
    print("and after the meeting")


@op
def flood() -> None:
    print("the first line")
    subprocess.run(["/bin/sh", "-c", "yes 0123456789abcde | head -c 200000000"], check=True)
    print("the last line")


@op
def on_a_full_disk(context: Any) -> None:
    try:
        print("nowhere to go")
    except OSError as error:
        context.log.info(f"print raised {error}")


@job
def talking() -> None:
    talker()


@job(executor_def=in_process_executor)
def talking_here() -> None:
    talker()


@job
def flooding() -> None:
    flood()


@job
def full() -> None:
    on_a_full_disk()


worker_program.defs = Definitions(jobs=[talking, talking_here, flooding, full])

if __name__ == "__main__":
    if "FULL_DISK" in os.environ:
        folder = Path(sys.argv[2], "logs", json.loads(sys.argv[3])["run_id"])
        folder.mkdir(parents=True)
        for each in ("on_a_full_disk.out", "on_a_full_disk.err"):
            (folder / each).symlink_to("/dev/full")
    sys.exit(worker_program.main())
