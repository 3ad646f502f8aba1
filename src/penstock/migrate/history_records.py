"""Runs, schedules, sensors and their ticks of Dagster's as our records."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, NamedTuple

import msgspec

from ..codec import decode_json
from ..ids import run_id_derived_from
from ..records.automation import InstigatorKind, InstigatorStatus, Tick, TickStatus, instigator_id
from ..records.run import HERE, Run, Tag
from .history_tables import RunRow
from .history_values import Raw, asset_of, chosen, error_of

__all__ = ["IMPORTED_RUN", "Names", "OldCursor", "OldInstigator", "OldTick", "instigator_of", "run_of", "tick_of"]

IMPORTED_RUN = "penstock/imported_run_id"
"""The tag with the id that a run had where it was imported from."""

_LEFT_OUT = frozenset({"dagster/code_location", "dagster/tick", "dagster/failure_reason"})
"""Tags that have a field of their own here, or name a row of the old tables."""

_RUN_TAGS = frozenset({Tag.PARENT_RUN, Tag.ROOT_RUN, Tag.AUTO_RETRY_RUN})
"""Tags whose value is a run's id."""


class Names:
    """What things are called here.

    Args:
        prefixes: How labels and tag keys begin there, and what that is here.
        locations: Code locations, old to new; under '' the one for all others.
    """

    def __init__(self, prefixes: Mapping[str, str], locations: Mapping[str, str]) -> None:
        self._prefixes = prefixes
        self._locations = locations
        self._runs: dict[str, str] = {}

    def label(self, label: str) -> str:
        """A label of metadata, or the key of a tag."""
        for theirs, ours in self._prefixes.items():
            if label.startswith(theirs):
                return ours + label[len(theirs) :]
        return label

    def location(self, name: str) -> str:
        """A code location."""
        return self._locations.get(name) or self._locations.get("") or name

    def know_run(self, run_id: str, created: float) -> None:
        """Give a run its id here, which sorts by the time that it was made at, as all ids here do."""
        self._runs[run_id] = run_id_derived_from(run_id, created)

    def run_id(self, run_id: str) -> str:
        """A run's id; one that is not in the history stays as it is."""
        return self._runs.get(run_id, run_id)


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    run_config: Any = None
    parent_run_id: str | None = None
    root_run_id: str | None = None
    step_keys_to_execute: list[str] | None = None
    asset_selection: Any = None
    asset_check_selection: Any = None
    external_pipeline_origin: dict[str, Any] | None = None


def run_of(row: RunRow, tags: Mapping[str, str], names: Names) -> Run:
    """A run as it was made; what happened to it is in its events.

    Raises:
        msgspec.MsgspecError, KeyError, TypeError, ValueError: It cannot be read.
    """
    body = decode_json(row.body, _Body)
    kept = {names.label(key): value for key, value in tags.items() if key[:1] != "." and key not in _LEFT_OUT}
    kept |= {key: names.run_id(kept[key]) for key in _RUN_TAGS & kept.keys()}
    kept[IMPORTED_RUN] = row.run_id
    assets = tuple(sorted(map(asset_of, _members(body.asset_selection))))
    checks = tuple(sorted(map(_check_of, _members(body.asset_check_selection))))
    named = tags.get("dagster/code_location") or _location_of(body.external_pipeline_origin)
    return Run(
        run_id=names.run_id(row.run_id),
        location=names.location(named or HERE),
        job=row.job,
        run_config=body.run_config if isinstance(body.run_config, dict) else {},
        tags=kept,
        # Of a run that is no repetition it only repeats what the job has.
        step_keys=tuple(body.step_keys_to_execute) if body.parent_run_id and body.step_keys_to_execute else None,
        assets=assets or None,
        checks=checks or None,
        parent_run_id=None if body.parent_run_id is None else names.run_id(body.parent_run_id),
        root_run_id=None if body.root_run_id is None else names.run_id(body.root_run_id),
        created=row.created,
        updated=row.created,
    )


def _members(selection: Any) -> list[Raw]:
    if isinstance(selection, dict):
        selection = selection.get("__frozenset__") or selection.get("__set__")
    return list(selection or ())


def _check_of(raw: Raw) -> str:
    return f"{asset_of(raw['asset_key'])}:{raw['name']}"


def _location_of(origin: Raw | None) -> str | None:
    if not origin:
        return None
    name: str | None = origin["external_repository_origin"]["repository_location_origin"]["location_name"]
    return name


class OldCursor(StrEnum):
    """What a sensor's cursor there means here."""

    OWN = "its function's own: it stays as it is"
    PLACE = "up to where the log was read: here, up to the newest event that was imported"
    FOREIGN = "numbers of events of several assets: nothing"


class OldInstigator(NamedTuple):
    """A schedule or sensor: its id here, its switch, and its cursor there."""

    id: str
    location: str
    kind: InstigatorKind
    name: str
    status: InstigatorStatus
    cursor: str | None
    meaning: OldCursor


def instigator_of(body: str, names: Names) -> OldInstigator:
    """A schedule or sensor.

    Raises:
        msgspec.MsgspecError, KeyError, TypeError, ValueError: It cannot be read, or is no schedule or sensor.
    """
    raw = decode_json(body, dict[str, Any])
    kind = InstigatorKind(chosen(raw["job_type"]))
    name = raw["origin"]["job_name"]
    location = names.location(_location_of(raw["origin"]) or HERE)
    data = raw.get("job_specific_data") or {}
    sensor_type = chosen(data["sensor_type"]) if data.get("sensor_type") else ""
    return OldInstigator(
        instigator_id(location, kind, name),
        location,
        kind,
        name,
        InstigatorStatus(chosen(raw["status"])),
        data.get("cursor"),
        _MEANINGS.get(sensor_type, OldCursor.FOREIGN),
    )


_MEANINGS = {"STANDARD": OldCursor.OWN, "ASSET": OldCursor.PLACE, "RUN_STATUS": OldCursor.PLACE}
"""By a sensor's type, what its cursor means."""


class OldTick(NamedTuple):
    """An evaluation that has ended, and the runs that it made: run key and id here."""

    tick: Tick
    runs: tuple[tuple[str | None, str], ...]


def tick_of(body: str, instigator: str, names: Names) -> OldTick | None:
    """An evaluation; None for one that had not ended.

    Raises:
        msgspec.MsgspecError, KeyError, TypeError, ValueError: It cannot be read.
    """
    raw = decode_json(body, dict[str, Any])
    status = TickStatus(chosen(raw["status"]))
    if status is TickStatus.STARTED:
        return None
    begun = float(raw["timestamp"])
    keys = tuple(raw.get("run_keys") or ())
    ids = tuple(raw.get("run_ids") or ())
    requests = raw.get("run_requests") or ()
    by_id = {}
    if len(requests) == len(ids):
        by_id = {run_id: each.get("run_key") for run_id, each in zip(ids, requests, strict=True)}
    elif len(keys) == len(ids):
        by_id = dict(zip(ids, keys, strict=True))
    tick = Tick(
        instigator=instigator,
        due=begun,
        status=status,
        started=begun,
        ended=float(raw.get("end_timestamp") or begun),
        run_ids=tuple(map(names.run_id, ids)),
        run_keys=keys,
        skip_reason=raw.get("skip_reason"),
        error=error_of(raw.get("error")),
        cursor=raw.get("cursor"),
    )
    return OldTick(tick, tuple((by_id.get(each), names.run_id(each)) for each in ids))
