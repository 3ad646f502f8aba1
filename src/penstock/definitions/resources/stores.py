"""The IO managers that come with Penstock: pickled files in a folder, and a dict in memory.

Files of a folder: an asset is `<asset/path>.pickle`, its partitions are `<asset/path>.partitions/<partition>.pickle`,
an output of an op is `<run id>/<step>/<output>[.<mapping key>].pickle`. Characters that a path could misread are
escaped, so that no two names share a file.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from ...config.env import EnvVar
from ...config.fields import Field, Shape
from ...errors import ConfigurationError, EnvironmentalError
from ...records.keys import AssetKey
from .io_manager import IOManager, IOManagerDefinition

__all__ = ["FilesystemIOManager", "InMemoryIOManager", "fs_io_manager", "mem_io_manager"]


class StoredOutput(Protocol):
    """What these IO managers ask of the context of an output, or of an input of an asset."""

    @property
    def has_asset_key(self) -> bool: ...
    @property
    def asset_key(self) -> AssetKey: ...
    @property
    def has_asset_partitions(self) -> bool: ...
    @property
    def asset_partition_keys(self) -> Sequence[str]: ...


class _Store(IOManager):
    """What both have in common: which entries a context means, one per partition."""

    def handle_output(self, context: Any, obj: Any) -> None:
        """Store a value; for an asset with several partitions in one run, a dict of partition key to value."""
        if not _has_partitions(context):
            self._put(context, self._entry(context, None), obj)
            return
        keys = list(context.asset_partition_keys)
        if len(keys) == 1:
            self._put(context, self._entry(context, keys[0]), obj)
            return
        if not isinstance(obj, dict) or set(obj) != set(keys):
            raise ConfigurationError(
                f"This run makes {len(keys)} partitions of {context.asset_key}, so its value must be a dict with "
                f"exactly these partition keys, not a {type(obj).__qualname__}; "
                "return one, or run one partition at a time."
            )
        for key in keys:
            self._put(context, self._entry(context, key), obj[key])

    def load_input(self, context: Any) -> Any:
        """Load a value; for an asset with several partitions, a dict of partition key to value; for none, None."""
        if not context.has_asset_key:
            return self._get(context, self._entry(context.upstream_output, None))
        if not _has_partitions(context):
            return self._get(context, self._entry(context, None))
        keys = list(context.asset_partition_keys)
        if len(keys) == 1:
            return self._get(context, self._entry(context, keys[0]))
        if not keys:
            return None  # the first partition of an asset that needs its own previous one
        return {key: self._get(context, self._entry(context, key)) for key in keys}

    def _entry(self, context: Any, partition: str | None) -> tuple[str, ...]:
        if context.has_asset_key:
            path = [_escape(part) for part in context.asset_key.path]
            if partition is None:
                return (*path[:-1], f"{path[-1]}.pickle")
            return (*path[:-1], f"{path[-1]}.partitions", f"{_escape(partition)}.pickle")
        name = context.name if context.mapping_key is None else f"{context.name}.{context.mapping_key}"
        return (context.run_id, context.step_key, f"{name}.pickle")

    def _put(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
        raise NotImplementedError

    def _get(self, context: Any, entry: tuple[str, ...]) -> Any:
        raise NotImplementedError


class FilesystemIOManager(_Store):
    """Stores values as pickled files in a folder, which all processes of a run must reach.

    Args:
        base_dir: The folder; the instance's own if not given. It is made when the first value is stored.
    """

    def __init__(self, base_dir: str | Path | None = None) -> None:
        self.base_dir = base_dir

    def _path(self, context: Any, entry: tuple[str, ...]) -> Path:
        if isinstance(self.base_dir, EnvVar):
            name = self.base_dir.get_value()
            if name is None:
                raise ConfigurationError(
                    f"The folder of this IO manager is named by the environment variable {self.base_dir}, "
                    "which is not set; set it."
                )
            return Path(name, *entry)
        return Path(self.base_dir if self.base_dir is not None else context.artifacts, *entry)

    def _put(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
        path = self._path(context, entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        # A reader sees the old file or the new one, never half of it.
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            with draft.open("wb") as file:
                pickle.dump(obj, file, protocol=pickle.HIGHEST_PROTOCOL)
            draft.replace(path)
        except (pickle.PicklingError, TypeError, AttributeError) as error:
            raise ConfigurationError(
                f"The value of {_subject(context)} is a {type(obj).__qualname__}, which cannot be pickled ({error}); "
                "return something that can, or give the output an io_manager_key of an IO manager that knows it."
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        context.add_output_metadata({"path": path})

    def _get(self, context: Any, entry: tuple[str, ...]) -> Any:
        path = self._path(context, entry)
        try:
            with path.open("rb") as file:
                return pickle.load(file)  # noqa: S301 - a file that this deployment's own code wrote
        except FileNotFoundError as error:
            raise EnvironmentalError(
                f"There is no stored value of {_subject(context)} at {path}; make it first, or check that this machine "
                "sees the folder that it was stored in."
            ) from error


class InMemoryIOManager(_Store):
    """Keeps values in a dict, for runs and tests inside one process.

    Attributes:
        values: The values by their entry's name parts.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], Any] = {}

    def _put(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
        self.values[entry] = obj

    def _get(self, context: Any, entry: tuple[str, ...]) -> Any:
        if entry not in self.values:
            raise EnvironmentalError(
                f"This process holds no value of {_subject(context)} in memory; make it in the same run, or store it "
                "with another IO manager."
            )
        return self.values[entry]


def _has_partitions(context: StoredOutput) -> bool:
    return context.has_asset_key and context.has_asset_partitions


def _subject(context: Any) -> str:
    if context.has_asset_key:
        return f"asset {context.asset_key}"
    output = getattr(context, "upstream_output", None) or context
    return f'output "{output.name}" of step {output.step_key}'


_PLAIN = re.compile(r"[A-Za-z0-9_\-: ]+")


def _escape(part: str) -> str:
    """A name as one part of a path; `%` and what follows it stands for a byte."""
    if _PLAIN.fullmatch(part):
        return part
    return "".join(
        each if _PLAIN.fullmatch(each) else "".join(f"%{byte:02X}" for byte in each.encode()) for each in part
    )


fs_io_manager = IOManagerDefinition(
    lambda context: FilesystemIOManager((context.resource_config or {}).get("base_dir")),
    config_schema=Shape({"base_dir": Field(str, is_required=False, description="The folder.")}),
    description="Stores values as pickled files in a folder.",
)
"""Stores values as pickled files in the folder `base_dir` of its config, or in the instance's own."""

mem_io_manager = IOManagerDefinition(
    lambda: InMemoryIOManager(), description="Keeps values in memory, for runs inside one process."
)
"""Keeps values in memory, for runs inside one process."""
