"""Messages are read from files, whole and in order, also the last ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    OpExecutionContext,
    PipesCompositeMessageReader,
    PipesEnvContextInjector,
    PipesFileContextInjector,
    PipesFileMessageReader,
    PipesTempFileContextInjector,
    PipesTempFileMessageReader,
    open_pipes_session,
)
from penstock_pipes import decode_param
from penstock_pipes.wire import message

from .conftest import InStep

SENDER = """
import sys
from penstock_pipes import PipesFileMessageWriterChannel
from penstock_pipes.wire import message

channel = PipesFileMessageWriterChannel(sys.argv[1])
for each in range(250):
    channel.write_message(message("report_custom_message", {"payload": [int(sys.argv[2]), each, "x" * 500]}))
"""


def write(path: str, *payloads: Any, end: str = "\n") -> None:
    """Append custom messages to a file."""
    lines = [json.dumps(message("report_custom_message", {"payload": each})) for each in payloads]
    with open(path, "a") as file:
        file.write("\n".join(lines) + end)


@pytest.mark.parametrize("cleanup", [True, False])
def test_a_file_is_followed_from_where_it_ended(in_op: InStep, tmp_path: Path, cleanup: bool) -> None:
    path = tmp_path / "messages"
    write(str(path), "of an earlier session")

    def work(context: OpExecutionContext) -> None:
        reader = PipesFileMessageReader(str(path), include_stdio_in_messages=True, cleanup_file=cleanup)
        with open_pipes_session(context, PipesEnvContextInjector(), reader) as session:
            params = session.message_reader_params
            assert params == {"path": str(path), "include_stdio_in_messages": True}
            write(params["path"], 1, 2)
            write(params["path"], {"three": "é"}, end="")
        assert session.get_custom_messages() == (1, 2, {"three": "é"})

    in_op(work)
    assert path.exists() is not cleanup


def test_many_messages_of_several_processes_are_all_read(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        with open_pipes_session(context, PipesEnvContextInjector(), PipesTempFileMessageReader()) as session:
            path = session.message_reader_params["path"]
            command = [sys.executable, "-c", SENDER, path]
            senders = [subprocess.Popen([*command, str(number)]) for number in range(4)]
            assert [sender.wait(30) for sender in senders] == [0] * 4
        taken = session.get_custom_messages()
        assert len(taken) == 1000
        for number in range(4):
            assert [each for by, each, _ in taken if by == number] == list(range(250))
        assert not Path(path).parent.exists()

    in_op(work)


def test_a_torn_last_line_is_named(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        with open_pipes_session(context, PipesEnvContextInjector(), PipesTempFileMessageReader()) as session:
            lines = json.dumps(message("opened", {"extras": {}})) + '\n{"torn'
            Path(session.message_reader_params["path"]).write_text(lines)

    lines = in_op(work)
    assert any('{"torn' in text for level, text in lines if level == "WARNING")
    assert lines[-1][0] == "WARNING"
    assert "did not say that no more" in lines[-1][1]


def test_several_processes_have_readers_of_their_own(in_op: InStep, tmp_path: Path) -> None:
    def work(context: OpExecutionContext) -> None:
        paths = [str(tmp_path / name) for name in "ab"]
        reader = PipesCompositeMessageReader([PipesFileMessageReader(path) for path in paths])
        with open_pipes_session(context, PipesEnvContextInjector(), reader) as session:
            session.report_launched({"extras": {}})
            variables = session.get_per_writer_bootstrap_env_vars()
            arguments = session.get_per_writer_bootstrap_cli_arguments()
            for number, path in enumerate(paths):
                assert decode_param(variables[number]["PENSTOCK_PIPES_MESSAGES"])["path"] == path
                assert decode_param(arguments[number]["--penstock-pipes-messages"])["path"] == path
                lines = [message("opened", {"extras": {}}), message("closed", {})]
                Path(path).write_text("\n".join(map(json.dumps, lines)))
            assert session.message_handler._reader.expected_writer_count == 2
        assert session.message_handler.received_closed_message

    in_op(work)


@pytest.mark.parametrize("temporary", [True, False])
def test_a_context_in_a_file_is_gone_afterwards(in_op: InStep, tmp_path: Path, temporary: bool) -> None:
    def work(context: OpExecutionContext) -> None:
        path = tmp_path / "context"
        injector = PipesTempFileContextInjector() if temporary else PipesFileContextInjector(str(path))
        with open_pipes_session(context, injector, PipesTempFileMessageReader(), extras={"a": "é"}) as session:
            written = Path(session.context_injector_params["path"])
            assert json.loads(written.read_text()) == session.context_data
            assert session.context_data["extras"] == {"a": "é"}
        assert not written.exists()

    in_op(work)


def test_variables_and_arguments_carry_the_same_under_both_names(in_op: InStep) -> None:
    def work(context: OpExecutionContext) -> None:
        with open_pipes_session(context, PipesEnvContextInjector(), PipesTempFileMessageReader()) as session:
            variables = session.get_bootstrap_env_vars()
            arguments = session.get_bootstrap_cli_arguments()
            assert session.get_per_writer_bootstrap_env_vars() == [variables]
            told = {"data": session.context_data}
            for names in (variables, arguments):
                assert len(names) == 4
                assert [decode_param(text) for name, text in names.items() if "ontext" in name.lower()] == [told, told]
            assert {name: decode_param(text) for name, text in variables.items()} == session.get_bootstrap_params()

    in_op(work)
