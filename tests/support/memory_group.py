"""A group of processes (cgroup) whose memory the kernel limits, so that it really kills one of them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["memory_group"]

_ROOT = Path("/sys/fs/cgroup")


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[list[str] | None]:
    """The beginning of a command that runs the rest of it in such a group; None where none can be made.

    All its processes must have ended when it is left.
    """
    folder, name = _ROOT / "memory", "memory.limit_in_bytes"
    if not folder.is_dir():
        folder, name = _ROOT, "memory.max"
    group = folder / f"penstock-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError:  # only root may, and not in every container
        yield None
        return
    try:
        if not (group / name).exists():
            yield None
            return
        (group / name).write_text(str(limit))
        yield ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group)]
    finally:
        group.rmdir()
