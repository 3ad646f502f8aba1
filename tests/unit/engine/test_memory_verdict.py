"""What is said of a process that SIGKILL ended."""

from __future__ import annotations

import pytest

from penstock.engine.memory_verdict import UNKNOWN, MemoryVerdict, why_killed

MIB = 1 << 20


@pytest.mark.parametrize(
    ("verdict", "peak", "text"),
    [
        (
            MemoryVerdict(by_kernel=True, limit=512 * MIB),
            510 * MIB,
            (
                "It was killed because memory ran out (limit 512 MiB, peak 510 MiB); "
                "give it more, or let it hold less at a time."
            ),
        ),
        (
            MemoryVerdict(by_kernel=True, limit=4096 * MIB),
            None,
            "It was killed because memory ran out (limit 4,096 MiB); give it more, or let it hold less at a time.",
        ),
        (
            MemoryVerdict(by_kernel=True),
            510 * MIB,
            (
                "It was killed because the machine's memory ran out (peak 510 MiB); "
                "give it more, or let it hold less at a time."
            ),
        ),
        (UNKNOWN, None, "Probably memory ran out: the kernel does that then. Check how much was needed."),
        (
            UNKNOWN,
            510 * MIB,
            "Probably memory ran out (peak 510 MiB): the kernel does that then. Check how much was needed.",
        ),
        (
            MemoryVerdict(by_kernel=False),
            510 * MIB,
            "The kernel counts no kill for want of memory here (peak 510 MiB): somebody or something sent the signal.",
        ),
    ],
)
def test_the_reason_is_named(verdict: MemoryVerdict, peak: int | None, text: str) -> None:
    assert why_killed(verdict, peak) == text
