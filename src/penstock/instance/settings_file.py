"""Reads `penstock.yaml`: short forms written out, everything checked at once, environment variables filled in."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ..config.check import check
from ..config.env import resolve
from ..config.problems import ConfigProblem, Problem
from ..config.schema import Selector, Shape, env_name
from ..engine.retention import FOR_EVER
from ..locations.yaml_document import read_yaml
from ..wording import nearest_name
from .alerts.mistakes import mistakes_in_alerts
from .settings import FILE_NAME, AlertTarget, LogSettings, Settings, StorageSettings
from .settings_schema import schema_of, too_small_or_large

__all__ = ["file_schema", "read_settings", "variables_named"]

_SHORT_NAMES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "run_coordinator": {
        "queued": ("penstock.launch.coordinators", "QueuedRunCoordinator"),
        "immediate": ("penstock.launch.coordinators", "ImmediateRunCoordinator"),
    },
    "run_launcher": {"local": ("penstock.launch.local", "LocalRunLauncher")},
}
_COMPONENTS = ("storage", "compute_logs")
_SCHEMA_SELECTORS: frozenset[type] = frozenset((StorageSettings, LogSettings, AlertTarget))
_WITH_TICKS = ("schedule", "sensor")
_OLDER_DEFAULT = "default_op_concurrency_limit"


def file_schema() -> Shape | Selector:
    """What the file may hold, short and older forms written out."""
    return schema_of(Settings, _SCHEMA_SELECTORS)


def read_settings(home: Path, environ: Mapping[str, str] | None = None, *, file_name: str = FILE_NAME) -> Settings:
    """The settings of the instance in `home`; all defaults when it has no file.

    Args:
        home: The folder.
        environ: The environment variables; those of this process if not given.
        file_name: The name of the file.

    Raises:
        SettingsError: The file is not valid; the text names every mistake with line and column.
    """
    path = home / file_name
    if not path.exists():
        return Settings()
    environ = os.environ if environ is None else environ
    document = read_yaml(path)
    problems: list[Problem] = []
    written_out = _write_out(document.value, problems)
    schema = file_schema()
    outcome = check(schema, written_out, root="the file")
    problems += outcome.problems
    if not problems:
        outcome = resolve(schema, outcome.value, environ, root="the file")
        problems += outcome.problems
        value = _resolve_configs(outcome.value, environ, problems)
        problems += too_small_or_large(Settings, value)
        problems += _contradictions(value)
        problems += mistakes_in_alerts(value.get("alerts") or {})
    if problems:
        raise document.error([document.tell(problem) for problem in problems])
    return msgspec.convert(value, Settings)


def variables_named(home: Path, keys: Sequence[str]) -> frozenset[str]:
    """The environment variables that the file of the instance in `home` reads below these top keys.

    Args:
        home: The folder.
        keys: "storage", "run_launcher".
    """
    path = home / FILE_NAME
    document = read_yaml(path).value if path.exists() else None
    return frozenset(_names_in([document.get(key) for key in keys] if isinstance(document, dict) else []))


def _names_in(value: Any) -> Iterator[str]:
    name = env_name(value)
    if name is not None:
        yield name
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _names_in(item)


def _write_out(value: Any, problems: list[Problem]) -> Any:
    """The file's value with every short or older form in the one form that the schema knows."""
    if not isinstance(value, dict):
        return value
    written = dict(value)
    for key, names in _SHORT_NAMES.items():
        if isinstance(written.get(key), str):
            written[key] = _named(key, written[key], names, problems)
    for key in _COMPONENTS:
        if isinstance(written.get(key), dict) and "module" in written[key]:
            written[key] = {"custom": written[key]}
    if isinstance(written.get("concurrency"), dict):
        _move_limits(written, problems)
    if isinstance(written.get("retention"), dict):
        written["retention"] = _with_ticks(written["retention"], problems)
    queue = written.get("run_queue")
    if isinstance(queue, dict) and isinstance(queue.get("tag_concurrency_limits"), list):
        limits = [_plain_limit(limit) for limit in queue["tag_concurrency_limits"]]
        written["run_queue"] = queue | {"tag_concurrency_limits": limits}
    return written


def _named(key: str, name: str, names: Mapping[str, tuple[str, str]], problems: list[Problem]) -> Any:
    if name not in names:
        nearest = nearest_name(name, names)
        remedy = f'did you mean "{nearest}"?' if nearest else f"use one of {', '.join(names)}, or a mapping with "
        remedy += "" if nearest else "module, class and config."
        problems.append(_mistake((key,), f'"{key}" has no short name "{name}"; {remedy}'))
        return None
    module, cls = names[name]
    return {"module": module, "class": cls}


