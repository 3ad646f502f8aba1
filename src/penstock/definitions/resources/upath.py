"""The base class of IO managers that keep one file a value, on any file system that fsspec knows.

Files below the base path: an asset is `<asset/path><extension>`, its partitions are
`<asset/path>/<partition><extension>` (one folder for each dimension of a multi-dimensional key), an output of an op is
`<run id>/<step>/<output>[/<mapping key>]<extension>`. Local paths work by themselves; `s3://...` and the like need the
extra `storage` (universal-pathlib) and fsspec's package for the file system.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import abstractmethod
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from ...records.metadata import MetadataValue
from .partition_store import MissingValueError, PartitionStore, has_partitions, may_miss, subject_of

if TYPE_CHECKING:
    from upath import UPath

__all__ = ["UPathIOManager"]


class UPathIOManager(PartitionStore):
    """Subclass it, set `extension`, and override `dump_to_path` and `load_from_path`.

    A run that works on several partitions gives and takes a dict by partition key. Where `load_from_path` is
    `async def`, several partitions are loaded at the same time. Every other method may be overridden too: for other
    paths, other metadata, other messages.

    Args:
        base_path: Where the files are; a text such as `s3://bucket/folder`, a path, or a `UPath` with storage options.
            The working directory if not given.

    Attributes:
        extension: The ending of all files, with its dot.
    """

    extension: str | None = None

    def __init__(self, base_path: Any = None) -> None:
        self._base_path = to_path("." if base_path is None else base_path)

    # -- what a subclass overrides ------------------------------------------------------------------------------------

    @abstractmethod
    def dump_to_path(self, context: Any, obj: Any, path: UPath) -> None:
        """Write a value to a file, whose folder is there.

        Args:
            context: The `OutputContext`.
            obj: The value; of several partitions, that of one.
            path: The file.
        """

    @abstractmethod
    def load_from_path(self, context: Any, path: UPath) -> Any:
        """Read a value from a file; may be `async def`.

        Args:
            context: The `InputContext`.
            path: The file.

        Raises:
            FileNotFoundError: There is no such file.
        """

    def get_metadata(self, context: Any, obj: Any) -> Mapping[str, Any]:
        """Facts about a stored value, beside its path."""
        return {}

    def get_asset_relative_path(self, context: Any) -> Any:
        """The path of an asset below the base path, without extension."""
        return PurePosixPath(*context.asset_key.path)

    def get_op_output_relative_path(self, context: Any) -> Any:
        """The path of an op's output below the base path, without extension."""
        return PurePosixPath(*getattr(context, "upstream_output", context).get_run_scoped_output_identifier())

    def get_path_for_partition(self, context: Any, path: UPath, partition: str) -> UPath:
        """The path of a partition, without extension.

        Args:
            context: The context of the output or input.
            path: The path of the whole asset, without extension.
            partition: The partition's key; the values of a multi-dimensional one are joined by `/`.
        """
        return self.make_safe_partition_path(path, partition)

    def make_safe_partition_path(self, base_path: UPath, partition: str) -> UPath:
        """A path below `base_path` whatever the key is: parts that would lead out of it are escaped."""
        parts = ["%2E" * len(part) if part in (".", "..") else part for part in partition.split("/")]
        return base_path.joinpath(*(part or "%" for part in parts))

    # -- the file system ----------------------------------------------------------------------------------------------

    @property
    def fs(self) -> Any:
        """The fsspec file system of the base path."""
        return _universal(self._base_path).fs

    @property
    def storage_options(self) -> Mapping[str, Any]:
        """What the base path tells its file system: credentials, endpoints and the like."""
        options: Mapping[str, Any] = getattr(self._base_path, "storage_options", {})
        return options

    def path_exists(self, path: UPath) -> bool:
        """Whether there is such a file or folder."""
        return path.exists()

    def make_directory(self, path: UPath) -> None:
        """Make a folder and those above it, where they are missing."""
        path.mkdir(parents=True, exist_ok=True)

    def unlink(self, path: UPath) -> None:
        """Delete a file."""
        path.unlink()

    def has_output(self, context: Any) -> bool:
        """Whether the value of an output, all of its partitions included, is stored."""
        return all(self.path_exists(path) for path in self._paths(context).values())

    # -- what is said to the log --------------------------------------------------------------------------------------

    def get_writing_output_log_message(self, path: UPath) -> str:
        """What is said before a file is written."""
        return f"{type(self).__name__} writes {path}."

    def get_loading_input_log_message(self, path: UPath) -> str:
        """What is said before a file is read."""
        return f"{type(self).__name__} reads {path}."

    def get_loading_input_partition_log_message(self, path: UPath, partition_key: str) -> str:
        """What is said before the file of one of several partitions is read."""
        return f"{type(self).__name__} reads partition {partition_key} from {path}."

    def get_missing_partition_log_message(self, partition_key: str) -> str:
        """What is said of a partition that is not stored and that the input lets be left out."""
        return f"Partition {partition_key} is not stored, and is left out since the input allows it."

    # -- storing and loading ------------------------------------------------------------------------------------------

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a value; of several partitions, a dict by key."""
        super().handle_output(context, obj)
        paths = list(self._paths(context).values())
        stored = paths[0] if len(paths) == 1 else self._whole(context)
        context.add_output_metadata({"path": MetadataValue.path(str(stored)), **self.get_metadata(context, obj)})

    def put(self, context: Any, partition: str | None, obj: Any) -> None:
        """Store a value in its file, whose folder is made if need be."""
        path = self._path(context, partition)
        self.make_directory(path.parent)
        context.log.debug(self.get_writing_output_log_message(path))
        self.dump_to_path(context=context, obj=obj, path=path)

    def get(self, context: Any, partition: str | None) -> Any:
        """Load a value from its file."""
        path = self._path(context, partition)
        context.log.debug(self.get_loading_input_log_message(path))
        try:
            value = self.load_from_path(context=context, path=path)
            return _wait_for(value) if inspect.iscoroutine(value) else value
        except FileNotFoundError as error:
            raise self._missing(context, path) from error

    def get_stored(self, context: Any, keys: Sequence[str]) -> dict[str, Any]:
        """The values of these partitions; those that are not stored are left out where the input allows it."""
        if inspect.iscoroutinefunction(self.load_from_path):
            found: dict[str, Any] = _wait_for(self.load_partitions_async(context))
            return found
        return self.load_partitions(context)

    def load_partitions(self, context: Any) -> dict[str, Any]:
        """The values of the context's partitions by key, one after another."""
        loaded = {}
        for key, path in self._paths(context).items():
            context.log.debug(self.get_loading_input_partition_log_message(path, key))
            try:
                loaded[key] = self.load_from_path(context=context, path=path)
            except FileNotFoundError as error:
                self._skip_or_raise(context, key, path, error)
        return loaded

    async def load_partitions_async(self, context: Any) -> dict[str, Any]:
        """The values of the context's partitions by key, all at the same time, where `load_from_path` is async."""

        async def load(key: str, path: UPath) -> tuple[str, Any] | None:
            context.log.debug(self.get_loading_input_partition_log_message(path, key))
            try:
                return key, await self.load_from_path(context=context, path=path)
            except FileNotFoundError as error:
                self._skip_or_raise(context, key, path, error)
                return None

        loaded = await asyncio.gather(*(load(key, path) for key, path in self._paths(context).items()))
        return dict(each for each in loaded if each is not None)

    def _skip_or_raise(self, context: Any, key: str, path: UPath, error: FileNotFoundError) -> None:
        if not may_miss(context):
            raise self._missing(context, path) from error
        context.log.debug(self.get_missing_partition_log_message(key))

    def _missing(self, context: Any, path: UPath) -> MissingValueError:
        return MissingValueError(
            f"There is no stored value of {subject_of(context)} at {path}; make it first, or check that the base path "
            f"{self._base_path} is the one that it was stored under."
        )

    # -- paths --------------------------------------------------------------------------------------------------------

    def _paths(self, context: Any) -> dict[str, UPath]:
        """The files of a context by partition; of one without partitions, its file under the empty key."""
        if not has_partitions(context):
            return {"": self._path(context, None)}
        return {key: self._path(context, key) for key in context.asset_partition_keys}

    def _path(self, context: Any, partition: str | None) -> UPath:
        whole = self._whole(context)
        if partition is not None:
            dimensions = getattr(partition, "keys_by_dimension", None)
            text = partition if dimensions is None else "/".join(dimensions[name] for name in sorted(dimensions))
            whole = self.get_path_for_partition(context, whole, text)
        return whole.with_name(f"{whole.name}{self.extension}") if self.extension else whole

    def _whole(self, context: Any) -> UPath:
        named = self.get_asset_relative_path if context.has_asset_key else self.get_op_output_relative_path
        base: UPath = self._base_path
        return base.joinpath(*PurePosixPath(str(named(context))).parts)


def to_path(given: Any) -> Any:
    """A path of the file system that a text or path means: a `UPath` where universal-pathlib is installed.

    Raises:
        ConfigurationError: It is on a file system that needs universal-pathlib, which is not installed.
    """
    if not isinstance(given, str):
        return given
    try:
        from upath import UPath
    except ImportError as error:
        if "://" in given:
            raise ConfigurationError(
                f'The path "{given}" needs universal-pathlib, which is not installed; '
                "install penstock[storage], and fsspec's package for that file system."
            ) from error
        return Path(given)
    return UPath(given)


def _universal(path: Any) -> Any:
    if hasattr(path, "fs"):
        return path
    try:
        from upath import UPath
    except ImportError as error:
        raise ConfigurationError(
            "The file system of a path is that of universal-pathlib, which is not installed; install penstock[storage]."
        ) from error
    return UPath(path)


def _wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """What a coroutine gives, also where the caller is itself inside a running event loop (a notebook)."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(coroutine)
    with ThreadPoolExecutor(1) as beside:
        return beside.submit(asyncio.run, coroutine).result()
