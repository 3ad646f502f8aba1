"""Sensors that react to assets: to each materialization of one, or to several assets with a cursor for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from ...errors import DefinitionError
from ...records.keys import AssetKey, CoercibleToAssetKey
from ..assets.graph import AssetGraph
from ..assets.selection import AssetSelection, CoercibleToAssetSelection
from .run_request import SkipReason
from .sensor import SensorDefinition
from .target import DefaultSensorStatus, ExecutableJob

__all__ = [
    "AssetSensorDefinition",
    "MultiAssetSensorDefinition",
    "asset_sensor",
    "monitored_keys",
    "multi_asset_sensor",
]


class AssetSensorDefinition(SensorDefinition):
    """A sensor that is called for each materialization of an asset, in order. Make one with `@asset_sensor`.

    Args:
        name: Its name; the function's if not given.
        asset_key: The asset.
        job_name: The job that it starts, by name.
        asset_materialization_fn: Its function: gets the `SensorEvaluationContext` and the materialization as an
            `EventLogEntry`; returns or yields what any sensor may, but for a cursor.
        minimum_interval_seconds: The least time between two looks; if not given, each event is looked at at once.
        description: What it does.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        required_resource_keys: Resources that its function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "ASSET"
    _interval: ClassVar[float] = 0.0
    _takes: ClassVar[tuple[str, ...]] = ("the context", "the event of the asset")
    _needs_all: ClassVar[bool] = True

    def __init__(
        self,
        name: str | None,
        asset_key: CoercibleToAssetKey,
        job_name: str | None,
        asset_materialization_fn: Callable[..., Any],
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        job: ExecutableJob | None = None,
        jobs: Sequence[ExecutableJob] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        super().__init__(
            name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )
        self.asset_key = AssetKey.from_coercible(asset_key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself, with a context and an event; with a context alone, go through the events of its
        instance, and give the requests for runs, or the reason for none."""
        if len(args) + len(kwargs) != 1:
            return super().__call__(*args, **kwargs)
        requested = self.evaluate_tick(next(iter((*args, *kwargs.values()))))
        if requested.error is not None:
            raise requested.error
        return iter(requested.run_requests or (SkipReason(requested.skip_reason),))


def asset_sensor(
    asset_key: CoercibleToAssetKey,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], AssetSensorDefinition]:
    """Make a sensor of a function that is called for each materialization of an asset, in the order in which they came.

    The function gets the `SensorEvaluationContext` and the materialization as an `EventLogEntry`; `context.cursor` is
    that of the one before. Resources may be parameters of it.

    Args:
        asset_key: The asset.
        job_name: The job that it starts, by name.
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two looks; if not given, each event is looked at at once.
        description: What it does; the function's docstring if not given.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any]) -> AssetSensorDefinition:
        return AssetSensorDefinition(
            name,
            asset_key,
            job_name,
            fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )

    return define


class MultiAssetSensorDefinition(SensorDefinition):
    """A sensor over several assets, with a cursor for each. Make one with `@multi_asset_sensor`.

    Args:
        name: Its name; the function's if not given.
        monitored_assets: The assets: keys, or a selection.
        job_name: The job that it starts, by name.
        asset_materialization_fn: Its function: gets the `MultiAssetSensorEvaluationContext`; returns or yields what any
            sensor may, but for a cursor.
        minimum_interval_seconds: The least time between two evaluations, and the time after which there is one though
            nothing was materialized; if not given, there is one at once when something was, and else after 30 seconds.
        description: What it does.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        request_assets: The assets that it makes, in place of a job.
        required_resource_keys: Resources that its function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    kind: ClassVar[str] = "MULTI_ASSET"
    _interval: ClassVar[float] = 0.0
    _needs_all: ClassVar[bool] = True

    def __init__(
        self,
        name: str | None,
        monitored_assets: CoercibleToAssetSelection,
        job_name: str | None,
        asset_materialization_fn: Callable[..., Any],
        minimum_interval_seconds: float | None = None,
        description: str | None = None,
        job: ExecutableJob | None = None,
        jobs: Sequence[ExecutableJob] | None = None,
        default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
        request_assets: CoercibleToAssetSelection | None = None,
        required_resource_keys: Iterable[str] | None = None,
        tags: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        timeout_seconds: float | None = None,
    ) -> None:
        super().__init__(
            name,
            evaluation_fn=asset_materialization_fn,
            job_name=job_name,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            asset_selection=request_assets,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )
        self.monitored_assets = monitored_assets
        if isinstance(monitored_assets, list | tuple) and not monitored_assets:
            raise DefinitionError(f"{self.what} ({self.source}) monitors no assets; name at least one.")


def monitored_keys(monitored: CoercibleToAssetSelection, graph: AssetGraph | None) -> list[AssetKey]:
    """The keys of the assets that a sensor monitors.

    Args:
        monitored: Keys, which may be of assets of other code locations, or a selection.
        graph: The assets of the code location, where they are known.

    Raises:
        DefinitionError: It is a selection, and no assets are known.
    """
    if isinstance(monitored, list | tuple | set | frozenset) and all(isinstance(each, AssetKey) for each in monitored):
        return list(monitored)
    if isinstance(monitored, AssetKey):
        return [monitored]
    if graph is None:
        raise DefinitionError(
            f"The assets to monitor are the selection {monitored!r}, which needs the Definitions to be resolved; pass "
            "definitions=, or name the assets by AssetKey."
        )
    return [AssetKey.from_user_string(key) for key in sorted(AssetSelection.from_coercible(monitored).keys_in(graph))]


def multi_asset_sensor(
    monitored_assets: CoercibleToAssetSelection,
    *,
    job_name: str | None = None,
    name: str | None = None,
    minimum_interval_seconds: float | None = None,
    description: str | None = None,
    job: ExecutableJob | None = None,
    jobs: Sequence[ExecutableJob] | None = None,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
    request_assets: CoercibleToAssetSelection | None = None,
    required_resource_keys: Iterable[str] | None = None,
    tags: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    timeout_seconds: float | None = None,
) -> Callable[[Callable[..., Any]], MultiAssetSensorDefinition]:
    """Make a sensor of a function that looks at several assets.

    The function gets the `MultiAssetSensorEvaluationContext`, which tells what was made since the function last said
    that it has seen it. Resources may be parameters of it.

    Args:
        monitored_assets: The assets: keys, or a selection.
        job_name: The job that it starts, by name.
        name: Its name; the function's if not given.
        minimum_interval_seconds: The least time between two evaluations, and the time after which there is one though
            nothing was materialized; if not given, there is one at once when something was, and else after 30 seconds.
        description: What it does; the function's docstring if not given.
        job: The job that it starts.
        jobs: The jobs that it may start; its requests name one of them.
        default_status: Whether it is on until somebody turns it.
        request_assets: The assets that it makes, in place of a job.
        required_resource_keys: Resources that the function uses as `context.resources.<key>`.
        tags: Its tags; its runs have those of their requests.
        metadata: Facts about it.
        timeout_seconds: How long an evaluation may take; as the instance says if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    def define(fn: Callable[..., Any]) -> MultiAssetSensorDefinition:
        return MultiAssetSensorDefinition(
            name,
            monitored_assets,
            job_name,
            fn,
            minimum_interval_seconds=minimum_interval_seconds,
            description=description,
            job=job,
            jobs=jobs,
            default_status=default_status,
            request_assets=request_assets,
            required_resource_keys=required_resource_keys,
            tags=tags,
            metadata=metadata,
            timeout_seconds=timeout_seconds,
        )

    return define
