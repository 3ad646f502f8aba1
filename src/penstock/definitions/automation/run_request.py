"""What schedules and sensors give: requests for runs, reasons for none, and a cursor."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from ...config.run_config import RunConfig, plain_run_config
from ...errors import DefinitionError
from ...records.automation import RunRequestRecord
from ...records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..names import normalize_tags, optional_text

__all__ = ["Requested", "RunRequest", "SensorResult", "SkipReason", "read_outcome"]


class SkipReason(msgspec.Struct, frozen=True):
    """Why an evaluation asks for no run; people read it at the tick."""

    skip_message: str | None = None


class RunRequest:
    """A request for a run.

    Args:
        run_key: A text under which at most one run is ever made for this schedule or sensor.
        run_config: The run's config.
        tags: Tags of the run.
        job_name: The job, where the schedule or sensor has several.
        asset_selection: Which of the job's assets to make; all if not given.
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
        "tags",
    )

    def __init__(
        self,
        run_key: str | None = None,
        run_config: Mapping[str, Any] | RunConfig | None = None,
        tags: Mapping[str, Any] | None = None,
        job_name: str | None = None,
        asset_selection: Sequence[CoercibleToAssetKey] | None = None,
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
        )

    def __repr__(self) -> str:
        return f"RunRequest(run_key={self.run_key!r}, partition_key={self.partition_key!r}, job_name={self.job_name!r})"


class SensorResult:
    """What a sensor found.

    Args:
        run_requests: The runs that it asks for.
        skip_reason: Why it asks for none.
        cursor: What its next evaluation shall get as `context.cursor`; the present one stays if not given.

    Raises:
        DefinitionError: It both asks for runs and says why not.
    """

    __slots__ = ("cursor", "run_requests", "skip_reason")

    def __init__(
        self,
        run_requests: Iterable[RunRequest] | None = None,
        skip_reason: str | SkipReason | None = None,
        cursor: str | None = None,
    ) -> None:
        self.run_requests = list(run_requests or ())
        self.skip_reason = SkipReason(skip_reason) if isinstance(skip_reason, str) else skip_reason
        if self.run_requests and self.skip_reason is not None:
            raise DefinitionError("A SensorResult has run_requests and a skip_reason; give one of them.")
        if cursor is not None and not isinstance(cursor, str):
            raise DefinitionError(f"A SensorResult has the cursor {cursor!r}; a cursor is a text, for example JSON.")
        self.cursor = cursor


class Requested(msgspec.Struct, frozen=True, kw_only=True):
    """What an evaluation came to, in one form."""

    run_requests: tuple[RunRequest, ...] = ()
    skip_reason: str | None = None
    cursor: str | None = None


def read_outcome(returned: Any, what: str) -> Requested:
    """The one form of everything that a schedule's or sensor's function may return or yield.

    Raises:
        DefinitionError: It is none of the known forms.
    """
    if isinstance(returned, SensorResult):
        return Requested(
            run_requests=tuple(returned.run_requests),
            skip_reason=returned.skip_reason.skip_message if returned.skip_reason is not None else None,
            cursor=returned.cursor,
        )
    if returned is None:
        return Requested()
    if isinstance(returned, RunRequest | SkipReason):
        parts: Iterable[Any] = (returned,)
    elif isinstance(returned, Iterable) and not isinstance(returned, str | Mapping):
        parts = returned
    else:
        raise _unknown(returned, what)
    requests: list[RunRequest] = []
    reasons: list[str] = []
    cursor: str | None = None
    for each in parts:
        match each:
            case RunRequest():
                requests.append(each)
            case SkipReason():
                reasons.append(each.skip_message or "")
            case SensorResult():
                requests += each.run_requests
                cursor = each.cursor if each.cursor is not None else cursor
                if each.skip_reason is not None:
                    reasons.append(each.skip_reason.skip_message or "")
            case _:
                raise _unknown(each, what)
    if requests and reasons:
        raise DefinitionError(f"{what} gave run requests and a SkipReason; give one or the other.")
    return Requested(run_requests=tuple(requests), skip_reason="; ".join(reasons) or None, cursor=cursor)


def _unknown(value: Any, what: str) -> DefinitionError:
    return DefinitionError(f"{what} gave {value!r}; give RunRequest, SkipReason, SensorResult, or a list of requests.")


def _texts(keys: Iterable[AssetKey] | Iterable[AssetCheckKey] | None) -> tuple[str, ...] | None:
    return None if keys is None else tuple(key.to_user_string() for key in keys)
