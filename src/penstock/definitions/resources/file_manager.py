"""File managers: resources that keep files which ops make and pass on by handle."""

from __future__ import annotations

import io
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from ...config.fields import Field, Shape
from ...errors import EnvironmentalError
from ...ids import new_run_id
from .resource import ResourceDefinition

__all__ = ["FileHandle", "FileManager", "LocalFileHandle", "LocalFileManager", "local_file_manager"]


class FileHandle(ABC):
    """Names a file that a file manager keeps. Ops pass it on in place of the file."""

    @property
    @abstractmethod
    def path_desc(self) -> str:
        """Where the file is, for people."""


class LocalFileHandle(FileHandle):
    """Names a file on a local disk.

    Args:
        path: Its path.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str | Path) -> None:
        self._path = str(path)

    @property
    def path(self) -> str:
        """The file's path."""
        return self._path

    @property
    def path_desc(self) -> str:
        """Where the file is, for people: its path."""
        return self._path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LocalFileHandle) and self._path == other._path

    def __hash__(self) -> int:
        return hash(self._path)

    def __repr__(self) -> str:
        return f"LocalFileHandle({self._path!r})"


class FileManager(ABC):
    """Keeps files and gives a handle for each. Subclass it for another place than the local disk."""

    @abstractmethod
    def copy_handle_to_local_temp(self, file_handle: FileHandle) -> str:
        """Copy a file to a temporary one on this machine, whose path it gives."""

    @abstractmethod
    def delete_local_temp(self) -> None:
        """Delete the temporary files that it has made."""

    @abstractmethod
    def read(self, file_handle: FileHandle, mode: str = "rb") -> Any:
        """A context manager that gives the file open for reading, as text with `mode="r"`."""

    @abstractmethod
    def read_data(self, file_handle: FileHandle) -> bytes:
        """The file's content."""

    @abstractmethod
    def write(self, file_obj: IO[Any], mode: str = "wb", ext: str | None = None) -> FileHandle:
        """Keep what a file object holds; `mode="w"` for text, `ext` for the name's ending."""

    @abstractmethod
    def write_data(self, data: bytes, ext: str | None = None) -> FileHandle:
        """Keep these bytes; `ext` for the name's ending."""


class LocalFileManager(FileManager):
    """Keeps files in a folder of this machine.

    Args:
        base_dir: The folder; it is made when the first file is kept.
    """

    def __init__(self, base_dir: str | Path) -> None:
        self.base_dir = str(base_dir)
        self._temporary: list[Path] = []

    def copy_handle_to_local_temp(self, file_handle: FileHandle) -> str:
        """Copy a file to a temporary one, whose path it gives; `delete_local_temp` deletes it."""
        with self.read(file_handle) as source, tempfile.NamedTemporaryFile(delete=False) as copied:
            self._temporary.append(Path(copied.name))
            shutil.copyfileobj(source, copied)
        return copied.name

    def delete_local_temp(self) -> None:
        """Delete the temporary files that it has made."""
        while self._temporary:
            self._temporary.pop().unlink(missing_ok=True)

    @contextmanager
    def read(self, file_handle: FileHandle, mode: str = "rb") -> Iterator[IO[Any]]:
        """The file open for reading, as text with `mode="r"`.

        Raises:
            EnvironmentalError: The file is gone, or this machine does not see it.
        """
        path = Path(file_handle.path_desc)
        try:
            file = path.open(mode, encoding=None if "b" in mode else "utf-8")
        except FileNotFoundError as error:
            raise EnvironmentalError(
                f"There is no file {path}; check that this machine sees the folder that it was written to."
            ) from error
        with file:
            yield file

    def read_data(self, file_handle: FileHandle) -> bytes:
        """The file's content."""
        with self.read(file_handle) as file:
            content: bytes = file.read()
        return content

    def write(self, file_obj: IO[Any], mode: str = "wb", ext: str | None = None) -> LocalFileHandle:
        """Keep what a file object holds under a new name; `mode="w"` for text, `ext` for the name's ending."""
        path = Path(self.base_dir, new_run_id() + (f".{ext.lstrip('.')}" if ext else ""))
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(mode, encoding=None if "b" in mode else "utf-8") as kept:
            shutil.copyfileobj(file_obj, kept)
        return LocalFileHandle(path)

    def write_data(self, data: bytes, ext: str | None = None) -> LocalFileHandle:
        """Keep these bytes under a new name; `ext` for the name's ending."""
        return self.write(io.BytesIO(data), ext=ext)


def _local_file_manager(context: Any) -> Iterator[LocalFileManager]:
    folder = (context.resource_config or {}).get("base_dir")
    with ExitStack() as stack:
        if folder is None and context.artifacts is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-files-"))
        manager = LocalFileManager(context.artifacts / "file_manager" if folder is None else folder)
        stack.callback(manager.delete_local_temp)
        yield manager


local_file_manager = ResourceDefinition(
    _local_file_manager,
    config_schema=Shape({"base_dir": Field(str, is_required=False, description="The folder.")}),
    description="Keeps files in a folder of this machine.",
)
"""A `LocalFileManager` in the folder `base_dir` of its config; else in the instance's; else in a temporary one."""
