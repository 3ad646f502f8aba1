"""Keys of tags and labels of metadata that mean something: all begin with `penstock/` or `.penstock/`."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["LABELS", "Labels"]


class Labels:
    """Reads the labels that user code writes. Code that comes from elsewhere may begin them with other words."""

    def __init__(self) -> None:
        self._prefixes: dict[str, str] = {}

    def understand(self, prefixes: Mapping[str, str]) -> None:
        """From now on read labels that begin with one of these as beginning with what it stands for."""
        self._prefixes.update(prefixes)

    def read(self, label: str) -> str:
        """The label as it is stored and looked for."""
        for theirs, ours in self._prefixes.items():
            if label.startswith(theirs):
                return ours + label[len(theirs) :]
        return label


LABELS = Labels()
"""How this process reads labels: it is a fact of the code that is loaded, so there is one for all definitions."""
