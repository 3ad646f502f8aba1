"""Rewrites `dagster.yaml` as `penstock.yaml`: what has a meaning here stays, the rest becomes comments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import yaml

from ..config.schema import Array, ConfigType, Noneable, Selector, Shape
from .model import Note, Rewritten
from .yaml_blocks import Block, Edits, blocks_of, plain

__all__ = ["rewrite_instance_file"]

_WITHOUT_MEANING = frozenset({"telemetry", "nux", "schedules.use_threads", "sensors.use_threads"})
"""Nothing is to be done about these: nothing is reported, nothing pops up, and there is always a pool."""

_REMEDIES: Mapping[str, str] = {
    "run_monitoring.free_slots_after_run_end_seconds": "slots of pools come free with the end of their step or run.",
    "run_monitoring.enabled": "runs are always watched; set the timeouts to 0 where they shall not be.",
    "run_queue.dequeue_interval_seconds": "the queue is looked at as soon as something in it changes.",
    "run_queue.dequeue_use_threads": "the queue needs no threads.",
    "run_queue.dequeue_num_workers": "the queue needs no threads.",
    "retention.auto_materialize": "sensors evaluate automation conditions: `retention.sensor` is for their ticks.",
    "retention.schedule.purge_after_days.started": "a tick that has not ended is never removed.",
    "retention.sensor.purge_after_days.started": "a tick that has not ended is never removed.",
    "code_servers.wait_for_local_processes_on_shutdown": "code servers end with the command that started them.",
    "scheduler": "write `max_catchup_runs` under `schedules`; a tick whose daemon dies is begun again by itself.",
    "instance_class": "there is one class of instances; put what yours adds into a resource.",
    "local_artifact_storage": "keep `base_dir` alone.",
    "python_logs.dagster_handler_config": "write it as `handler_config`, which has the same keys.",
    "storage.postgres.should_autocreate_tables": "tables are made and brought up to date by whoever starts first.",
    "storage.postgres.auth_provider": "write the password, or `{env: NAME}` of a variable that holds it.",
    "storage.postgres.postgres_db.scheme": "there is one driver.",
    "storage.mysql": "there is no storage in MySQL; use Postgres.",
}


def rewrite_instance_file(text: str, schema: ConfigType) -> Rewritten:
    """The file as ours.

    Args:
        text: The old file.
        schema: What our file may hold, short forms written out.
    """
    try:
        blocks = blocks_of(text)
    except yaml.YAMLError as error:
        return Rewritten(text, (Note(1, f"This is no YAML: {error}; correct it first."),))
    return _InstanceFile(text, schema).rewrite(blocks)


class _InstanceFile:
    def __init__(self, text: str, schema: ConfigType) -> None:
        self._edits = Edits(text)
        self._schema = schema
        self._notes: list[Note] = []

    def rewrite(self, blocks: list[Block]) -> Rewritten:
        for block in blocks:
            component = plain(block.value) if block.key in _COMPONENTS else None
            if isinstance(component, dict) and "class" in component:
                self._component(block, component)
            elif block.key == "concurrency":
                self._concurrency(block)
            elif not self._prune(block, self._schema):
                self._edits.comment_out(block)
        return Rewritten(self._edits.result(), tuple(sorted(self._notes)))

    def _drop(self, block: Block, why: str | None = None) -> None:
        self._edits.comment_out(block)
        if block.dotted in _WITHOUT_MEANING:
            return
        why = why or _REMEDIES.get(block.dotted) or "there is no such setting; see docs/reference/settings.md."
        self._notes.append(Note(block.line, f"{block.dotted}: {why}"))

    def _component(self, block: Block, component: Mapping[str, Any]) -> None:
        name, config = str(component["class"]), component.get("config") or {}
        made = _COMPONENTS[block.key](name, config)
        if made is None:
            foreign = f"the class {name} is not of Penstock; see docs/reference/settings.md for components."
            self._drop(block, None if block.key == "scheduler" else foreign)
        elif made:
            kept = {key: self._known(block, key, value) for key, value in made.items()}
            self._edits.replace(block, yaml.safe_dump(kept, sort_keys=False))
        else:
            self._edits.comment_out(block)

    def _known(self, block: Block, key: str, value: Any) -> Any:
        """The part of a setting's value that means something here."""
        inner = _field(self._schema, key)
        if not isinstance(inner, Shape) or not isinstance(value, dict):
            return value
        for name in value:
            if name not in inner.fields:
                why = _REMEDIES.get(f"{key}.{name}", "there is no such setting; see docs/reference/settings.md.")
                self._notes.append(Note(block.line, f"{key}.{name}: {why}"))
        return {name: each for name, each in value.items() if name in inner.fields}

    def _concurrency(self, block: Block) -> None:
        """`runs` is the newer place of what `run_queue` says, and is read there too."""
        queue = _field(self._schema, "run_queue")
        known = _field(self._schema, "concurrency")
        kept = 0
        for inner in block.inner():
            if inner.key == "runs" and queue is not None:
                kept += self._prune_all(inner, queue)
            elif inner.key == "default_op_concurrency_limit":
                kept += 1  # the older form of pools.default_limit, which is read too
            elif known is not None and _field(known, inner.key) is not None:
                kept += self._prune_all(inner, _field(known, inner.key))
            else:
                self._drop(inner)
        if not kept:
            self._edits.comment_out(block)

    def _prune(self, block: Block, parent: ConfigType) -> bool:
        """Make comments of what a block holds and our file does not know; false if nothing of it is left."""
        kind = _field(parent, block.key)
        if kind is None:
            self._drop(block)
            return True
        return self._prune_all(block, kind)

    def _prune_all(self, block: Block, kind: ConfigType | None) -> bool:
        while isinstance(kind, Noneable):
            kind = kind.inner
        if not isinstance(kind, Shape | Selector) or not isinstance(block.value, yaml.MappingNode):
            return True
        left = False
        for inner in block.inner():
            if _field(kind, inner.key) is None:
                if not inner.movable:
                    self._drop(block, f"{inner.dotted} is no setting; write the rest of {block.dotted} in lines.")
                    return True
                self._drop(inner)
            else:
                left = self._prune(inner, kind) or left
        return left


