"""Whether a process that SIGKILL ended was killed because memory ran out, in words. Pure."""

from __future__ import annotations

import msgspec

__all__ = ["UNKNOWN", "MemoryVerdict", "why_killed"]


class MemoryVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the system's own counts say of a process that SIGKILL ended.

    Args:
        by_kernel: Whether the kernel killed a process here because memory ran out; None where it does not count that.
        limit: The bytes of memory that the processes here may use together; None for what the machine has.
    """

    by_kernel: bool | None = None
    limit: int | None = None


UNKNOWN = MemoryVerdict()
"""Nothing is known."""


def why_killed(verdict: MemoryVerdict, peak: int | None = None) -> str:
    """Why a process was killed by SIGKILL, as a sentence of its own.

    Args:
        verdict: What is known.
        peak: The most memory that the process had resident, in bytes; None if that is not known.
    """
    used = "" if peak is None else f"peak {_mebibytes(peak)}"
    if verdict.by_kernel:
        limit = "" if verdict.limit is None else f"limit {_mebibytes(verdict.limit)}"
        known = ", ".join(filter(None, (limit, used)))
        whose = "memory" if limit else "the machine's memory"
        about = f" ({known})" if known else ""
        return f"It was killed because {whose} ran out{about}; give it more, or let it hold less at a time."
    ending = f" ({used})" if used else ""
    if verdict.by_kernel is None:
        return f"Probably memory ran out{ending}: the kernel does that then. Check how much was needed."
    return f"The kernel counts no kill for want of memory here{ending}: somebody or something sent the signal."


def _mebibytes(count: int) -> str:
    return f"{count / (1 << 20):,.0f} MiB"
