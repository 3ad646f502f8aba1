"""A fresh process for one work: `python -m penstock.instance.fresh CHANNEL`, started where a fork would not be safe."""

from __future__ import annotations

import socket
import sys

from ..locations.fresh_work import perform_ordered_work
from .user_code import LoadedCode

__all__ = ["main"]


def main() -> int:
    """Do the work that stdin orders, and answer on the inherited descriptor that the argument names."""
    with socket.socket(fileno=int(sys.argv[1])) as channel:
        return perform_ordered_work(channel, LoadedCode())


if __name__ == "__main__":
    sys.exit(main())
