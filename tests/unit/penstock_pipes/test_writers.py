"""Ways to send messages that need nothing but a file or a stream."""

from __future__ import annotations

import json
import os
import sys

import pytest

from penstock_pipes import PipesError, open_penstock_pipes

from .conftest import DATA, Open, Sent, loader


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_messages_go_to_a_stream_as_they_come(opened: Open, capsys: pytest.CaptureFixture[str], stream: str) -> None:
    with opened({"stdio": stream}) as pipes:
        pipes.log.info("hello")
        written = capsys.readouterr()
    lines = (written.out if stream == "stdout" else written.err).splitlines()
    assert [json.loads(line)["method"] for line in lines] == ["opened", "log"]


def test_messages_go_to_a_stream_at_the_end(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    with opened({"buffered_stdio": "stdout"}) as pipes:
        pipes.log.info("hello")
        print("between")
        assert capsys.readouterr().out == "between\n"
    assert [json.loads(line)["method"] for line in capsys.readouterr().out.splitlines()] == ["opened", "log", "closed"]


def test_what_is_printed_is_sent_too_where_the_reader_asks_for_it(
    opened: Open, sent: Sent, capfd: pytest.CaptureFixture[str]
) -> None:
    with opened({"path": str(sent.path), "include_stdio_in_messages": True}):
        os.write(1, b"by a child\n")
        os.write(2, "torn é".encode()[:-1])
    output = [(each["stream"], each["text"]) for each in sent.of("log_external_stream")]
    # Each stream is read by a thread of its own, so only the order within one is told.
    assert sorted(output) == [("stderr", "torn �"), ("stdout", "by a child\n")]
    assert capfd.readouterr().out == "by a child\n"


@pytest.mark.parametrize(
    ("params", "told"), [({"queue": "x"}, r"\['queue'\].* message_writer"), ({"stdio": "in"}, "stdout and stderr")]
)
def test_a_way_that_the_writer_does_not_know_is_refused(params: dict[str, str], told: str) -> None:
    with pytest.raises(PipesError, match=told):
        open_penstock_pipes(params_loader=loader({"data": DATA}, params))


def test_sys_has_its_streams_back(opened: Open, sent: Sent) -> None:
    before = (os.fstat(1).st_ino, sys.stdout)
    with opened({"path": str(sent.path), "include_stdio_in_messages": True}):
        assert os.fstat(1).st_ino != before[0]
    assert (os.fstat(1).st_ino, sys.stdout) == before
