"""Random numbers of processes, and of works in one process, that do not repeat those of others."""

from __future__ import annotations

import random
import sys

__all__ = ["seed_anew"]


def seed_anew() -> None:
    """Seed Python's generator from the system, and the old global one of numpy, which a fork would repeat."""
    random.seed()
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()
