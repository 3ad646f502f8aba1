"""What schedules and sensors give: requests for runs, reasons for none, and a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from ...config.run_config import RunConfig, plain_run_config
from ...errors import DefinitionError
from ...partitions.requests import PartitionsRequest
from ...records.automation import RunRequestRecord
from ...records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..events import AssetCheckEvaluation, AssetCheckResult, AssetMaterialization, AssetObservation
from ..names import normalize_tags, optional_text

__all__ = [
    "AT_MOST",
    "AssetEvent",
    "Requested",
    "RunRequest",
    "SensorResult",
    "SkipReason",
    "join_outcomes",
    "read_outcome",
]

AT_MOST = 10_000
"""One call of a function may ask for so many runs, and tell so many events: they are stored in one transaction."""

AssetEvent: TypeAlias = AssetMaterialization | AssetObservation | AssetCheckEvaluation | AssetCheckResult
"""What may be told of an asset without a run."""


class SkipReason(msgspec.Struct, frozen=True):
    """Why an evaluation asks for no run; people read it at the tick.

    Args:
        skip_message: The reason.
    """

    skip_message: str | None = None


class RunRequest:
    """A request for a run.

    Args:
        run_key: A text under which at most one run is ever made for this schedule or sensor.
        run_config: The run's config.
        tags: Tags of the run.
        job_name: The job, where the schedule or sensor has several.
        asset_selection: Which of the job's assets to make; all if not given.
        stale_assets_only: Leave out the assets that are fresh; if all are, no run is made.
        partition_key: The partition to work on.
        asset_check_keys: Which of the job's checks to evaluate; those on the assets if not given.

    Raises:
        DefinitionError: A part is not valid.
    """

    __slots__ = (
        "asset_check_keys",
        "asset_selection",
        "job_name",
        "partition_key",
        "run_config",
        "run_key",
        "stale_assets_only",
        "tags",
    )

    def __init__(
        self,
        run_key: str | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
        asset_selection: Sequence[CoercibleToAssetKey] | None = None,
        stale_assets_only: bool = False,
        partition_key: str | None = None,
        asset_check_keys: Sequence[AssetCheckKey] | None = None,
    ) -> None:
        self.run_key = optional_text(run_key, "The run_key of a RunRequest")
        self.run_config = plain_run_config(run_config, "a RunRequest")
        self.tags = normalize_tags(tags, "A RunRequest")
        self.job_name = optional_text(job_name, "The job_name of a RunRequest")
        self.asset_selection = (
            None if asset_selection is None else [AssetKey.from_coercible(each) for each in asset_selection]
        )
        self.stale_assets_only = bool(stale_assets_only)
        self.partition_key = optional_text(partition_key, "The partition_key of a RunRequest")
        self.asset_check_keys = None if asset_check_keys is None else list(asset_check_keys)

    def record(self, extra_tags: Mapping[str, str] | None = None) -> RunRequestRecord:
        """The request as it leaves the evaluation; its own tags win over the extra ones."""
        return RunRequestRecord(
            job=self.job_name,
            run_key=self.run_key,
            run_config=self.run_config,
            tags={**(extra_tags or {}), **self.tags},
            partition=self.partition_key,
            assets=_texts(self.asset_selection),
            checks=_texts(self.asset_check_keys),
            only_stale=self.stale_assets_only,
        )

    def with_replaced_attrs(self, **attributes: Any) -> RunRequest:
        """This request with other values for some of its arguments.

        Raises:
            DefinitionError: A value is not valid, or there is no such argument.
        """
        known = {name: getattr(self, name) for name in self.__slots__}
        unknown = sorted(set(attributes) - set(known))
        if unknown:
            raise DefinitionError(f"A RunRequest has no {', '.join(unknown)}; it has {', '.join(known)}.")
        return RunRequest(**known | attributes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RunRequest) and all(
            getattr(self, name) == getattr(other, name) for name in self.__slots__
        )

    __hash__ = None  # type: ignore[assignment]  # its parts can be changed

    def __repr__(self) -> str:
        return f"RunRequest(run_key={self.run_key!r}, partition_key={self.partition_key!r}, job_name={self.job_name!r})"


class SensorResult:
    """What a sensor found.

    Args:
        run_requests: The runs that it asks for.
        skip_reason: Why it asks for none.
        cursor: What its next evaluation shall get as `context.cursor`; the present one stays if not given.
        dynamic_partitions_requests: Changes of dynamic partition sets; they are there before the runs that it asks for.
        asset_events: Materializations, observations and results of checks to store, of no run.

    Raises:
        DefinitionError: It both asks for runs and says why not, or a part is not what its place asks for.
    """

    __slots__ = ("asset_events", "cursor", "dynamic_partitions_requests", "run_requests", "skip_reason")

    def __init__(
        self,
        run_requests: Iterable[RunRequest] | None = None,
        skip_reason: str | SkipReason | None = None,
        cursor: str | None = None,
        dynamic_partitions_requests: Iterable[PartitionsRequest] | None = None,
        asset_events: Iterable[AssetEvent] | None = None,
    ) -> None:
        self.run_requests = _list(run_requests, (RunRequest,), "run_requests")
        self.skip_reason = SkipReason(skip_reason) if isinstance(skip_reason, str) else skip_reason
        if self.run_requests and self.skip_reason is not None:
            raise DefinitionError("A SensorResult has run_requests and a skip_reason; give one of them.")
        if cursor is not None and not isinstance(cursor, str):
            raise DefinitionError(f"A SensorResult has the cursor {cursor!r}; a cursor is a text, for example JSON.")
        self.cursor = cursor
        self.dynamic_partitions_requests = _list(
            dynamic_partitions_requests, PartitionsRequest.__args__, "dynamic_partitions_requests"
        )
        self.asset_events = _list(asset_events, AssetEvent.__args__, "asset_events")


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation came to, in one form.

    `acted` says that the function did something by itself. `more` says that there is more to look at, at once. `error`
    is what the function raised for one of several events; all else is of the events before it.
    """

    run_requests: tuple[RunRequest, ...] = ()
    skip_reason: str | None = None
    cursor: str | None = None
    dynamic_partitions_requests: tuple[PartitionsRequest, ...] = ()
    asset_events: tuple[AssetEvent, ...] = ()
    acted: bool = False
    more: bool = False
    error: Exception | None = None

    @property
    def skip_message(self) -> str | None:
        """Why it asks for no run."""
        return self.skip_reason


