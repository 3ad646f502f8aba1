"""Files that ops make and pass on by handle."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    FileHandle,
    Instance,
    LocalFileHandle,
    LocalFileManager,
    OpExecutionContext,
    build_resources,
    job,
    local_file_manager,
    op,
)
from penstock.errors import EnvironmentalError


def test_files_are_kept_and_read(tmp_path: Path) -> None:
    files = LocalFileManager(tmp_path / "kept")
    first = files.write_data(b"one")
    second = files.write(io.StringIO("two"), mode="w", ext="txt")
    third = files.write(io.BytesIO(b"one"), ext=".bin")
    assert len({first, second, third}) == 3
    assert files.read_data(first) == files.read_data(third) == b"one"
    with files.read(second, mode="r") as file:
        assert file.read() == "two"
    assert (Path(second.path).suffix, Path(third.path_desc).suffix) == (".txt", ".bin")
    assert Path(first.path).parent == tmp_path / "kept"


def test_a_handle_is_its_path() -> None:
    handle = LocalFileHandle("/a/b")
    assert isinstance(handle, FileHandle)
    assert handle == LocalFileHandle(Path("/a/b"))
    assert (handle.path, handle.path_desc, repr(handle)) == ("/a/b", "/a/b", "LocalFileHandle('/a/b')")


def test_copies_are_deleted(tmp_path: Path) -> None:
    files = LocalFileManager(tmp_path)
    copied = Path(files.copy_handle_to_local_temp(files.write_data(b"x")))
    assert copied.read_bytes() == b"x"
    files.delete_local_temp()
    assert not copied.exists()


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentalError, match=r"There is no file .*gone"):
        LocalFileManager(tmp_path).read_data(LocalFileHandle(tmp_path / "gone"))


def test_where_files_are_kept(tmp_path: Path) -> None:
    with build_resources(
        {"files": local_file_manager}, resource_config={"files": {"config": {"base_dir": str(tmp_path)}}}
    ) as opened:
        assert Path(opened.files.write_data(b"x").path).parent == tmp_path
    with (
        Instance.ephemeral() as instance,
        build_resources({"files": local_file_manager}, instance=instance) as opened,
    ):
        assert Path(opened.files.write_data(b"x").path).parent == instance.artifacts / "file_manager"
    with build_resources({"files": local_file_manager}) as opened:
        lost = Path(opened.files.write_data(b"x").path)
        assert lost.exists()
    assert not lost.exists()


def test_ops_pass_files_on() -> None:
    @op(required_resource_keys={"files"})
    def write(context: OpExecutionContext) -> Any:
        return context.resources.files.write_data(b"content")

    @op(required_resource_keys={"files"})
    def read(context: OpExecutionContext, handle: Any) -> bytes:
        content: bytes = context.resources.files.read_data(handle)
        return content

    @job(resource_defs={"files": local_file_manager})
    def passes() -> None:
        read(write())

    with Instance.ephemeral() as instance:
        assert passes.execute_in_process(instance=instance).output_for_node("read") == b"content"
