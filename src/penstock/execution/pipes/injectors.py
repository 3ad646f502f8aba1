"""How an external process gets its context: in its environment, or in a file."""

from __future__ import annotations

import json
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from penstock_pipes.wire import PipesContextData

__all__ = [
    "PipesContextInjector",
    "PipesEnvContextInjector",
    "PipesFileContextInjector",
    "PipesTempFileContextInjector",
]


class PipesContextInjector(ABC):
    """Puts the context where the external process can load it. Make one of your own for other places."""

    @abstractmethod
    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Iterator[Mapping[str, Any]]:
        """Put it there until the block ends; gives the parameters that the process's context loader needs."""

    def no_messages_debug_text(self) -> str:
        """What to look at when a process sends nothing, as one sentence."""
        return f"Its context was given by {type(self).__name__}."


class PipesEnvContextInjector(PipesContextInjector):
    """Puts the context itself into the environment variable; good for some 100 kB, and for other machines."""

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Iterator[Mapping[str, Any]]:
        """Give it as `data`."""
        yield {"data": context_data}


class PipesFileContextInjector(PipesContextInjector):
    """Writes the context to a file, and removes the file afterwards.

    Args:
        path: The file; the external process must see it under the same path.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Iterator[Mapping[str, Any]]:
        """Write it, and give its `path`."""
        self._path.write_text(json.dumps(context_data), encoding="utf-8")
        try:
            yield {"path": str(self._path)}
        finally:
            self._path.unlink(missing_ok=True)


class PipesTempFileContextInjector(PipesContextInjector):
    """Writes the context to a file in a folder of its own, which is removed afterwards."""

    @contextmanager
    def inject_context(self, context_data: PipesContextData) -> Iterator[Mapping[str, Any]]:
        """Write it, and give its `path`."""
        with (
            tempfile.TemporaryDirectory(prefix="penstock-pipes-") as folder,
            PipesFileContextInjector(f"{folder}/context").inject_context(context_data) as params,
        ):
            yield params
