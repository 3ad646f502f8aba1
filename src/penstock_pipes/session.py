"""Opens the way to the step that started this process."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from .channels import PipesMessageWriterChannel
from .context import PipesContext
from .errors import PipesWarning
from .loaders import PipesContextLoader, PipesDefaultContextLoader
from .params import PipesEnvVarParamsLoader, PipesMappingParamsLoader, PipesParamsLoader
from .wire import CONTEXT_VARIABLES, MESSAGES_VARIABLES, PipesContextData, PipesMessage, encode_param
from .writers import PipesDefaultMessageWriter, PipesMessageWriter

__all__ = ["open_penstock_pipes"]


def open_penstock_pipes(
    *,
    context_loader: PipesContextLoader | None = None,
    message_writer: PipesMessageWriter[Any] | None = None,
    params_loader: PipesParamsLoader | None = None,
) -> PipesContext:
    """Open the way to the step that started this process: `with open_penstock_pipes() as pipes: ...`.

    A script that nobody started runs as well: it is warned, its reports go nowhere, and its log goes to stderr.

    Args:
        context_loader: Loads what the orchestrator tells; from the environment or a file if not given.
        message_writer: Sends messages; to a file or a stream if not given.
        params_loader: Finds the parameters of both; in the environment if not given.

    Returns:
        The context of this process; the same one while it is open.
    """
    if PipesContext.is_initialized() and not PipesContext.get().is_closed:
        return PipesContext.get()
    params = params_loader or PipesEnvVarParamsLoader()
    if params.is_penstock_pipes_process():
        context = PipesContext(
            params, context_loader or PipesDefaultContextLoader(), message_writer or PipesDefaultMessageWriter()
        )
    else:
        warnings.warn(
            "No orchestrator started this process: what it reports goes nowhere, and its log goes to stderr.",
            PipesWarning,
            stacklevel=2,
        )
        context = _AloneContext()
    PipesContext.set(context)
    return context


class _AloneContext(PipesContext):
    """Of a script that nobody started: reports are dropped whatever they name, as there is no step to compare with."""

    def __init__(self) -> None:
        empty = encode_param({})
        nowhere = PipesMappingParamsLoader({CONTEXT_VARIABLES[0]: empty, MESSAGES_VARIABLES[0]: empty})
        super().__init__(nowhere, _EmptyContext(), _Nowhere())
        self._logger = logging.Logger("penstock-pipes", logging.DEBUG)
        self._logger.addHandler(logging.StreamHandler())

    def _asset(self, key: str | None, method: str) -> str:
        return key or ""

    def report_asset_materialization(
        self,
        metadata: Mapping[str, Any] | None = None,
        data_version: str | None = None,
        asset_key: str | None = None,
    ) -> None:
        """Drop it."""


class _EmptyContext(PipesContextLoader):
    @contextmanager
    def load_context(self, params: Mapping[str, Any]) -> Iterator[PipesContextData]:
        yield {
            "asset_keys": None,
            "code_version_by_asset_key": None,
            "provenance_by_asset_key": None,
            "partition_key": None,
            "partition_key_range": None,
            "partition_time_window": None,
            "run_id": "",
            "job_name": None,
            "retry_number": 0,
            "extras": {},
        }


class _NowhereChannel(PipesMessageWriterChannel):
    def write_message(self, message: PipesMessage) -> None:
        """Drop it."""


class _Nowhere(PipesMessageWriter[_NowhereChannel]):
    @contextmanager
    def open(self, params: Mapping[str, Any]) -> Iterator[_NowhereChannel]:
        yield _NowhereChannel()
