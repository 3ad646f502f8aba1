"""A session: what one external process, or several of one step, are told, and what they have reported."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from penstock_pipes.wire import (
    CONTEXT_ARGUMENTS,
    CONTEXT_VARIABLES,
    MESSAGES_ARGUMENTS,
    MESSAGES_VARIABLES,
    PipesContextData,
    encode_param,
)

from ...definitions.events import MaterializeResult
from ...records.metadata import normalize_metadata
from ..context import OpExecutionContext
from .context_data import context_data
from .injectors import PipesContextInjector
from .messages import PipesExecutionResult, PipesLaunchedData, PipesMessageHandler
from .readers import WRITERS, PipesMessageReader

__all__ = ["PipesSession", "open_pipes_session"]


class PipesSession:
    """An open session. `open_pipes_session` makes it.

    Args:
        context_data: What the process is told.
        message_handler: Takes its messages.
        context_injector_params: How it loads the context.
        message_reader_params: Where it sends messages.
        context: The step's context.
        created_at: Seconds since the epoch; of the step's clock if not given.
    """

    def __init__(
        self,
        context_data: PipesContextData,
        message_handler: PipesMessageHandler,
        context_injector_params: Mapping[str, Any],
        message_reader_params: Mapping[str, Any],
        context: OpExecutionContext,
        created_at: float | None = None,
    ) -> None:
        self.context_data = context_data
        self.message_handler = message_handler
        self.context_injector_params = context_injector_params
        self.message_reader_params = message_reader_params
        self.context = context
        self.created_at = context._attempt.now() if created_at is None else created_at

    # -- what a process is started with -------------------------------------------------------------------------------

    def get_bootstrap_params(self) -> Mapping[str, Any]:
        """The parameters by the names of the environment variables, not encoded."""
        return self._named(CONTEXT_VARIABLES, MESSAGES_VARIABLES, self.message_reader_params)

    def get_bootstrap_env_vars(self) -> Mapping[str, str]:
        """The environment variables of the process."""
        return _encoded(self.get_bootstrap_params())

    def get_bootstrap_cli_arguments(self) -> Mapping[str, str]:
        """The same as arguments, for processes whose environment cannot be set."""
        return _encoded(self._named(CONTEXT_ARGUMENTS, MESSAGES_ARGUMENTS, self.message_reader_params))

    def get_per_writer_bootstrap_env_vars(self) -> Sequence[Mapping[str, str]]:
        """The environment variables of each process, where there are several."""
        return [
            _encoded(self._named(CONTEXT_VARIABLES, MESSAGES_VARIABLES, each)) for each in self._params_of_writers()
        ]

    def get_per_writer_bootstrap_cli_arguments(self) -> Sequence[Mapping[str, str]]:
        """The arguments of each process, where there are several."""
        return [
            _encoded(self._named(CONTEXT_ARGUMENTS, MESSAGES_ARGUMENTS, each)) for each in self._params_of_writers()
        ]

    def _params_of_writers(self) -> Sequence[Mapping[str, Any]]:
        several: Sequence[Mapping[str, Any]] = self.message_reader_params.get(WRITERS) or [self.message_reader_params]
        return several

    def _named(self, context: Sequence[str], messages: Sequence[str], params: Mapping[str, Any]) -> dict[str, Any]:
        return {**dict.fromkeys(context, self.context_injector_params), **dict.fromkeys(messages, params)}

    # -- what it has reported -----------------------------------------------------------------------------------------

    def report_launched(self, launched_payload: PipesLaunchedData) -> None:
        """Tell what is known of the process since it was started.

        Args:
            launched_payload: A dict whose `extras` are given to the message reader.
        """
        self.message_handler.on_launched(launched_payload)

    def get_reported_results(self) -> Sequence[PipesExecutionResult]:
        """What the process has reported, in order."""
        return self.message_handler.get_reported_results()

    def get_custom_messages(self) -> Sequence[Any]:
        """What the process has passed on, in order."""
        return self.message_handler.get_custom_messages()

    def get_results(
        self, *, implicit_materializations: bool = True, metadata: Mapping[str, Any] | None = None
    ) -> Sequence[PipesExecutionResult]:
        """What the step's function returns or yields: the results of its assets and checks.

        Args:
            implicit_materializations: Also say that each asset of the step was made of which nothing was reported.
            metadata: Facts to add to each materialization; those that were reported count more.
        """
        reported = self.get_reported_results()
        told = {each.asset_key for each in reported if isinstance(each, MaterializeResult)}
        missing: list[MaterializeResult[Any]] = [
            MaterializeResult(asset_key=key)
            for key in sorted(self.context.selected_asset_keys)
            if implicit_materializations and key not in told
        ]
        added = normalize_metadata(metadata)
        for each in (*reported, *missing):
            if isinstance(each, MaterializeResult):
                each.metadata = {**added, **each.metadata}
        return (*reported, *missing)


def _encoded(params: Mapping[str, Any]) -> dict[str, str]:
    return {name: encode_param(value) for name, value in params.items()}


@contextmanager
def open_pipes_session(
    context: OpExecutionContext,
    context_injector: PipesContextInjector,
    message_reader: PipesMessageReader,
    extras: Mapping[str, Any] | None = None,
) -> Iterator[PipesSession]:
    """Open a session: start a process inside of the block, with what the session gives, and wait for its end there.

    Args:
        context: The step's context.
        context_injector: Gives the context to the process.
        message_reader: Reads what it sends. All that was sent when the block ends is taken.
        extras: Values to pass on to it; JSON must be able to hold them.

    Raises:
        UserCodeError: The extras cannot be sent; or, at the end, a report of the process cannot be understood.
    """
    told = context_data(context, extras)
    handler = PipesMessageHandler(context, message_reader)
    with (
        context_injector.inject_context(told) as injected,
        handler.handle_messages() as reads,
    ):
        yield PipesSession(told, handler, injected, reads, context)
    if not handler.received_opened_message:
        context.log.warning(
            "The external process sent no messages. "
            f"{context_injector.no_messages_debug_text()} {message_reader.no_messages_debug_text()} "
            "See whether it opens Pipes, and what it printed."
        )
    elif not handler.received_closed_message:
        context.log.warning(
            "The external process did not say that no more messages come, so some may be missing; "
            "have it open Pipes in a `with` block."
        )
    handler.raise_faults()
