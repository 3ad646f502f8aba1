"""Duty: bring the stores of the user's own up to the storage that they follow."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from ..errors import StorageError
from ..storage.following import Follower
from .keeper import Held

__all__ = ["FollowersDuty"]

log = logging.getLogger("penstock.daemon.followers")

_LOOK_EVERY = 2.0


class FollowersDuty:
    """Looks every two seconds, and goes on at once while one of them lacks more than one step brings over.

    Args:
        followers: The stores; one that is away does not hold up the others.
    """

    name = "followers"
    parts = 1
    topics = frozenset[str]()

    def __init__(self, followers: Sequence[Follower]) -> None:
        self._followers = followers

    def tick(self, _held: Held) -> float | None:
        """One step for each of them.

        Raises:
            StorageError: One of them is away, or refused what it was given; the others have been seen to.
        """
        refused: list[StorageError] = []
        has_more = False
        for follower in self._followers:
            try:
                has_more = follower.follow() or has_more
            except StorageError as error:
                refused.append(type(error)(f"{follower.setting}: {error}"))
        for another in refused[1:]:
            log.warning("%s", another)
        if refused:
            raise refused[0]
        return 0.0 if has_more else _LOOK_EVERY

    def close(self) -> None:
        """Nothing is under way between two ticks."""
