"""What is seen of what user code leaves in its process; looked at in one where nothing else happens."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, json, os, signal, socket, subprocess, sys, threading
from penstock.locations.process_state import ProcessState

if os.fork():
    os.wait()
    sys.exit()

told = {}

def see(name, act, undo=lambda: None):
    before = ProcessState()
    assert before.what_has_changed() is None, (name, before.what_has_changed())
    act()
    told[name] = before.what_has_changed()
    undo()

def wait_in_thread(event):
    def act():
        thread = threading.Thread(target=event.wait, name="left")
        thread.start()
        threads.append(thread)
    return act

def end_thread():
    event.set()
    threads[0].join()

event, threads, kept = threading.Event(), [], []
see("nothing", lambda: None)
see("a thread that has ended", lambda: (thread := threading.Thread(target=list), thread.start(), thread.join()))
see("a process that was waited for", lambda: subprocess.run(["true"]))
see("a loop that was closed", lambda: asyncio.run(asyncio.sleep(0)))
see("a connection", lambda: kept.extend(socket.socketpair()))
see("the directory", lambda: os.chdir("/"))
see("the umask", lambda: os.umask(0o011))
see("a variable", lambda: os.environ.update(LEFT="yes"))
see("a handler", lambda: signal.signal(signal.SIGUSR1, signal.SIG_IGN))
see("the mask", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2}))
see("a timer", lambda: signal.setitimer(signal.ITIMER_PROF, 600), lambda: signal.setitimer(signal.ITIMER_PROF, 0))
see("the path", lambda: sys.path.append("/left"))
see("stderr", lambda: setattr(sys, "stderr", sys.stdout), lambda: setattr(sys, "stderr", sys.__stderr__))
see("a thread", wait_in_thread(event), end_thread)
see("a process", lambda: kept.append(subprocess.Popen(["cat"], stdin=subprocess.PIPE)), lambda: kept[-1].communicate())
see("a loop", lambda: kept.append(asyncio.new_event_loop()), lambda: kept[-1].close())
see("many files", lambda: kept.extend(os.pipe() for _ in range(40)))
see("memory", lambda: kept.append(b"x" * (100 << 20)))
print(json.dumps(told))
"""

EXPECTED = {
    "nothing": None,
    "a thread that has ended": None,
    "a process that was waited for": None,
    "a loop that was closed": None,
    "a connection": None,
    "the directory": "it changed the working directory",
    "the umask": "it changed the umask",
    "a variable": "it changed environment variables",
    "a handler": "it changed signal handlers",
    "the mask": "it changed which signals are blocked",
    "a timer": "it set a timer",
    "the path": "it changed sys.path",
    "stderr": "it replaced sys.stdout or sys.stderr",
    "a thread": "it left threads ('left')",
    "a process": "it left processes that it had started",
    "a loop": "it left an event loop open",
    "many files": "it left 80 open files",
    "memory": "its memory grew by 100 MB",
}


@pytest.fixture(scope="module")
def told() -> dict[str, str | None]:
    done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True)
    found: dict[str, str | None] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("left", EXPECTED)
def test_what_is_seen(left: str, told: dict[str, str | None]) -> None:
    assert told[left] == EXPECTED[left]
