"""Data versions: texts that say which content an asset holds, so that equal ones mean equal content.

They travel as tags of materializations and observations, with the versions of code and inputs that led to them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import msgspec

from ..errors import DefinitionError
from .keys import AssetKey

__all__ = [
    "DataProvenance",
    "DataVersion",
    "DataVersionState",
    "DataVersionsByPartition",
    "VersionTag",
    "combined_version",
    "computed_version",
    "input_versions",
    "version_tags",
]


class VersionTag:
    """Tags of materializations and observations; the last two take an asset's key in text form behind them."""

    DATA_VERSION = "penstock/data_version"
    DATA_VERSION_IS_USER_PROVIDED = "penstock/data_version_is_user_provided"
    CODE_VERSION = "penstock/code_version"
    INPUT_DATA_VERSION = "penstock/input_data_version/"
    INPUT_EVENT_POINTER = "penstock/input_event_pointer/"


class DataVersion(msgspec.Struct, frozen=True):
    """Which content an asset, or one of its partitions, holds.

    Args:
        value: A text; equal texts mean equal content.

    Raises:
        DefinitionError: It is no text.
    """

    value: str

    def __post_init__(self) -> None:
        if not isinstance(self.value, str):
            raise DefinitionError(f"A DataVersion has the value {self.value!r}; give a text.")


class DataVersionsByPartition:
    """Which content each of several partitions of an asset holds.

    Args:
        data_versions_by_partition: The data version, or its text, by partition key.
    """

    __slots__ = ("data_versions_by_partition",)

    def __init__(self, data_versions_by_partition: Mapping[str, str | DataVersion]) -> None:
        self.data_versions_by_partition = {
            key: each if isinstance(each, DataVersion) else DataVersion(each)
            for key, each in data_versions_by_partition.items()
        }


class DataVersionState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which content an asset or partition holds as its latest event says, and what it was made of.

    `inputs` are the data versions of the assets that it depends on, as they were then. `code_version` is None where the
    event says neither, as that of a report from outside a run.
    """

    asset: str
    partition: str | None = None
    event: int
    time: float
    run_id: str | None = None
    version: str
    observed: bool = False
    code_version: str | None = None
    inputs: dict[str, str] = {}


class DataProvenance(msgspec.Struct, frozen=True):
    """What a materialization was made of.

    Args:
        code_version: The version of the code; the run's id where the code names none.
        input_data_versions: The data versions of the assets that it depends on, as they were then.
        input_storage_ids: The events that told of them; None where there was none, or it was of the same run.
        is_user_provided: Whether user code gave its data version, instead of it being computed.
    """

    code_version: str
    input_data_versions: Mapping[AssetKey, DataVersion]
    input_storage_ids: Mapping[AssetKey, int | None]
    is_user_provided: bool

    @staticmethod
    def from_tags(tags: Mapping[str, str]) -> DataProvenance | None:
        """The provenance in the tags of a materialization; None if it has none."""
        code_version = tags.get(VersionTag.CODE_VERSION)
        if code_version is None:
            return None
        pointers = _by_key(tags, VersionTag.INPUT_EVENT_POINTER)
        return DataProvenance(
            code_version=code_version,
            input_data_versions={
                key: DataVersion(value) for key, value in _by_key(tags, VersionTag.INPUT_DATA_VERSION).items()
            },
            input_storage_ids={key: int(value) if value.isdecimal() else None for key, value in pointers.items()},
            is_user_provided=tags.get(VersionTag.DATA_VERSION_IS_USER_PROVIDED) == "true",
        )


def _by_key(tags: Mapping[str, str], prefix: str) -> dict[AssetKey, str]:
    return {
        AssetKey.from_user_string(tag.removeprefix(prefix)): value
        for tag, value in tags.items()
        if tag.startswith(prefix)
    }


def input_versions(tags: Mapping[str, str]) -> dict[str, str]:
    """The data versions of inputs in the tags of a materialization, by asset in text form."""
    prefix = VersionTag.INPUT_DATA_VERSION
    return {tag.removeprefix(prefix): value for tag, value in tags.items() if tag.startswith(prefix)}


def version_tags(version: DataVersion | None) -> dict[str, str]:
    """The tags of a version that user code gives."""
    if version is None:
        return {}
    return {VersionTag.DATA_VERSION: version.value, VersionTag.DATA_VERSION_IS_USER_PROVIDED: "true"}


def computed_version(code_version: str, inputs: Mapping[str, str]) -> str:
    """The data version of what this code makes of inputs with these data versions, by asset."""
    return _digest(code_version, *(part for key in sorted(inputs) for part in (key, inputs[key])))


def combined_version(versions: Mapping[str, str]) -> str:
    """One data version for several partitions, by key."""
    if len(versions) == 1:
        return next(iter(versions.values()))
    return _digest(*(part for key in sorted(versions) for part in (key, versions[key])))


def _digest(*parts: str) -> str:
    hashed = hashlib.sha256()
    for part in parts:
        text = part.encode(errors="surrogatepass")
        hashed.update(b"%d:" % len(text))
        hashed.update(text)
    return hashed.hexdigest()
