"""What a check has found: what is wrong, where, how bad it is, and what to do about it."""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How bad it is: something does not work, something will not for long, or something may be better."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is not as it should be.

    Args:
        check: What was looked at, in one word: the same for all findings of a kind.
        severity: How bad it is.
        where: The thing: a run, a lease, a table, a file.
        what: What is wrong with it, in a sentence.
        remedy: What to do about it, in a sentence.
    """

    check: str
    severity: Severity
    where: str
    what: str
    remedy: str
