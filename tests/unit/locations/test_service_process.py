"""Services as forks of their starter, each in an interpreter of its own for the test."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

# A starter as `penstock dev` is one: with handlers, a descriptor and a lock of its own.
STARTER = """
import json, os, signal, sys, threading
from pathlib import Path
from penstock.locations.service_process import forked_where_safe

told, tell = os.pipe()
held = os.open(os.devnull, os.O_RDONLY)
lifeline, other_end = os.pipe()
signal.signal(signal.SIGTERM, lambda *_: None)

def command_line():
    {service}

def say(**facts):
    sys.stdout.write(json.dumps(facts))

process = forked_where_safe(command_line)(("daemon", "--log-level", "info"), lifeline)
{starter}
sys.stdout.write("\\n" + json.dumps({{"code": process.wait(), "pid": process.pid, "starter": os.getpid()}}))
"""


def run(service: str, starter: str = "") -> list[dict[str, object]]:
    """What the service says, if it says something, and what its starter knows of it."""
    script = STARTER.format(service=service, starter=textwrap.dedent(starter))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    return [json.loads(line) for line in done.stdout.splitlines() if line]


def test_a_fork_is_a_process_of_its_own_with_nothing_of_its_starter_but_the_lifeline() -> None:
    service = (
        "say(argv=sys.argv, parent=os.getppid(), session=os.getsid(0), input=os.readlink('/proc/self/fd/0'), "
        "descriptors=[fd for fd in (told, tell, held, other_end) if Path(f'/proc/self/fd/{fd}').exists()], "
        "lifeline=Path(f'/proc/self/fd/{lifeline}').exists(), term=signal.getsignal(signal.SIGTERM) is signal.SIG_DFL, "
        "shown=Path('/proc/self/cmdline').read_text())"
    )
    said, known = run(service)
    assert said["argv"] == ["penstock", "daemon", "--log-level", "info"]
    assert str(said.pop("shown")).split("\0")[:4] == said["argv"]
    assert (said["parent"], said["session"]) == (known["starter"], known["pid"])
    assert (said["input"], said["descriptors"], said["lifeline"]) == ("/dev/null", [], True)
    assert said["term"]
    assert known["code"] == 0


def test_a_fork_ends_with_the_code_of_its_command() -> None:
    assert run("sys.exit(3)")[-1]["code"] == 3
    assert run("raise ValueError")[-1]["code"] == 1


def test_a_fork_ends_there_although_its_output_cannot_be_written() -> None:
    (known,) = run("sys.stdout = type('Broken', (), {'flush': lambda self: 1 / 0})()")
    assert known["code"] == 0


def test_a_fork_is_ended_by_a_signal_although_its_starter_has_a_handler() -> None:
    ended = run("signal.pause()", "os.kill(process.pid, signal.SIGTERM)")
    assert ended[-1]["code"] == -15


def test_where_a_thread_would_be_lost_a_program_is_started() -> None:
    starter = """
    waiting = threading.Event()
    thread = threading.Thread(target=waiting.wait)
    thread.start()
    program = forked_where_safe(command_line)(("no-such-command",), lifeline)
    assert isinstance(program, __import__("subprocess").Popen)
    assert program.wait() == 2
    waiting.set()
    """
    *said, known = run("pass", starter)
    assert not said
    assert known["code"] == 0
