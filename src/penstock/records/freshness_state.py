"""How fresh an asset is, as it is told and kept."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["AssetFreshness", "FreshnessState"]


class FreshnessState(StrEnum):
    """Whether an asset is as fresh as its policy asks for."""

    PASS = "PASS"  # noqa: S105 - no password
    WARN = "WARN"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


class AssetFreshness(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh an asset is, as it was told last; `since` is when it became so, in seconds since the epoch, and `event`
    the id of the `FreshnessStateChange`."""

    asset: str
    state: FreshnessState
    since: float
    event: int
