"""One storage made of two: a log that decides, and a run storage of the user's own that answers for runs."""

from __future__ import annotations

from .storage import CompositeStorage

__all__ = ["CompositeStorage"]
