"""A whole storage of one's own: it has what the protocols ask for, and not a name more."""

from __future__ import annotations

from pathlib import Path

from penstock.storage.sqlite import SqliteStorage

__all__ = ["PlainStorage"]


class PlainStorage:
    """`Storage` in a file; nothing tends it, exports it or follows it.

    Args:
        path: The file.
    """

    def __init__(self, path: str) -> None:
        kept = SqliteStorage(Path(path))
        self.runs = kept.runs
        self.events = kept.events
        self.assets = kept.assets
        self.instigators = kept.instigators
        self.one_offs = kept.one_offs
        self.leases = kept.leases
        self.locations = kept.locations
        self.slots = kept.slots
        self.backfills = kept.backfills
        self.accounts = kept.accounts
        self.acts = kept.acts
        self.notifier = kept.notifier
        self.migrate = kept.migrate
        self.close = kept.close

    def describe(self) -> dict[str, str]:
        return {"kind": "plain"}