def _field(kind: ConfigType | None, name: str) -> ConfigType | None:
    while isinstance(kind, Noneable | Array):
        kind = kind.inner if isinstance(kind, Noneable) else kind.item
    if not isinstance(kind, Shape | Selector) or name not in kind.fields:
        return None
    return kind.fields[name].type


def _coordinator(name: str, config: dict[str, Any]) -> dict[str, Any] | None:
    match name:
        case "QueuedRunCoordinator":
            return {"run_queue": config} if config else {}
        case "DefaultRunCoordinator" | "SyncInMemoryRunCoordinator":
            return {"run_coordinator": "immediate"}
    return None


def _launcher(name: str, _config: dict[str, Any]) -> dict[str, Any] | None:
    return {} if name == "DefaultRunLauncher" else None


def _logs(name: str, config: dict[str, Any]) -> dict[str, Any] | None:
    if name != "LocalComputeLogManager":
        return None
    return {"compute_logs": {"local": {"base_dir": config["base_dir"]}}} if "base_dir" in config else {}


def _artifacts(name: str, config: dict[str, Any]) -> dict[str, Any] | None:
    if name != "LocalArtifactStorage":
        return None
    return {"local_artifact_storage": {"base_dir": config["base_dir"]}} if "base_dir" in config else {}


def _runs(name: str, config: dict[str, Any]) -> dict[str, Any] | None:
    if name == "PostgresRunStorage":
        return _postgres(config)
    if name != "SqliteRunStorage":
        return None
    return {"storage": {"sqlite": {"base_dir": config["base_dir"]}}} if "base_dir" in config else {}


def _postgres(config: dict[str, Any]) -> dict[str, Any] | None:
    if "postgres_url" in config:
        return {"storage": {"postgres": {"postgres_url": config["postgres_url"]}}}
    parts = config.get("postgres_db")
    if not isinstance(parts, dict):
        return None
    # There is one driver, whatever the scheme was.
    return {"storage": {"postgres": {"postgres_db": {key: each for key, each in parts.items() if key != "scheme"}}}}


def _part_of_storage(name: str, _config: dict[str, Any]) -> dict[str, Any] | None:
    return {} if name.startswith(("Sqlite", "Consolidated", "Postgres")) else None


def _scheduler(_name: str, config: dict[str, Any]) -> dict[str, Any] | None:
    return {} if not config else None


_COMPONENTS: Mapping[str, Callable[[str, dict[str, Any]], dict[str, Any] | None]] = {
    "run_coordinator": _coordinator,
    "run_launcher": _launcher,
    "compute_logs": _logs,
    "local_artifact_storage": _artifacts,
    "run_storage": _runs,
    "event_log_storage": _part_of_storage,
    "schedule_storage": _part_of_storage,
    "scheduler": _scheduler,
}
"""What stands for a component: settings of ours, nothing ({}, since it is so by itself), or None if nobody knows."""
