"""Which code a location is loaded from."""

from __future__ import annotations

import msgspec

from ..errors import LocationLoadError

__all__ = ["CodeTarget"]


class CodeTarget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which code to load: exactly one of file, module and package.

    Args:
        python_file: A path; relative to the working directory.
        module_name: A dotted name.
        package_name: A dotted name.
        attribute: What in it to take: a `Definitions`, a repository, job or graph, or a function without arguments that
            gives one. If not given, the one `Definitions`, function made into one by `@definitions`, or repository;
            else the one job; else the one graph; else all assets.
        working_directory: Where imports look first; for a file its own folder if not given.
    """

    python_file: str | None = None
    module_name: str | None = None
    package_name: str | None = None
    attribute: str | None = None
    working_directory: str | None = None

    def __post_init__(self) -> None:
        given = [each for each in (self.python_file, self.module_name, self.package_name) if each]
        if len(given) != 1:
            raise LocationLoadError(f"Name exactly one of a Python file, a module and a package, not {len(given)}.")

    @property
    def text(self) -> str:
        """What it is, for people."""
        return self.python_file or self.module_name or self.package_name or ""
