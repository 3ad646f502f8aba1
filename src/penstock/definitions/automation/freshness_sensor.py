"""A sensor that runs checks of freshness when their last result no longer tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import DefinitionError
from ...records.asset import AssetState, CheckState
from ..assets.asset_check import AssetChecksDefinition
from ..assets.freshness_checks import FRESH_UNTIL, FRESHNESS_CHECK
from ..assets.selection import AssetSelection
from .run_request import RunRequest, SensorResult, SkipReason
from .sensor import SensorDefinition
from .target import DefaultSensorStatus

__all__ = ["build_sensor_for_freshness_checks", "is_due"]


def build_sensor_for_freshness_checks(
    *,
    freshness_checks: Sequence[AssetChecksDefinition],
    minimum_interval_seconds: float | None = None,
    name: str = "freshness_checks_sensor",
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    tags: Mapping[str, Any] | None = None,
) -> SensorDefinition:
    """A sensor that runs checks of freshness when an asset that was fresh may be so no longer.

    Args:
        freshness_checks: What the builders of freshness checks gave.
        minimum_interval_seconds: The least time between two looks; 30 seconds if not given.
        name: The sensor's name.
        default_status: Whether it is on until somebody turns it.
        tags: Its tags; its runs have those of their requests.

    Raises:
        DefinitionError: One of the checks was made by no builder of freshness checks, or there are none.
    """
    checks = [key for each in freshness_checks for key in each.check_keys]
    for key in checks:
        if key.name != FRESHNESS_CHECK:
            raise DefinitionError(f"The check {key.to_user_string()} is no check of freshness; leave it out.")
    if not checks:
        raise DefinitionError(f'Sensor "{name}" has no checks; give what the builders of freshness checks gave.')
    keys = sorted(checks, key=lambda key: key.to_user_string())

    def look(context: Any) -> SkipReason | SensorResult:
        now = context.instance.clock.now()
        assets = sorted({key.asset_key.to_user_string() for key in keys})
        states = context.instance.storage.assets.check_states(assets)
        made = context.instance.storage.assets.states(assets)
        due = [
            key
            for key in keys
            if is_due(states.get(key.to_user_string()), made.get(key.asset_key.to_user_string()), now)
        ]
        if not due:
            return SkipReason("Each check is at work, waits for a new materialization, or found its asset still fresh.")
        return SensorResult(run_requests=[RunRequest(asset_check_keys=due)])

    return SensorDefinition(
        name,
        evaluation_fn=look,
        minimum_interval_seconds=minimum_interval_seconds,
        description="Runs checks of freshness when an asset may no longer be fresh.",
        default_status=default_status,
        asset_selection=AssetSelection.checks(*checks),
        tags=tags,
    )


def is_due(state: CheckState | None, asset: AssetState | None, now: float) -> bool:
    """Whether a check of freshness has something new to tell.

    Args:
        state: Its latest execution; None when it never ran.
        asset: What is known of the asset that it looks at.
        now: The time, in seconds since the epoch.
    """
    if state is None:
        return True
    if state.status == "IN_PROGRESS":
        return False
    evaluation = state.evaluation
    if evaluation is None or not evaluation.passed:
        # It stays as it is until the asset is made or observed again.
        event_at = None if asset is None else asset.latest_event_at
        return event_at is not None and event_at > state.updated
    until = getattr(evaluation.metadata.get(FRESH_UNTIL), "value", None)
    return not isinstance(until, int | float) or now > until
