"""Stores of the user's own that follow a storage: how they are brought up to it, and how far behind they are.

The storage decides; whoever follows it lacks nothing for good. Any process may bring a follower up, at any moment, and
any number of times: the daemon does so.

Not every storage has followers; one that may have them has the property `followers`, and is `Followed`.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["Followed", "Follower"]


class Follower(Protocol):
    """A store of the user's own, as those see it who look after it."""

    @property
    def setting(self) -> str:
        """The key of the settings that names it: `run_storage`."""
        ...

    def follow(self) -> bool:
        """Bring over some of what it lacks; gives whether there may be more.

        Raises:
            StorageUnavailableError: The storage or the follower is away; what was not brought over will be.
        """
        ...

    def behind_since(self) -> float | None:
        """When the oldest thing that it lacks happened, in seconds since the epoch; None while it lacks nothing."""
        ...


@runtime_checkable
class Followed(Protocol):
    """A storage that has followers."""

    @property
    def followers(self) -> tuple[Follower, ...]: ...
