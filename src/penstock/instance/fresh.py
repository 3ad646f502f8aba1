"""A fresh process for one work: `python -P -m penstock.instance.fresh CONNECTION`, used where a fork is not safe."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from ..definitions.load import look_first_in
from ..locations.fresh_work import do_one_work
from .user_code import LoadedCode

__all__ = ["main"]


def main() -> int:
    """Load what stdin names, and do the work that comes over the inherited descriptor that the argument names."""
    look_first_in(Path.cwd())
    with socket.socket(fileno=int(sys.argv[1])) as connection:
        return do_one_work(connection, LoadedCode())


if __name__ == "__main__":
    sys.exit(main())
