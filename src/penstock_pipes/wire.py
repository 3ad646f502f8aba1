"""The protocol: how parameters, context and messages look on the wire. Both sides take it from here.

The names that begin with `dagster` are the protocol's own. They are kept so that a process may use any client library
that speaks version 0.1 of it, and so that a script that uses this one may be started by any orchestrator that does.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

__all__ = [
    "CONTEXT_ARGUMENTS",
    "CONTEXT_VARIABLES",
    "INFER",
    "MESSAGES_ARGUMENTS",
    "MESSAGES_VARIABLES",
    "METADATA_TYPES",
    "PIPES_CONTEXT_CLI_ARGUMENT",
    "PIPES_CONTEXT_ENV_VAR",
    "PIPES_MESSAGES_CLI_ARGUMENT",
    "PIPES_MESSAGES_ENV_VAR",
    "PIPES_PROTOCOL_VERSION",
    "PIPES_PROTOCOL_VERSION_FIELD",
    "RUN_TYPE",
    "PipesContextData",
    "PipesDataProvenance",
    "PipesException",
    "PipesMessage",
    "PipesMetadataValue",
    "PipesOpenedData",
    "PipesPartitionKeyRange",
    "PipesTimeWindow",
    "decode_env_var",
    "decode_param",
    "encode_env_var",
    "encode_param",
    "message",
]

PIPES_PROTOCOL_VERSION = "0.1"
PIPES_PROTOCOL_VERSION_FIELD = "__dagster_pipes_version"

PIPES_CONTEXT_ENV_VAR = "PENSTOCK_PIPES_CONTEXT"
PIPES_MESSAGES_ENV_VAR = "PENSTOCK_PIPES_MESSAGES"
PIPES_CONTEXT_CLI_ARGUMENT = "--penstock-pipes-context"
PIPES_MESSAGES_CLI_ARGUMENT = "--penstock-pipes-messages"

CONTEXT_VARIABLES = (PIPES_CONTEXT_ENV_VAR, "DAGSTER_PIPES_CONTEXT")
MESSAGES_VARIABLES = (PIPES_MESSAGES_ENV_VAR, "DAGSTER_PIPES_MESSAGES")
CONTEXT_ARGUMENTS = (PIPES_CONTEXT_CLI_ARGUMENT, "--dagster-pipes-context")
MESSAGES_ARGUMENTS = (PIPES_MESSAGES_CLI_ARGUMENT, "--dagster-pipes-messages")
"""Where the two parameters are found; the orchestrator sets all, a process takes the first that is there."""

INFER = "__infer__"
RUN_TYPE = "dagster_run"
METADATA_TYPES = frozenset(
    {
        INFER,
        RUN_TYPE,
        "asset",
        "bool",
        "float",
        "int",
        "json",
        "md",
        "notebook",
        "null",
        "path",
        "table",
        "table_column_lineage",
        "table_schema",
        "text",
        "timestamp",
        "url",
    }
)
"""The kinds of metadata that a message may name; `__infer__` leaves it to the orchestrator."""


class PipesPartitionKeyRange(TypedDict):
    """The first and the last partition of a stretch."""

    start: str
    end: str


class PipesTimeWindow(TypedDict):
    """The begin and the end of a stretch of time, as ISO 8601 texts."""

    start: str
    end: str


class PipesDataProvenance(TypedDict):
    """What an asset was last made from."""

    code_version: str
    input_data_versions: Mapping[str, str]
    is_user_provided: bool


class PipesContextData(TypedDict):
    """What the orchestrator tells about the step; None where it does not apply."""

    asset_keys: Sequence[str] | None
    code_version_by_asset_key: Mapping[str, str | None] | None
    provenance_by_asset_key: Mapping[str, PipesDataProvenance | None] | None
    partition_key: str | None
    partition_key_range: PipesPartitionKeyRange | None
    partition_time_window: PipesTimeWindow | None
    run_id: str
    job_name: str | None
    retry_number: int
    extras: Mapping[str, Any]


class PipesOpenedData(TypedDict):
    """What an external process tells when it is ready."""

    extras: Mapping[str, Any]


class PipesException(TypedDict):
    """What an external process raised."""

    message: str
    stack: Sequence[str]
    name: str | None
    cause: PipesException | None
    context: PipesException | None


class PipesMetadataValue(TypedDict):
    """A metadata value with its kind."""

    type: str
    raw_value: Any


class PipesMessage(TypedDict):
    """A message; the version stands beside these under `PIPES_PROTOCOL_VERSION_FIELD`."""

    method: str
    params: Mapping[str, Any] | None


def message(method: str, params: Mapping[str, Any] | None = None) -> PipesMessage:
    """A message of this version."""
    return {PIPES_PROTOCOL_VERSION_FIELD: PIPES_PROTOCOL_VERSION, "method": method, "params": params}  # type: ignore[misc]  # the version's name is no identifier


def encode_param(value: Any) -> str:
    """A value as text that fits into an environment variable or an argument: JSON, deflated, in base 64."""
    return base64.b64encode(zlib.compress(json.dumps(value).encode("utf-8"))).decode("ascii")


def decode_param(value: str) -> Any:
    """The value behind a text that `encode_param` made."""
    return json.loads(zlib.decompress(base64.b64decode(value)).decode("utf-8"))


encode_env_var = encode_param
decode_env_var = decode_param
