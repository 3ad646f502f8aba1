"""What user functions return, yield or raise: outputs, facts about assets, results of checks, and failures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec

from ..errors import DefinitionError
from ..records.data_version import DataVersion
from ..records.keys import AssetCheckKey, AssetKey, CoercibleToAssetKey
from ..records.metadata import Metadata, MetadataValue, normalize_metadata
from .names import normalize_tags, optional_text
from .ops.ports import DEFAULT_OUTPUT
from .source import place_of_call

__all__ = [
    "NO_VALUE",
    "AssetCheckEvaluation",
    "AssetCheckResult",
    "AssetCheckSeverity",
    "AssetMaterialization",
    "AssetObservation",
    "DynamicOutput",
    "Failure",
    "MaterializeResult",
    "ObserveResult",
    "Output",
    "RetryRequested",
]

T = TypeVar("T")

NO_VALUE: Any = msgspec.UNSET
"""The mark for "no value", since None may be one."""


def _version(given: Any, what: str) -> DataVersion | None:
    if given is None or isinstance(given, DataVersion):
        return given
    raise DefinitionError(f'{what} has the data_version {given!r}; give a DataVersion, for example DataVersion("1").')


_MAPPING_KEY = re.compile(r"[A-Za-z0-9_]+")


class _Equal:
    """Equal where the kind and all parts are."""

    __slots__ = ()
    __hash__ = None  # type: ignore[assignment]  # parts such as metadata have none

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        names = [name for kind in type(self).__mro__ for name in getattr(kind, "__slots__", ())]
        return all(bool(getattr(self, name) == getattr(other, name)) for name in names)


class Output(_Equal, Generic[T]):
    """A value for an output, with facts about it.

    Args:
        value: The value, which an IO manager stores.
        output_name: Which output it is for.
        metadata: Facts about it.
        data_version: Which content it is, where the output makes an asset; computed if not given.
        tags: Tags of the materialization, where the output makes an asset.
    """

    __slots__ = ("data_version", "metadata", "output_name", "tags", "value")
    value: T
    metadata: Metadata

    def __init__(
        self,
        value: T,
        output_name: str = DEFAULT_OUTPUT,
        metadata: Mapping[str, Any] | None = None,
        *,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.value = value
        self.output_name = output_name
        self.metadata = normalize_metadata(metadata)
        self.data_version = _version(data_version, f"The output {output_name!r}")
        self.tags = normalize_tags(tags, f"The output {output_name!r}")

    def __repr__(self) -> str:
        return f"Output({self.value!r}, output_name={self.output_name!r})"


class DynamicOutput(_Equal, Generic[T]):
    """One value of a dynamic output.

    Args:
        value: The value.
        mapping_key: What tells it from the others: letters, digits and `_`, once per run of the step.
        output_name: Which output it is for.
        metadata: Facts about it.

    Raises:
        DefinitionError: The mapping key holds other characters.
    """

    __slots__ = ("mapping_key", "metadata", "output_name", "value")
    value: T
    metadata: Metadata

    def __init__(
        self,
        value: T,
        mapping_key: str,
        output_name: str = DEFAULT_OUTPUT,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        mapping_key = str(mapping_key)
        if not _MAPPING_KEY.fullmatch(mapping_key):
            raise DefinitionError(
                f"{mapping_key!r}{place_of_call()} cannot be the mapping_key of a DynamicOutput, since it names a "
                "step; use letters, digits and underscores."
            )
        self.value = value
        self.mapping_key = mapping_key
        self.output_name = output_name
        self.metadata = normalize_metadata(metadata)

    def __repr__(self) -> str:
        return f"DynamicOutput({self.value!r}, {self.mapping_key!r}, output_name={self.output_name!r})"


class _AssetFact(_Equal):
    """What a materialization and an observation share."""

    __slots__ = ("asset_key", "description", "metadata", "partition", "tags")

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        partition: str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        self.asset_key = AssetKey.from_coercible(asset_key)
        what = f"the event of asset {self.asset_key}"
        self.description = optional_text(description, f"The description of {what}")
        self.metadata: Metadata = normalize_metadata(metadata)
        self.partition = optional_text(partition, f"The partition of {what}")
        self.tags = normalize_tags(tags, f"The event of asset {self.asset_key}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.asset_key!r}, partition={self.partition!r})"


class AssetMaterialization(_AssetFact):
    """Says that an asset, or one of its partitions, was made.

    Args:
        asset_key: The asset.
        description: What to tell about it.
        metadata: Facts about it.
        partition: The partition, if one.
        tags: Tags of this materialization.
    """

    __slots__ = ()

    @staticmethod
    def file(
        path: str, description: str | None = None, asset_key: CoercibleToAssetKey | None = None
    ) -> AssetMaterialization:
        """Says that a file was written.

        Args:
            path: The file's path, which is kept as metadata.
            description: What to tell about it.
            asset_key: The asset; the path if not given.
        """
        return AssetMaterialization(
            path if asset_key is None else asset_key,
            description=description,
            metadata={"path": MetadataValue.path(path)},
        )


class AssetObservation(_AssetFact):
    """Records facts about an asset without saying that it was made. It takes what `AssetMaterialization` takes."""

    __slots__ = ()


class AssetCheckSeverity(StrEnum):
    """How bad it is when a check does not pass."""

    WARN = "WARN"
    ERROR = "ERROR"


def _severity(given: Any) -> AssetCheckSeverity:
    if given in tuple(AssetCheckSeverity):
        return AssetCheckSeverity(given)
    names = " or ".join(f"AssetCheckSeverity.{each.name}" for each in AssetCheckSeverity)
    raise DefinitionError(f"The severity of a check{place_of_call()} is {given!r}; give {names}.")


class AssetCheckEvaluation(_Equal):
    """The outcome of a check as it is recorded, for example by a function that is no check itself.

    Args:
        asset_key: The asset that was checked.
        check_name: The check.
        passed: Whether all is well.
        metadata: Facts that show why.
        target_materialization_data: The materialization that was judged, where known.
        severity: How bad it is if it did not pass.
        description: What to tell about it.
        blocking: Whether it blocks what is downstream.
        partition: The partition that was checked.
    """

    __slots__ = (
        "asset_key",
        "blocking",
        "check_name",
        "description",
        "metadata",
        "partition",
        "passed",
        "severity",
        "target_materialization_data",
    )

    def __init__(
        self,
        asset_key: CoercibleToAssetKey,
        check_name: str,
        passed: bool,
        metadata: Mapping[str, Any] | None = None,
        target_materialization_data: Any = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
        blocking: bool | None = None,
        partition: str | None = None,
    ) -> None:
        self.asset_key = AssetKey.from_coercible(asset_key)
        self.check_name = check_name
        self.passed = bool(passed)
        self.metadata: Metadata = normalize_metadata(metadata)
        self.target_materialization_data = target_materialization_data
        self.severity = _severity(severity)
        self.description = optional_text(description, "The description of an AssetCheckEvaluation")
        self.blocking = bool(blocking)
        self.partition = optional_text(partition, "The partition of an AssetCheckEvaluation")

    @property
    def asset_check_key(self) -> AssetCheckKey:
        """The check's full key."""
        return AssetCheckKey(self.asset_key, self.check_name)

    def __repr__(self) -> str:
        return f"AssetCheckEvaluation({self.asset_key!r}, {self.check_name!r}, passed={self.passed})"


