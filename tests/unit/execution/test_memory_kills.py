"""The kernel's counts of what it killed for want of memory, as both versions of cgroup and the machine show them."""

from __future__ import annotations

from pathlib import Path

import pytest

from penstock.engine.memory_verdict import UNKNOWN, MemoryVerdict
from penstock.execution.memory_kills import MemoryKills

MIB = 1 << 20


class Machine:
    """The files of a machine, as they would be under /proc and /sys."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def kills(self) -> MemoryKills:
        return MemoryKills(self.root / "proc/cgroup", self.root / "sys", self.root / "proc/vmstat")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def second_version(machine: Machine, path: str, *, kills: int, limit: str = "max") -> None:
    folder = f"sys/{path}" if path else "sys"
    machine.write(f"{folder}/memory.events", f"low 0\nhigh 0\nmax 9\noom 1\noom_kill {kills}\noom_group_kill 0\n")
    machine.write(f"{folder}/memory.max", f"{limit}\n")


def first_version(machine: Machine, path: str, *, kills: int, limit: int) -> None:
    machine.write(f"sys/memory/{path}/memory.oom_control", f"oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n")
    machine.write(f"sys/memory/{path}/memory.limit_in_bytes", f"{limit}\n")


def test_the_second_version(machine: Machine) -> None:
    machine.write("proc/cgroup", "0::/pods/worker\n")
    second_version(machine, "pods", kills=7, limit=str(256 * MIB))
    second_version(machine, "pods/worker", kills=3, limit=str(512 * MIB))
    kills = machine.kills()
    assert kills.verdict() == MemoryVerdict(by_kernel=False)
    second_version(machine, "pods/worker", kills=4, limit=str(512 * MIB))
    assert kills.verdict() == MemoryVerdict(by_kernel=True, limit=256 * MIB)  # the least of those that hold
    assert kills.verdict() == MemoryVerdict(by_kernel=False)  # one kill is one process's


def test_a_container_that_sees_its_own_group_as_the_root(machine: Machine) -> None:
    machine.write("proc/cgroup", "0::/\n")
    second_version(machine, "", kills=0, limit=str(512 * MIB))
    kills = machine.kills()
    second_version(machine, "", kills=1, limit=str(512 * MIB))
    assert kills.verdict() == MemoryVerdict(by_kernel=True, limit=512 * MIB)


def test_the_first_version_in_a_container_that_is_told_the_hosts_path(machine: Machine) -> None:
    machine.write("proc/cgroup", "9:cpu,cpuacct:/docker/ab\n4:memory:/docker/ab\n0::/\n")
    first_version(machine, "", kills=0, limit=512 * MIB)
    kills = machine.kills()
    first_version(machine, "", kills=1, limit=512 * MIB)
    assert kills.verdict() == MemoryVerdict(by_kernel=True, limit=512 * MIB)


def test_no_limit_means_the_machines_memory(machine: Machine) -> None:
    machine.write("proc/cgroup", "4:memory:/work\n0::/\n")
    first_version(machine, "work", kills=0, limit=9223372036854771712)
    kills = machine.kills()
    first_version(machine, "work", kills=1, limit=9223372036854771712)
    assert kills.verdict() == MemoryVerdict(by_kernel=True)


def test_a_process_in_no_group_goes_by_the_machines_count(machine: Machine) -> None:
    machine.write("proc/cgroup", "0::/\n")
    machine.write("proc/vmstat", "nr_free_pages 5\noom_kill 2\n")
    kills = machine.kills()
    machine.write("proc/vmstat", "nr_free_pages 5\noom_kill 3\n")
    assert kills.verdict() == MemoryVerdict(by_kernel=True)


@pytest.mark.parametrize("cgroup", ["", "0::/gone\n"])
def test_nothing_is_known_where_nothing_is_counted(machine: Machine, cgroup: str) -> None:
    machine.write("proc/cgroup", cgroup)
    assert machine.kills().verdict() is UNKNOWN


def test_a_system_without_these_files(machine: Machine) -> None:
    assert machine.kills().verdict() is UNKNOWN


def test_what_was_disregarded_is_not_counted(machine: Machine) -> None:
    machine.write("proc/cgroup", "0::/work\n")
    second_version(machine, "work", kills=0)
    kills = machine.kills()
    second_version(machine, "work", kills=2)
    kills.disregard(1)
    assert kills.verdict().by_kernel
    assert kills.verdict() == MemoryVerdict(by_kernel=False)
    kills.disregard(1)  # what was counted stays counted
    assert kills.verdict() == MemoryVerdict(by_kernel=False)
