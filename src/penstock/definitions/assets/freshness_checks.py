"""Builders of checks that assets are fresh: updated recently enough, or with the newest partition by a deadline.

A `FreshnessPolicy` says the same on the asset itself and needs no run; these checks are for projects that have them.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from ...errors import DefinitionError, UserCodeError
from ...partitions.cron import Cron, last_tick, next_after, parse
from ...partitions.time_window import TimeWindowPartitionsDefinition
from ...partitions.wall_time import zone_named
from ...records.asset import PartitionStatus
from ...records.keys import AssetKey
from ...records.metadata import MetadataValue
from ..events import AssetCheckResult, AssetCheckSeverity
from .asset_check import AssetChecksDefinition
from .built_checks import built_checks
from .definition import AssetsDefinition
from .spec import AssetSpec, CoercibleToAssetDep

__all__ = [
    "FRESHNESS_CHECK",
    "FRESH_UNTIL",
    "build_last_update_freshness_checks",
    "build_time_partition_freshness_checks",
    "judge_update",
]

FRESHNESS_CHECK = "freshness_check"
"""The name of checks of freshness."""

FRESH_UNTIL = "penstock/fresh_until_timestamp"
"""The label of the time until which an asset that was found fresh stays so, in the metadata of the result."""

LAST_UPDATED = "penstock/last_updated_timestamp"
"""The label of the time of the last change that an observation saw, in its metadata."""

_PARAMS = "penstock/freshness_params"
_LOWER_BOUND = "penstock/freshness_lower_bound_timestamp"
_LAST_TICK = "penstock/latest_cron_tick_timestamp"


class Judgement(msgspec.Struct, frozen=True):
    """Whether an update was recent enough: not before `lower_bound`. The next one is due at `fresh_until`."""

    passed: bool
    lower_bound: float
    deadline: float | None
    fresh_until: float


def judge_update(
    updated: float | None, now: float, *, allowed: float, deadline_cron: Cron | None = None, timezone: str = "UTC"
) -> Judgement:
    """Whether an asset was updated recently enough.

    Args:
        updated: When it was updated last; None when never.
        now: The time. All times are in seconds since the epoch.
        allowed: How many seconds before the last deadline the update may lie; without deadlines, before now.
        deadline_cron: The deadlines.
        timezone: Their time zone.
    """
    deadline = None if deadline_cron is None else last_tick(deadline_cron, now, timezone)
    lower_bound = (now if deadline is None else deadline) - allowed
    if deadline_cron is None:
        fresh_until = now if updated is None else updated + allowed
    else:
        fresh_until = next_after(deadline_cron, now, timezone)
    return Judgement(updated is not None and updated >= lower_bound, lower_bound, deadline, fresh_until)


def build_last_update_freshness_checks(
    *,
    assets: Sequence[CoercibleToAssetDep],
    lower_bound_delta: timedelta,
    deadline_cron: str | None = None,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> list[AssetChecksDefinition]:
    """Checks that assets were updated recently enough.

    An update is a materialization; of an asset that something else makes, the `penstock/last_updated_timestamp` in the
    metadata of an observation, or the observation itself.

    Args:
        assets: The assets.
        lower_bound_delta: How long ago the last update may be, or how long before the last deadline.
        deadline_cron: The deadlines as a cron line; none if not given.
        timezone: The time zone of that line.
        severity: How bad it is when an asset is not fresh.
        blocking: Whether assets downstream wait for the checks.

    Raises:
        DefinitionError: The cron line or the time zone is not valid, or there are no assets.
    """
    cron = None if deadline_cron is None else parse(deadline_cron)
    zone_named(timezone)
    allowed = lower_bound_delta.total_seconds()
    params: dict[str, Any] = {"timezone": timezone, "lower_bound_delta_seconds": allowed}
    if deadline_cron is not None:
        params["deadline_cron"] = deadline_cron

    def evaluate(context: Any, key: AssetKey) -> AssetCheckResult:
        now = context.instance.clock.now()
        updated = _updated(context, key)
        judged = judge_update(updated, now, allowed=allowed, deadline_cron=cron, timezone=timezone)
        metadata: dict[str, Any] = {
            _PARAMS: params,
            _LOWER_BOUND: MetadataValue.timestamp(judged.lower_bound),
        }
        if judged.deadline is not None:
            metadata[_LAST_TICK] = MetadataValue.timestamp(judged.deadline)
        if updated is not None:
            metadata[LAST_UPDATED] = MetadataValue.timestamp(updated)
        if judged.passed:
            metadata[FRESH_UNTIL] = MetadataValue.timestamp(judged.fresh_until)
        if updated is None:
            description = "It was never made or observed."
        else:
            word = "not before" if judged.passed else "before"
            description = f"It was updated at {_text(updated)}, {word} {_text(judged.lower_bound)}."
        return AssetCheckResult(passed=judged.passed, severity=severity, description=description, metadata=metadata)

    return built_checks(
        FRESHNESS_CHECK,
        assets,
        evaluate,
        description=f"The last update is at most {lower_bound_delta} "
        + ("ago." if deadline_cron is None else f"before the last deadline ({deadline_cron})."),
        told={**params, "severity": severity.value},
        metadata={_PARAMS: params},
        blocking=blocking,
    )


def build_time_partition_freshness_checks(
    *,
    assets: Sequence[CoercibleToAssetDep],
    deadline_cron: str,
    timezone: str = "UTC",
    severity: AssetCheckSeverity = AssetCheckSeverity.WARN,
    blocking: bool = False,
) -> list[AssetChecksDefinition]:
    """Checks that the newest partition that had ended at the last deadline is there.

    Args:
        assets: The assets, with partitions of time.
        deadline_cron: The deadlines as a cron line.
        timezone: The time zone of that line.
        severity: How bad it is when the partition is missing.
        blocking: Whether assets downstream wait for the checks.

    Raises:
        DefinitionError: The cron line or the time zone is not valid, an asset has no partitions of time, or there are
            no assets.
    """
    cron = parse(deadline_cron)
    zone_named(timezone)
    params: dict[str, Any] = {"timezone": timezone, "deadline_cron": deadline_cron}
    for each in assets:
        for spec in each.specs if isinstance(each, AssetsDefinition) else [each] if isinstance(each, AssetSpec) else ():
            if not isinstance(spec.partitions_def, TimeWindowPartitionsDefinition):
                raise DefinitionError(
                    f"Asset {spec.key} has no partitions of time; check it with build_last_update_freshness_checks."
                )

    def evaluate(context: Any, key: AssetKey) -> AssetCheckResult:
        now = context.instance.clock.now()
        deadline = last_tick(cron, now, timezone)
        metadata: dict[str, Any] = {_PARAMS: params}
        expected = None
        if deadline is not None:
            metadata[_LAST_TICK] = MetadataValue.timestamp(deadline)
            partitions = _partitions_of(context, key)
            expected = partitions.get_last_partition_key(datetime.fromtimestamp(deadline, UTC))
        if expected is None:
            passed, description = True, "No partition had ended at the last deadline."
        else:
            states = context.instance.storage.assets.partition_states(key.to_user_string(), [expected])
            state = states.get(expected)
            passed = state is not None and state.status is PartitionStatus.MATERIALIZED
            description = f"The partition {expected} is {'there' if passed else 'missing'}."
        if passed:
            metadata[FRESH_UNTIL] = MetadataValue.timestamp(next_after(cron, now, timezone))
        return AssetCheckResult(passed=passed, severity=severity, description=description, metadata=metadata)

    return built_checks(
        FRESHNESS_CHECK,
        assets,
        evaluate,
        description=f"The newest partition that had ended at the last deadline ({deadline_cron}) is there.",
        told={**params, "severity": severity.value, "partitions": True},
        metadata={_PARAMS: params},
        blocking=blocking,
    )


def _partitions_of(context: Any, key: AssetKey) -> TimeWindowPartitionsDefinition:
    node = context.job_def.asset_layer.graph.assets[key.to_user_string()]
    if not isinstance(node.partitions_def, TimeWindowPartitionsDefinition):
        raise UserCodeError(f"Asset {key} has no partitions of time, so the check cannot tell which one is the newest.")
    return node.partitions_def


def _updated(context: Any, key: AssetKey) -> float | None:
    """When an asset was updated last."""
    text = key.to_user_string()
    node = context.job_def.asset_layer.graph.assets[text]
    types = ("ASSET_MATERIALIZATION",) if node.materializable else ("ASSET_MATERIALIZATION", "ASSET_OBSERVATION")
    latest = context.instance.storage.assets.history(text, types=types, limit=1)
    if not latest:
        return None
    told = getattr(latest[0].fact.metadata.get(LAST_UPDATED), "value", None)
    return float(told) if isinstance(told, int | float) else float(latest[0].time)


def _text(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, UTC):%Y-%m-%d %H:%M:%S} UTC"
