"""The IO managers that come with Penstock: pickled files in a folder, and a dict in memory.

Files of a folder: an asset is `<asset/path>.pickle`, its partitions are `<asset/path>.partitions/<partition>.pickle`,
an output of an op is `<run id>/<step>/<output>[.<mapping key>].pickle`. Characters that a path could misread are
escaped, so that no two names share a file.
"""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Mapping
from copy import copy
from pathlib import Path
from typing import Any

from ...config.env import EnvVar
from ...config.fields import Field, Shape
from ...errors import ConfigurationError
from ...wording import kind_of
from .io_manager import IOManager, IOManagerDefinition
from .partition_store import MissingValueError, PartitionStore, subject_of
from .resource import ResourceDefinition

__all__ = [
    "FilesystemIOManager",
    "InMemoryIOManager",
    "custom_path_fs_io_manager",
    "fs_io_manager",
    "mem_io_manager",
]


class _EntryStore(PartitionStore):
    """Names the entry of each value by parts that no other value has."""

    def put(self, context: Any, partition: str | None, obj: Any) -> None:
        self._write(context, self._entry(context, partition), obj)

    def get(self, context: Any, partition: str | None) -> Any:
        given = context if context.has_asset_key else context.upstream_output
        return self._read(context, self._entry(given, partition))

    def _entry(self, context: Any, partition: str | None) -> tuple[str, ...]:
        if context.has_asset_key:
            path = [_escape(part) for part in context.asset_key.path]
            if partition is None:
                return (*path[:-1], f"{path[-1]}.pickle")
            return (*path[:-1], f"{path[-1]}.partitions", f"{_escape(partition)}.pickle")
        name = context.name if context.mapping_key is None else f"{context.name}.{context.mapping_key}"
        return (context.run_id, context.step_key, f"{name}.pickle")

    def _write(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
        raise NotImplementedError

    def _read(self, context: Any, entry: tuple[str, ...]) -> Any:
        raise NotImplementedError


class FilesystemIOManager(_EntryStore):
    """Stores values as pickled files in a folder, which all processes of a run must reach.

    Args:
        base_dir: The folder; the instance's own if not given. It is made when the first value is stored. The run config
            may name another.
    """

    def __init__(self, base_dir: str | Path | None = None) -> None:
        self.base_dir = base_dir

    @classmethod
    def configure_at_launch(cls, **values: Any) -> FilesystemIOManager:
        """This IO manager with what is not given here left to the run config."""
        return cls(**values)

    def to_config_dict(self) -> dict[str, Any]:
        """Its settings as a run config writes them."""
        match self.base_dir:
            case None:
                return {}
            case EnvVar() as variable:
                return {"base_dir": {"env": variable.env_var_name}}
        return {"base_dir": str(self.base_dir)}

    def __penstock_definition__(self, keys_by_id: Mapping[int, str]) -> ResourceDefinition:
        return _FilesystemDefinition(self)

    def _path(self, context: Any, entry: tuple[str, ...]) -> Path:
        if isinstance(self.base_dir, EnvVar):
            name = self.base_dir.get_value()
            if name is None:
                raise ConfigurationError(
                    f"The folder of this IO manager is named by the environment variable {self.base_dir}, "
                    "which is not set; set it."
                )
            return Path(name, *entry)
        if self.base_dir is not None:
            return Path(self.base_dir, *entry)
        if context.artifacts is None:
            raise ConfigurationError(
                f"The value of {subject_of(context)} has no folder: this IO manager names none, and there is no "
                "instance that has one; give it a base_dir, or pass an instance."
            )
        return Path(context.artifacts, *entry)

    def _write(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
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
                f"The value of {subject_of(context)} is {kind_of(obj)}, which cannot be pickled ({error}); "
                "return something that can, or give the output an io_manager_key of an IO manager that knows it."
            ) from error
        finally:
            draft.unlink(missing_ok=True)
        context.add_output_metadata({"path": path})

    def _read(self, context: Any, entry: tuple[str, ...]) -> Any:
        path = self._path(context, entry)
        try:
            with path.open("rb") as file:
                return pickle.load(file)  # noqa: S301 - a file that this deployment's own code wrote
        except FileNotFoundError as error:
            raise MissingValueError(
                f"There is no stored value of {subject_of(context)} at {path}; make it first, or check that this "
                "machine sees the folder that it was stored in."
            ) from error


class _CustomPathIOManager(FilesystemIOManager):
    """Stores each output in the file that its metadata names."""

    def _entry(self, context: Any, partition: str | None) -> tuple[str, ...]:
        path = context.definition_metadata.get("path")
        if path is None:
            raise ConfigurationError(
                f"The {subject_of(context)} does not say in which file it is stored; declare it with "
                'Out(metadata={"path": "name.pickle"}).'
            )
        return (str(path),)


class InMemoryIOManager(_EntryStore):
    """Keeps values in a dict, for runs and tests inside one process.

    Attributes:
        values: The values by their entry's name parts.
    """

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], Any] = {}

    def _write(self, context: Any, entry: tuple[str, ...], obj: Any) -> None:
        self.values[entry] = obj

    def _read(self, context: Any, entry: tuple[str, ...]) -> Any:
        if entry not in self.values:
            raise MissingValueError(
                f"This process holds no value of {subject_of(context)} in memory; make it in the same run, or store it "
                "with another IO manager."
            )
        return self.values[entry]


_PLAIN = re.compile(r"[A-Za-z0-9_\-: ]+")


def _escape(part: str) -> str:
    """A name as one part of a path; `%` and what follows it stands for a byte."""
    if _PLAIN.fullmatch(part):
        return part
    return "".join(
        each if _PLAIN.fullmatch(each) else "".join(f"%{byte:02X}" for byte in each.encode()) for each in part
    )


def _base_dir(default: dict[str, Any]) -> Shape:
    return Shape({"base_dir": Field(str, is_required=False, description="The folder.", **default)})


class _FilesystemDefinition(IOManagerDefinition):
    """A file system IO manager whose folder the run config may name."""

    def __init__(self, given: FilesystemIOManager) -> None:
        told = given.to_config_dict()
        super().__init__(
            self._make,
            _base_dir({"default_value": told["base_dir"]} if told else {}),
            "Stores values as pickled files in a folder.",
        )
        self._given = given

    @property
    def type_name(self) -> str:
        """The class of the IO manager."""
        return type(self._given).__name__

    def shown_config(self) -> dict[str, Any]:
        """Its folder."""
        return {**self._given.to_config_dict(), **super().shown_config()}

    def _make(self, context: Any) -> IOManager:
        made = copy(self._given)
        made.base_dir = (context.resource_config or {}).get("base_dir")
        return made


fs_io_manager = _FilesystemDefinition(FilesystemIOManager())
"""Stores values as pickled files in the folder `base_dir` of its config, or in the instance's own."""

custom_path_fs_io_manager = IOManagerDefinition(
    lambda context: _CustomPathIOManager(context.resource_config["base_dir"]),
    config_schema=Shape({"base_dir": Field(str, description="The folder.")}),
    description="Stores each output as a pickled file that the output's metadata names.",
)
"""Stores each output as a pickled file in the folder `base_dir`, named by the `path` in the output's metadata."""

mem_io_manager = IOManagerDefinition(
    lambda: InMemoryIOManager(), description="Keeps values in memory, for runs inside one process."
)
"""Keeps values in memory, for runs inside one process."""
