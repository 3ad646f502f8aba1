"""The process that holds user code, spoken to as its supervisor does."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.execution.frames import FrameReader
from penstock.instance.instance import Instance
from penstock.instance.reference import InstanceRef
from penstock.locations.frame_socket import FrameSocket
from penstock.locations.user_code import GO, LoadCode
from penstock.records.code_target import CodeTarget
from penstock.records.wire import (
    Answered,
    CheckRunConfig,
    ConfigAnswer,
    Exited,
    Fork,
    Forked,
    Loaded,
    Loading,
    ZygoteFrame,
)

pytestmark = [pytest.mark.system]

PROJECT = """
from penstock import job, op

@op
def nothing():
    pass

@job
def quiet():
    nothing()
"""


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[FrameSocket[ZygoteFrame]]:
    """A connection to one that has loaded its code."""
    (tmp_path / "project.py").write_text(PROJECT)
    with Instance.open(tmp_path / "home") as instance:
        environment = InstanceRef.of(tmp_path / "home", instance.settings).encode()
    ours, theirs = socket.socketpair()
    with ours, theirs, tempfile.TemporaryFile() as trace:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock.instance.zygote", *map(str, (theirs.fileno(), 2, trace.fileno()))],
            pass_fds=(theirs.fileno(), trace.fileno()),
        )
        theirs.close()
        frames: FrameSocket[ZygoteFrame] = FrameSocket(ours, ZygoteFrame)
        target = CodeTarget(python_file=str(tmp_path / "project.py"))
        frames.send(LoadCode(name="project", target=target, environment=environment))
        while isinstance(told := frames.receive(), Loading):
            pass
        assert isinstance(told, Loaded)
        yield frames
        ours.close()
        process.wait(20)


def _forked(zygote: FrameSocket[ZygoteFrame], go: bytes) -> tuple[bytes, int]:
    """What a fork answers that is told this, or nothing, and its exit code."""
    ours, theirs = socket.socketpair()
    waits, tells = os.pipe()
    with ours:
        with theirs:
            zygote.send(Fork(id=1, work=CheckRunConfig(job="quiet", run_config={})), [theirs.fileno(), waits])
            os.close(waits)
            assert isinstance(zygote.receive(), Forked)
        if go:
            os.write(tells, go)
        os.close(tells)
        ours.shutdown(socket.SHUT_WR)  # no other work follows
        answer = b""
        while data := ours.recv(1 << 16):
            answer += data
    ended = zygote.receive()
    assert isinstance(ended, Exited)
    return answer, ended.code


def test_a_fork_works_once_its_birth_is_known(zygote: FrameSocket[ZygoteFrame]) -> None:
    answer, code = _forked(zygote, GO)
    (said,) = FrameReader[Answered[ConfigAnswer]](Answered[ConfigAnswer]).feed(answer)
    assert said == Answered(answer=ConfigAnswer(), ready=True)
    assert code == 0


def test_a_fork_that_nobody_knows_of_does_nothing(zygote: FrameSocket[ZygoteFrame]) -> None:
    assert _forked(zygote, b"") == (b"", 0)