def _move_limits(written: dict[str, Any], problems: list[Problem]) -> None:
    """Write what `concurrency` says in newer or older words where it belongs; of two places one may say a thing."""
    concurrency = written["concurrency"] = dict(written["concurrency"])
    if "runs" in concurrency:
        runs, queue = concurrency.pop("runs") or {}, written.get("run_queue") or {}
        if not isinstance(runs, dict):
            text = '"concurrency.runs" holds a mapping, the limits of runs.'
            problems.append(_mistake(("concurrency", "runs"), text))
            return
        problems += [
            _mistake(("concurrency", "runs", name), f'"{name}" is set in run_queue and in concurrency.runs; keep one.')
            for name in sorted(set(queue) & set(runs))
        ]
        written["run_queue"] = queue | runs
    if _OLDER_DEFAULT in concurrency:
        limit = concurrency.pop(_OLDER_DEFAULT)
        if "pools" in concurrency:
            text = f'"{_OLDER_DEFAULT}" is the older form of pools.default_limit; keep "pools" alone.'
            problems.append(_mistake(("concurrency", _OLDER_DEFAULT), text))
        else:
            concurrency["pools"] = {"default_limit": limit}


def _with_ticks(retention: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """What is said of ticks, by how they ended; one number stands for all of them."""
    written = dict(retention)
    if written.pop("auto_materialize", None) is not None:
        text = (
            '"retention.auto_materialize" has no ticks of its own here: automation conditions are evaluated by '
            'sensors. Write "retention.sensor" for their ticks, and "retention.evaluations" for what they came to.'
        )
        problems.append(_mistake(("retention", "auto_materialize"), text))
    for key in _WITH_TICKS:
        if not isinstance(written.get(key), dict) or "purge_after_days" not in written[key]:
            continue
        days = written[key]["purge_after_days"]
        if isinstance(days, dict):
            started = days.get("started", FOR_EVER)
            if started != FOR_EVER:
                text = f'"started" can only be {FOR_EVER} here: a tick that has not ended is never removed. Remove it.'
                problems.append(_mistake(("retention", key, "purge_after_days", "started"), text))
            days = {status: each for status, each in days.items() if status != "started"}
        elif isinstance(days, int) and not isinstance(days, bool):
            days = dict.fromkeys(("skipped", "success", "failure"), days)
        written[key] = written[key] | {"purge_after_days": days}
    return written


def _plain_limit(limit: Any) -> Any:
    value = limit.get("value") if isinstance(limit, dict) else None
    if not isinstance(value, dict) or set(value) != {"applyLimitPerUniqueValue"}:
        return limit
    return {key: item for key, item in limit.items() if key != "value"} | {
        "apply_limit_per_unique_value": value["applyLimitPerUniqueValue"]
    }


def _contradictions(value: dict[str, Any]) -> list[Problem]:
    postgres = (value.get("storage") or {}).get("postgres")
    if postgres is not None and ("postgres_url" in postgres) == ("postgres_db" in postgres):
        text = '"storage.postgres" names the database by "postgres_url" or by "postgres_db"; give one of them.'
        return [_mistake(("storage", "postgres"), text)]
    level = (value.get("python_logs") or {}).get("python_log_level")
    if level is not None and level.upper() not in logging.getLevelNamesMapping():
        known = ", ".join(sorted(logging.getLevelNamesMapping()))
        text = f'"python_logs.python_log_level" is no log level: "{level}"; use one of {known}.'
        return [_mistake(("python_logs", "python_log_level"), text)]
    coordinator = value.get("run_coordinator")
    queued = _SHORT_NAMES["run_coordinator"]["queued"]
    if coordinator and "run_queue" in value and (coordinator["module"], coordinator["class"]) != queued:
        text = f'"run_queue" has no effect with the run coordinator {coordinator["class"]}; remove one of them.'
        return [_mistake(("run_queue",), text)]
    held = (value.get("run_queue") or {}).get("block_op_concurrency_limited_runs") or {}
    pools = (value.get("concurrency") or {}).get("pools") or {}
    if "op_concurrency_slot_buffer" in held and "op_granularity_run_buffer" in pools:
        text = '"op_granularity_run_buffer" is set here, and in run_queue as op_concurrency_slot_buffer; keep one.'
        return [_mistake(("concurrency", "pools", "op_granularity_run_buffer"), text)]
    return []


def _resolve_configs(
    value: Any, environ: Mapping[str, str], problems: list[Problem], path: tuple[str, ...] = ()
) -> Any:
    """Fill `{env: NAME}` in, also inside the config of components, whose types are not known here."""
    name = env_name(value)
    if name is not None:
        if name not in environ:
            problems.append(
                _mistake(
                    path, f'"{".".join(path)}" is read from the environment variable {name}, which is not set; set it.'
                )
            )
        return environ.get(name)
    if isinstance(value, dict):
        return {key: _resolve_configs(item, environ, problems, (*path, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_resolve_configs(item, environ, problems, (*path, str(index))) for index, item in enumerate(value)]
    return value


def _mistake(path: tuple[str, ...], text: str) -> Problem:
    return Problem(path=path, reason=ConfigProblem.RUNTIME_TYPE_MISMATCH, message=text)
