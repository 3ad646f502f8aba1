"""Ids of what has conditions: an asset's key in text form, and for checks and jobs their names after their kind."""

from __future__ import annotations

from typing import Any

from ..keys import AssetCheckKey, AssetKey

__all__ = ["check_id", "entity_id", "job_id", "key_of"]

_CHECK = "check "
_JOB = "job "


def check_id(key: str) -> str:
    """The id of the check of this key, `asset/key:name`."""
    return _CHECK + key


def job_id(name: str) -> str:
    """The id of the job of this name."""
    return _JOB + name


def entity_id(key: Any) -> str:
    """The id of what users mean by the key of an asset (or a text or parts of one) or of a check."""
    if isinstance(key, AssetCheckKey):
        return check_id(key.to_user_string())
    return AssetKey.from_coercible(key).to_user_string()


def key_of(entity: str) -> AssetKey | AssetCheckKey | str:
    """The key of the asset or check with this id; for a job its name."""
    if entity.startswith(_CHECK):
        return AssetCheckKey.from_user_string(entity.removeprefix(_CHECK))
    if entity.startswith(_JOB):
        return entity.removeprefix(_JOB)
    return AssetKey.from_user_string(entity)
