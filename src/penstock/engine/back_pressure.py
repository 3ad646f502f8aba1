"""When a sensor asks for more runs than the queue takes: it is not evaluated until enough of them have left it.

Nothing is lost meanwhile: what it reads stays where it is, and its cursor too.
"""

from __future__ import annotations

__all__ = ["why_held_back"]


def why_held_back(queued: int, most: int) -> str | None:
    """Why a sensor is not evaluated, though it is due; None if it may be.

    Args:
        queued: How many of its runs wait in the queue, as far as they were counted.
        most: With how many it still may be; -1 for any number.
    """
    if most < 0 or queued <= most:
        return None
    return (
        f"More than {most:,} of its runs wait in the queue, so it is not evaluated until some have started. Let more "
        "runs be active at once (run_queue), or more of a sensor's wait (sensors.max_queued_runs)."
    )
