"""Ids: UUIDs of version 7, so that ids sort by the time they were made, and short random holder names."""

from __future__ import annotations

import os
import re
import time

__all__ = ["is_run_id", "new_holder_id", "new_run_id"]

_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def new_run_id() -> str:
    """A new UUID version 7 in its canonical text form (36 characters, lower case)."""
    milliseconds = time.time_ns() // 1_000_000
    tail = int.from_bytes(os.urandom(10))
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7000 << 64 | (tail & 0x0FFF_3FFF_FFFF_FFFF_FFFF) | 0x8 << 60
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def is_run_id(text: str) -> bool:
    """Whether `text` is a canonical lower-case UUID; ids from outside are checked before they reach a file name."""
    return _RUN_ID.fullmatch(text) is not None


def new_holder_id(kind: str) -> str:
    """A name for one process that holds leases, for example `daemon-71e2-9f0c3ab1` (kind, pid in hex, chance)."""
    return f"{kind}-{os.getpid():x}-{os.urandom(4).hex()}"