class AssetCheckResult(_Equal):
    """The outcome of a check.

    Args:
        passed: Whether all is well.
        asset_key: The asset that was checked; needed only where a function checks several.
        check_name: The check; needed only where a function evaluates several.
        metadata: Facts that show why.
        severity: How bad it is if it did not pass.
        description: What to tell about it.
    """

    __slots__ = ("asset_key", "check_name", "description", "metadata", "passed", "severity")

    def __init__(
        self,
        *,
        passed: bool,
        asset_key: CoercibleToAssetKey | None = None,
        check_name: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        severity: AssetCheckSeverity = AssetCheckSeverity.ERROR,
        description: str | None = None,
    ) -> None:
        self.passed = bool(passed)
        self.asset_key = None if asset_key is None else AssetKey.from_coercible(asset_key)
        self.check_name = optional_text(check_name, "The check_name of an AssetCheckResult")
        self.metadata: Metadata = normalize_metadata(metadata)
        self.severity = _severity(severity)
        self.description = optional_text(description, "The description of an AssetCheckResult")

    @property
    def check_key(self) -> AssetCheckKey | None:
        """The full key, where both parts are given."""
        if self.asset_key is None or self.check_name is None:
            return None
        return AssetCheckKey(self.asset_key, self.check_name)

    def __repr__(self) -> str:
        return f"AssetCheckResult(passed={self.passed}, check_name={self.check_name!r})"


