"""Paths of files that lie beside a module."""

from __future__ import annotations

import os

__all__ = ["file_relative_path"]


def file_relative_path(dunderfile: str, relative_path: str) -> str:
    """The absolute path of a file that lies in, or by, the folder of a module.

    Args:
        dunderfile: The module's `__file__`.
        relative_path: The way from its folder.
    """
    folder = os.path.dirname(os.path.abspath(dunderfile))  # noqa: PTH100, PTH120 - text in, text out; links stay links
    return os.path.normpath(os.path.join(folder, relative_path))  # noqa: PTH118
