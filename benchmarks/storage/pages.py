"""What our own pages ask: the operations of the UI as they stand in its source, with what each page gives them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .seed_penstock import long_run_id
from .world import COMMON_TAG, PARTITIONED, World

__all__ = ["pages"]

_DOCUMENT = re.compile(r"const (\w+) = gql(?:<[^`]*>)?`([^`]*)`")
_PART = re.compile(r"\$\{(\w+)\}")


def pages(sources: Path, world: World) -> list[tuple[str, str, dict[str, Any]]]:
    """Name, document and variables of each question that a page asks.

    Args:
        sources: The folder with the UI's services.
        world: What there is to ask for.
    """
    parts = {name: text for path in sorted(sources.glob("*.ts")) for name, text in _DOCUMENT.findall(path.read_text())}
    tag = {"tags": [{"key": COMMON_TAG[0], "value": COMMON_TAG[1]}]}
    run, key = {"runId": long_run_id(world)}, {"key": {"path": [PARTITIONED]}}
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("overview, a day", "OVERVIEW", {"since": world.now - 86400, "limit": 1000}),
        ("overview's checks", "OVERVIEW_CHECKS", {}),
        ("runs", "RUNS_PAGE", _runs({})),
        ("runs with a tag that failed", "RUNS_PAGE", _runs(tag, ["FAILURE"])),
        ("run", "RUN_DETAIL", run),
        ("run's log, its first page", "RUN_EVENTS", {**run, "limit": 1000}),
        ("assets and lineage", "ASSET_GRAPH", {}),
        ("asset, its head", "ASSET_HEAD", key),
        ("asset, its overview", "ASSET_OVERVIEW", key),
        ("asset, its events", "ASSET_EVENTS", {**key, "limit": 50}),
        ("asset, its partitions", "ASSET_PARTITIONS", key),
    ]
    return [(f"page: {title}", _whole(parts, name), variables) for title, name, variables in asked]


def _runs(where: dict[str, Any], statuses: list[str] | None = None) -> dict[str, Any]:
    """The page's own filter, and those of the counts in its tabs."""
    tabs = {"queued": ["QUEUED"], "active": ["STARTING", "STARTED", "CANCELING"], "failed": ["FAILURE"]}
    chosen = where if statuses is None else {**where, "statuses": statuses}
    return {
        "filter": chosen,
        "limit": 50,
        "all": where,
        **{name: {**where, "statuses": each} for name, each in tabs.items()},
    }


def _whole(parts: Mapping[str, str], name: str) -> str:
    """A document with the fragments that it names, each once."""
    named: dict[str, None] = {name: None}
    waiting = [name]
    while waiting:
        for part in _PART.findall(parts[waiting.pop()]):
            if part not in named:
                named[part] = None
                waiting.append(part)
    return "\n".join(_PART.sub("", parts[each]) for each in named)
