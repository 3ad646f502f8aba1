"""Gives the blocks in the middle of a file back to the file system, while others go on writing to its end."""

from __future__ import annotations

import ctypes
import errno
import os
import sys

__all__ = ["punch_hole"]

_KEEP_SIZE = 0x01
_PUNCH_HOLE = 0x02
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_CANNOT = (errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV, errno.EPERM)


def punch_hole(descriptor: int, start: int, length: int) -> bool:
    """Let these bytes of a file read as zeros and take no room; the file keeps its size.

    Args:
        descriptor: The file, open for writing.
        start: The first byte.
        length: How many, at least one; the file need not have them.

    Returns:
        Whether this system and this file system can do it.

    Raises:
        OSError: They can, and it failed.
    """
    if _libc is None:
        return False
    done = _libc.fallocate(descriptor, _PUNCH_HOLE | _KEEP_SIZE, ctypes.c_int64(start), ctypes.c_int64(length))
    if done == 0:
        return True
    failed = ctypes.get_errno()
    if failed in _CANNOT:
        return False
    raise OSError(failed, os.strerror(failed))
