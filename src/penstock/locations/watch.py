"""Watches the user's Python files and says when one has changed, been added or removed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path

__all__ = ["watch_files"]

_QUIET_MILLISECONDS = 200
_LONGEST_WAIT_MILLISECONDS = 1600
_LOOK_AGAIN_SECONDS = 1.0


async def watch_files(
    folders: Callable[[], frozenset[Path]], changed: Callable[[], None], wanted: Callable[[], bool] = lambda: True
) -> None:
    """Call `changed` after each burst of changes to `*.py` files directly in `folders()`, for as long as it is wanted.

    Args:
        folders: The folders to watch now; it is asked again after each burst, and when what it gives has changed.
        changed: Called once a burst, when the files have been quiet for a moment.
        wanted: Whether to go on; it is asked once a second.
    """
    tell = partial(asyncio.get_running_loop().call_soon_threadsafe, changed)
    while wanted():
        watched = frozenset(folder for folder in folders() if folder.is_dir())
        if not watched:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            continue
        stop = threading.Event()
        look = asyncio.create_task(_stop_when_others(folders, watched, stop, wanted))
        try:
            await asyncio.to_thread(_watch, watched, tell, stop)
        finally:
            look.cancel()
            stop.set()


def _watch(folders: frozenset[Path], tell: Callable[[], object], stop: threading.Event) -> None:
    """Watch in a thread of its own: what the library would do itself, with much of a second event loop besides."""
    from watchfiles import watch

    for _changes in watch(
        *folders,
        watch_filter=lambda _change, path: path.endswith(".py"),
        recursive=False,
        debounce=_LONGEST_WAIT_MILLISECONDS,
        step=_QUIET_MILLISECONDS,
        stop_event=stop,
        rust_timeout=1000,
        yield_on_timeout=False,
    ):
        tell()


async def _stop_when_others(
    folders: Callable[[], frozenset[Path]],
    watched: frozenset[Path],
    stop: threading.Event,
    wanted: Callable[[], bool],
) -> None:
    """End the watch when there are other folders to watch, or none any more."""
    while wanted() and frozenset(folder for folder in folders() if folder.is_dir()) == watched:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    stop.set()
