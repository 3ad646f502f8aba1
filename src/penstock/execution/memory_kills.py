"""Finds out whether the kernel killed a process because memory ran out, from the counts that Linux keeps of that.

The counts are of a group of processes (cgroup, of the first or second version), which this process and those that it
starts are in: how many of them were killed, not which. So one is taken to have been killed so if it ended by SIGKILL
and the count has grown meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ..engine.memory_verdict import UNKNOWN, MemoryVerdict

__all__ = ["MemoryKills"]

_NO_LIMIT = 1 << 62  # what the first version shows where there is none is a little above
_FIRST = ("memory.oom_control", "memory.limit_in_bytes")
_SECOND = ("memory.events", "memory.max")


class MemoryKills:
    """The kernel's count of processes of this one's group that it killed because memory ran out.

    Args:
        cgroup: The file that names the groups of this process.
        mount: Where the groups are shown as folders.
        vmstat: The file with the count for the whole machine, for a process that is in no group with a count.
    """

    def __init__(
        self,
        cgroup: Path = Path("/proc/self/cgroup"),
        mount: Path = Path("/sys/fs/cgroup"),
        vmstat: Path = Path("/proc/vmstat"),
    ) -> None:
        self._mount = mount
        self._folder, (events, self._limit_name) = _group(cgroup, mount)
        self._counts = vmstat if self._folder is None else self._folder / events
        if self._folder is not None and self.count() is None:
            self._counts = vmstat  # the group at the root is not counted apart
        self._seen = self.count()

    def disregard(self, count: int | None) -> None:
        """Put no death that is asked about later down to the kills up to this count."""
        if count is not None and self._seen is not None:
            self._seen = max(self._seen, count)

    def verdict(self) -> MemoryVerdict:
        """What is known of a process that SIGKILL has just ended. Each of the kernel's kills counts for one process."""
        now = self.count()
        if now is None or self._seen is None:
            return UNKNOWN
        if now <= self._seen:
            return MemoryVerdict(by_kernel=False)
        self._seen += 1
        return MemoryVerdict(by_kernel=True, limit=self._limit())

    def count(self) -> int | None:
        """How many there were until now; None where that is not counted."""
        found = re.search(r"^oom_kill (\d+)$", _text(self._counts), re.MULTILINE)
        return None if found is None else int(found[1])

    def _limit(self) -> int | None:
        """The least of the limits of the group and of those that it is in."""
        limits = [_text(folder / self._limit_name).strip() for folder in self._folders()]
        return min((int(each) for each in limits if each.isdigit() and int(each) < _NO_LIMIT), default=None)

    def _folders(self) -> Iterator[Path]:
        folder = self._folder
        while folder is not None and folder.is_relative_to(self._mount):
            yield folder
            folder = folder.parent


def _group(cgroup: Path, mount: Path) -> tuple[Path | None, tuple[str, str]]:
    """The folder of the group that memory is counted for, and the names of its files with events and limit."""
    by_controller = {}
    for line in _text(cgroup).splitlines():
        _, controllers, path = line.split(":", 2)
        for each in controllers.split(","):
            by_controller[each] = path.lstrip("/")
    for controller, root, names in (("memory", mount / "memory", _FIRST), ("", mount, _SECOND)):
        if controller in by_controller:
            # In a container the path may be the host's, while what is mounted is the container's own group.
            for folder in (root / by_controller[controller], root):
                if (folder / names[0]).exists():
                    return folder, names
    return None, _SECOND


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""  # another system, or a group that is gone: nothing is known