def read_outcome(returned: Any, what: str) -> Requested:
    """The one form of everything that a schedule's or sensor's function may return or yield.

    Raises:
        DefinitionError: It is none of the known forms, or too much.
    """
    if isinstance(returned, SensorResult):
        _require_few(len(returned.run_requests), len(returned.asset_events), what)
        return Requested(
            run_requests=tuple(returned.run_requests),
            skip_reason=returned.skip_reason.skip_message if returned.skip_reason is not None else None,
            cursor=returned.cursor,
            dynamic_partitions_requests=tuple(returned.dynamic_partitions_requests),
            asset_events=tuple(returned.asset_events),
        )
    if returned is None:
        return Requested()
    if isinstance(returned, RunRequest | SkipReason):
        parts: Iterable[Any] = (returned,)
    elif isinstance(returned, Iterable) and not isinstance(returned, str | Mapping):
        parts = returned
    else:
        raise _unknown(returned, what)
    outcomes: list[Requested] = []
    runs = events = 0
    for each in parts:
        if not isinstance(each, RunRequest | SkipReason | SensorResult):
            raise _unknown(each, what)
        match each:
            case RunRequest():
                outcomes.append(Requested(run_requests=(each,)))
            case SkipReason():
                outcomes.append(Requested(skip_reason=each.skip_message or ""))
            case SensorResult():
                outcomes.append(read_outcome(each, what))
        runs += len(outcomes[-1].run_requests)
        events += len(outcomes[-1].asset_events)
        _require_few(runs, events, what)
    joined = join_outcomes(outcomes)
    if joined.run_requests and any(each.skip_reason is not None for each in outcomes):
        raise DefinitionError(f"{what} gave run requests and a SkipReason; give one or the other.")
    return joined


def join_outcomes(outcomes: Iterable[Requested]) -> Requested:
    """Several outcomes as one; reasons for no run count where no other one asks for a run."""
    each_of = list(outcomes)
    requests = tuple(request for each in each_of for request in each.run_requests)
    reasons = [each.skip_reason for each in each_of if each.skip_reason]
    return Requested(
        run_requests=requests,
        skip_reason=("; ".join(dict.fromkeys(reasons)) or None) if not requests else None,
        cursor=next((each.cursor for each in reversed(each_of) if each.cursor is not None), None),
        dynamic_partitions_requests=tuple(wish for each in each_of for wish in each.dynamic_partitions_requests),
        asset_events=tuple(event for each in each_of for event in each.asset_events),
    )


def _list(given: Iterable[Any] | None, kinds: tuple[type, ...], name: str) -> list[Any]:
    items = [given] if isinstance(given, kinds) else list(given or ())
    for item in items:
        if not isinstance(item, kinds):
            known = ", ".join(kind.__name__ for kind in kinds)
            raise DefinitionError(f"A SensorResult has {item!r} among its {name}; give {known}.")
    return items


def _require_few(runs: int, events: int, what: str) -> None:
    for count, things in ((runs, "runs"), (events, "asset events")):
        if count > AT_MOST:
            raise DefinitionError(
                f"{what} gave more than {AT_MOST:,} {things} at once, so none of them counts; let a sensor give some "
                "and go on from its cursor the next time, and ask for many partitions with a backfill."
            )


def _unknown(value: Any, what: str) -> DefinitionError:
    return DefinitionError(f"{what} gave {value!r}; give RunRequest, SkipReason, SensorResult, or a list of requests.")


def _texts(keys: Iterable[AssetKey] | Iterable[AssetCheckKey] | None) -> tuple[str, ...] | None:
    return None if keys is None else tuple(key.to_user_string() for key in keys)
