"""One storage made of several: a log that decides, and stores of the user's own that follow it and answer."""

from __future__ import annotations

from .storage import CompositeStorage

__all__ = ["CompositeStorage"]
