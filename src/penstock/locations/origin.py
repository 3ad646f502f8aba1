"""Where a code location comes from: code on this machine, or a code server that somebody else runs."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ..records.code_target import CodeTarget

__all__ = ["LocationOrigin", "default_name"]


class LocationOrigin(msgspec.Struct, frozen=True, kw_only=True):
    """One code location as the workspace or the command line names it.

    Exactly one of `target` and `address` is set.

    Args:
        name: The location's name, unique in the workspace.
        target: What to load, with absolute paths.
        executable: The Python interpreter to load it with; None for the present one.
        address: Where a running code server answers.
    """

    name: str
    target: CodeTarget | None = None
    executable: str | None = None
    address: str | None = None

    def words(self) -> str:
        """The origin for people: "file /shop/definitions.py", "module shop.definitions"."""
        if self.target is None:
            return f"code server {self.address}"
        kind, value = _what(self.target)
        attribute = f", attribute {self.target.attribute}" if self.target.attribute else ""
        return f"{kind} {value}{attribute}"

    def folders(self) -> tuple[str, ...]:
        """Folders where a new file may matter to the load."""
        if self.target is None:
            return ()
        found = {self.target.working_directory}
        if self.target.python_file is not None:
            found.add(str(Path(self.target.python_file).parent))
        return tuple(sorted(folder for folder in found if folder))


def default_name(target: CodeTarget) -> str:
    """The name of a location that was given none: the file's, module's or package's, with the attribute if any."""
    kind, value = _what(target)
    base = Path(value).name if kind == "file" else value
    return f"{base}:{target.attribute}" if target.attribute else base


def _what(target: CodeTarget) -> tuple[str, str]:
    for kind, value in (
        ("file", target.python_file),
        ("module", target.module_name),
        ("package", target.package_name),
    ):
        if value is not None:
            return kind, str(value)
    return "nothing", ""