class _AssetResult(_Equal):
    """What the results of making and of observing an asset share; `facts` are the metadata as they are stored."""

    __slots__ = ("asset_key", "check_results", "data_version", "facts", "metadata", "tags")

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, Any] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        name = type(self).__name__
        self.asset_key = None if asset_key is None else AssetKey.from_coercible(asset_key)
        self.metadata = dict(metadata or {})
        self.facts = normalize_metadata(metadata)
        self.check_results = tuple(check_results or ())
        self.data_version = _version(data_version, f"The {name}")
        self.tags = normalize_tags(tags, f"The {name}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}(asset_key={self.asset_key!r})"


class MaterializeResult(_AssetResult, Generic[T]):
    """Says that an asset was made, with facts about it.

    Args:
        asset_key: The asset; needed only where a function makes several.
        metadata: Facts about what was made.
        check_results: Outcomes of checks that the function evaluates beside making the asset.
        data_version: Which content it is; computed from the versions of code and inputs if not given.
        tags: Tags of the materialization.
        value: What an IO manager shall store; nothing if not given.
    """

    __slots__ = ("value",)
    value: T

    def __init__(
        self,
        asset_key: CoercibleToAssetKey | None = None,
        metadata: Mapping[str, Any] | None = None,
        check_results: Sequence[AssetCheckResult] | None = None,
        data_version: DataVersion | None = None,
        tags: Mapping[str, str] | None = None,
        value: T = NO_VALUE,
    ) -> None:
        super().__init__(asset_key, metadata, check_results, data_version, tags)
        self.value = value

    @property
    def has_value(self) -> bool:
        """Whether there is a value to store."""
        return self.value is not NO_VALUE


class ObserveResult(_AssetResult):
    """Says that an asset which something else makes was looked at, with facts about it.

    Args:
        asset_key: The asset; needed only where a function observes several.
        metadata: Facts about it.
        check_results: Outcomes of checks that the function evaluates beside observing the asset.
        data_version: Which content it has.
        tags: Tags of the observation.
    """

    __slots__ = ()


class Failure(Exception):  # noqa: N818 - the name that users know
    """Raise it to fail a step with a text and facts.

    Args:
        description: What went wrong.
        metadata: Facts that show it.
        allow_retries: Whether the step's retry policy applies; it does if not given.
    """

    def __init__(
        self,
        description: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        allow_retries: bool | None = None,
    ) -> None:
        super().__init__(description or "")
        self.description = description
        self.metadata: Metadata = normalize_metadata(metadata)
        self.allow_retries = True if allow_retries is None else allow_retries


class RetryRequested(Exception):  # noqa: N818 - the name that users know
    """Raise it to have the step tried again.

    Args:
        max_retries: How many retries there may be in all.
        seconds_to_wait: How long to wait before the next one.
    """

    def __init__(self, max_retries: int = 1, seconds_to_wait: float | None = None) -> None:
        super().__init__(f"The step asked to be tried again, at most {max_retries} times.")
        self.max_retries = max_retries
        self.seconds_to_wait = seconds_to_wait
