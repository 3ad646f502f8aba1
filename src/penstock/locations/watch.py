"""Watches the user's Python files and says when one has changed, been added or removed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
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
    from watchfiles import awatch

    while wanted():
        watched = frozenset(folder for folder in folders() if folder.is_dir())
        if not watched:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            continue
        stop = asyncio.Event()
        look = asyncio.create_task(_stop_when_others(folders, watched, stop, wanted))
        try:
            async for _changes in awatch(
                *watched,
                watch_filter=lambda _change, path: path.endswith(".py"),
                recursive=False,
                debounce=_LONGEST_WAIT_MILLISECONDS,
                step=_QUIET_MILLISECONDS,
                stop_event=stop,
                rust_timeout=1000,
                yield_on_timeout=False,
            ):
                changed()
        finally:
            look.cancel()


async def _stop_when_others(
    folders: Callable[[], frozenset[Path]],
    watched: frozenset[Path],
    stop: asyncio.Event,
    wanted: Callable[[], bool],
) -> None:
    """End the watch when there are other folders to watch, or none any more."""
    while wanted() and frozenset(folder for folder in folders() if folder.is_dir()) == watched:
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
    stop.set()
