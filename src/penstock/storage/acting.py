"""Who acts just now: what a storage changes meanwhile is written down as their act, in the same transaction.

Commands and the mutations of the API change things by the same few methods of the storage. So it is said once, around a
command or a mutation, who acts; each of those methods knows what it changes, and whether it has, and stores the act
(`deeds.py` has its words). The daemon, code servers and runs say nothing, and what they change is no act.

It is a context variable: it holds for one thread alone, and comes through coordinators and launchers, those of users
too, without an argument of each of their methods.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from ..records.act import Act, ActKind
from ..records.automation import NOBODY, By

__all__ = ["act_of", "acting", "is_anybody_acting", "who_acts"]

_acting: ContextVar[tuple[By, float] | None] = ContextVar("acting", default=None)


@contextmanager
def acting(by: By, *, now: float) -> Iterator[None]:
    """Write down what this thread changes meanwhile as done by them at that time."""
    token = _acting.set((by, now))
    try:
        yield
    finally:
        _acting.reset(token)


def is_anybody_acting() -> bool:
    """Whether somebody acts just now."""
    return _acting.get() is not None


def who_acts() -> By:
    """Who acts just now, as far as known."""
    found = _acting.get()
    return NOBODY if found is None else found[0]


def act_of(kind: ActKind, subject: str, **fields: Any) -> tuple[Act, ...]:
    """The act of whoever acts just now; none if nobody does.

    Args:
        kind: What is done.
        subject: What to.
        fields: Other fields of the act.
    """
    found = _acting.get()
    return () if found is None else (Act(subject=subject, time=found[1], kind=kind, by=found[0], **fields),)
