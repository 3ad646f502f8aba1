"""Where the code behind a definition is: a line of a local file, or an address."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

__all__ = ["CodeReference", "LocalFileCodeReference", "UrlCodeReference"]


class LocalFileCodeReference(msgspec.Struct, frozen=True, kw_only=True, tag="file"):
    """A place in a file of the machine that loaded the code. `label` is what a reader sees instead of the path.

    Args:
        file_path: The path.
        line_number: The line, from 1.
        label: What a reader sees instead of the path.
    """

    file_path: str
    line_number: int | None = None
    label: str | None = None


class UrlCodeReference(msgspec.Struct, frozen=True, kw_only=True, tag="url"):
    """An address, for example in a hosted repository. `label` is what a reader sees instead of it.

    Args:
        url: The address.
        label: What a reader sees instead of it.
    """

    url: str
    label: str | None = None


CodeReference: TypeAlias = LocalFileCodeReference | UrlCodeReference
