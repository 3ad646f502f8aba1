"""Ids: UUIDs of version 7, so that ids sort by the time they were made, short random holder names, and keys."""

from __future__ import annotations

import hashlib
import os
import re
import time

__all__ = [
    "created_at",
    "is_run_id",
    "least_run_id",
    "new_holder_id",
    "new_run_id",
    "new_secret",
    "run_id_derived_from",
    "secret_hash",
]

_RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _Source:
    """What new ids are made from: the time, chance, and the greatest time that was used, in 1/4096 millisecond."""

    now = staticmethod(time.time_ns)
    chance = staticmethod(os.urandom)
    last = 0


def new_run_id() -> str:
    """A new UUID version 7 in its canonical text form (36 characters, lower case).

    Ids of one process rise in the order they are made; ids of several processes do so from about one microsecond on.
    """
    # The 12 bits after the version hold the fraction of the millisecond, as RFC 9562 allows; a tick that was used
    # already is stepped over. A race of two threads costs their order within a microsecond, never the uniqueness.
    ticks = max(_Source.now() * 4096 // 1_000_000, _Source.last + 1)
    _Source.last = ticks
    return _text_of(ticks, _Source.chance(8))


def run_id_derived_from(name: str, time: float) -> str:
    """The run id that stands for `name`, the same each time it is asked for; it sorts by `time`, in seconds."""
    return _text_of(int(time * 1000 * 4096), hashlib.blake2b(name.encode(), digest_size=8).digest())


def _text_of(ticks: int, tail: bytes) -> str:
    milliseconds, fraction = divmod(ticks, 4096)
    chance = int.from_bytes(tail) & 0x3FFF_FFFF_FFFF_FFFF
    value = (milliseconds & 0xFFFF_FFFF_FFFF) << 80 | 0x7000 << 64 | fraction << 64 | 0x8 << 60 | chance
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def created_at(run_id: str) -> float | None:
    """When an id was made, in seconds since the epoch, as it says itself; None if it is of another version."""
    digits = run_id.replace("-", "")
    return int(digits[:12], 16) / 1000 if digits[12:13] == "7" else None


def least_run_id(time: float) -> str:
    """The least run id of those made at `time`, in seconds since the epoch, or later."""
    milliseconds = min(max(time * 1000, 0.0), 2.0**48 - 1)
    return _text_of(int(milliseconds) * 4096, bytes(8))


def is_run_id(text: str) -> bool:
    """Whether `text` is a canonical lower-case UUID; ids from outside are checked before they reach a file name."""
    return _RUN_ID.fullmatch(text) is not None


def new_holder_id(kind: str) -> str:
    """A name for one process that holds leases, for example `daemon-71e2-9f0c3ab1` (kind, pid in hex, chance)."""
    return f"{kind}-{os.getpid():x}-{os.urandom(4).hex()}"


def new_secret() -> str:
    """A new key that nobody can guess: 256 bits of chance, as 64 hex digits."""
    return os.urandom(32).hex()


def secret_hash(text: str) -> str:
    """What is stored of a secret that is all chance, 64 hex digits of SHA-256: nobody finds the secret by it."""
    return hashlib.sha256(text.encode()).hexdigest()
