"""Runs a command of this machine with Pipes."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from ...errors import SubprocessError, UserCodeError
from ..context import OpExecutionContext
from . import leash
from .background import Background
from .client import PipesClient, PipesClientCompletedInvocation
from .injectors import PipesContextInjector, PipesTempFileContextInjector
from .messages import PipesMessageHandler
from .readers import PipesMessageReader, PipesTempFileMessageReader
from .session import open_pipes_session
from .stderr import StderrTail

__all__ = ["PipesSubprocessClient"]


class PipesSubprocessClient(PipesClient):
    """Runs a command in a process of this machine and waits for its end.

    Args:
        env: Environment variables for every command, besides those of the step.
        cwd: Where every command runs.
        context_injector: Gives the context to the process; by a temporary file if not given.
        message_reader: Reads its messages; from a temporary file if not given.
        forward_termination: End the process when the step is asked to stop, and when the step's process dies. Without
            it the process goes on by itself.
        forward_stdio: Let what it prints be captured with the step's own output; without it, it is dropped.
        termination_timeout_seconds: How long a process may take to end after SIGTERM; then it is killed.
    """

    def __init__(
        self,
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        context_injector: PipesContextInjector | None = None,
        message_reader: PipesMessageReader | None = None,
        forward_termination: bool = True,
        forward_stdio: bool = True,
        termination_timeout_seconds: float = 20,
    ) -> None:
        self.env = dict(env or {})
        self.cwd = cwd
        self.context_injector = context_injector or PipesTempFileContextInjector()
        self.message_reader = message_reader or PipesTempFileMessageReader()
        self.forward_termination = forward_termination
        self.forward_stdio = forward_stdio
        self.termination_timeout_seconds = termination_timeout_seconds

    def run(  # type: ignore[override]  # each client has arguments of its own
        self,
        *,
        context: OpExecutionContext,
        extras: Mapping[str, Any] | None = None,
        command: str | Sequence[str],
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
    ) -> PipesClientCompletedInvocation:
        """Run a command.

        Args:
            context: The step's context.
            extras: Values to pass on to the process.
            command: The program and its arguments; one text is split as a shell splits it.
            env: Environment variables for this command, besides those of the client.
            cwd: Where it runs, in place of the client's.

        Raises:
            UserCodeError: There is no such program, or a report of the process cannot be understood.
            SubprocessError: It ended with another code than 0; the message holds the last lines of its stderr.
        """
        words = shlex.split(command) if isinstance(command, str) else [os.fspath(each) for each in command]
        with open_pipes_session(context, self.context_injector, self.message_reader, extras) as session:
            variables = {**os.environ, **session.get_bootstrap_env_vars(), **self.env, **(env or {})}
            code, errors = self._run(words, variables, cwd or self.cwd)
        if code != 0:
            raise _failure(words, code, errors, session.message_handler)
        return PipesClientCompletedInvocation(session)

    def _run(self, words: Sequence[str], env: Mapping[str, str], cwd: str | None) -> tuple[int, str]:
        _check_program(words, env, cwd)
        keeps_errors = self.forward_termination  # one that outlives us must not write into a pipe of ours
        quiet = None if self.forward_stdio else subprocess.DEVNULL
        with subprocess.Popen(  # noqa: S603 - the user's own command
            _on_leash(words) if self.forward_termination else words,
            env=env,
            cwd=cwd,
            stdout=quiet,
            stderr=subprocess.PIPE if keeps_errors else quiet,
            start_new_session=not self.forward_termination,
        ) as process:
            tail: StderrTail | None = None
            reading: AbstractContextManager[None] = nullcontext()
            if process.stderr is not None:
                tail = StderrTail(process.stderr.fileno(), forward=self.forward_stdio)
                reading = Background(tail.read, "pipes-stderr")
            with reading:
                code = self._wait(process)
            return code, "" if tail is None else tail.text

    def _wait(self, process: subprocess.Popen[bytes]) -> int:
        try:
            return process.wait()
        except BaseException:
            if self.forward_termination:
                self._end(process)
            else:
                process.returncode = 0  # it goes on by itself; nobody waits for it here
            raise

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        process.terminate()
        try:
            process.wait(self.termination_timeout_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _on_leash(words: Sequence[str]) -> list[str]:
    """The command that ends when this process does, where the system can do that."""
    if sys.platform != "linux":
        return list(words)
    return [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *words]


def _check_program(words: Sequence[str], env: Mapping[str, str], cwd: str | None) -> None:
    if not words:
        raise UserCodeError("The command of a PipesSubprocessClient is empty; give a program and its arguments.")
    if cwd is not None and not Path(cwd).is_dir():
        raise UserCodeError(f"The command {shlex.join(words)} is to run in {cwd}, which is no folder.")
    program = words[0] if os.sep not in words[0] else str(Path(cwd or ".", words[0]))
    if shutil.which(program, path=env.get("PATH")) is None:
        raise UserCodeError(
            f"There is no program {words[0]!r} that could be run; give its full path, or put its folder into PATH."
        )


def _failure(words: Sequence[str], code: int, errors: str, handler: PipesMessageHandler) -> SubprocessError:
    how = f"ended with the exit code {code}" if code >= 0 else f"was killed by signal {-code} ({_signal_name(-code)})"
    parts = [f"The external process {shlex.join(words)} {how}."]
    if handler.exception is not None:
        parts.append(f"It raised {handler.exception.cls}: {handler.exception.message}")
    if errors:
        parts.append(f"The last lines of its stderr:\n{errors}")
    if len(parts) == 1:
        parts.append("It said nothing on stderr; look at its stdout in the logs of the step, or run it by hand.")
    return SubprocessError("\n".join(parts))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "unknown"
