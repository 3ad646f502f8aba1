"""Fixtures of the external side: a process that an orchestrator would have started."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock_pipes import PipesContext, PipesMappingParamsLoader, encode_param, open_penstock_pipes

Open = Callable[..., PipesContext]

DATA: dict[str, Any] = {
    "asset_keys": ["shop/orders"],
    "code_version_by_asset_key": {"shop/orders": "3"},
    "provenance_by_asset_key": {"shop/orders": None},
    "partition_key": "2024-01-01",
    "partition_key_range": {"start": "2024-01-01", "end": "2024-01-01"},
    "partition_time_window": {"start": "2024-01-01T00:00:00+00:00", "end": "2024-01-02T00:00:00+00:00"},
    "run_id": "some-run",
    "job_name": "nightly",
    "retry_number": 1,
    "extras": {"limit": 3},
}


def loader(context: object, messages: object) -> PipesMappingParamsLoader:
    """The parameters of a process."""
    return PipesMappingParamsLoader(
        {"PENSTOCK_PIPES_CONTEXT": encode_param(context), "PENSTOCK_PIPES_MESSAGES": encode_param(messages)}
    )


class Sent:
    """The messages that were written to a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text().splitlines()]

    def of(self, method: str) -> list[Any]:
        """The parameters of the messages of one method."""
        return [each["params"] for each in self() if each["method"] == method]


@pytest.fixture
def sent(tmp_path: Path) -> Sent:
    """What was sent so far."""
    return Sent(tmp_path / "messages")


@pytest.fixture
def opened(sent: Sent) -> Iterator[Open]:
    """Opens the context of a process, with other data where given."""

    def begin(params: dict[str, Any] | None = None, **data: Any) -> PipesContext:
        return open_penstock_pipes(params_loader=loader({"data": {**DATA, **data}}, params or {"path": str(sent.path)}))

    yield begin
    if PipesContext.is_initialized():
        PipesContext.get().close()
    PipesContext._instance = None
