"""A mistake in a config as a record, and the outcome of a check: the value, or all mistakes at once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

import msgspec

from ..errors import InvalidRunConfigError

__all__ = ["HIDDEN", "Checked", "ConfigProblem", "Problem", "hide", "place", "sentence"]

HIDDEN = "******"
"""What stands in the place of a secret wherever config is shown."""


class ConfigProblem(StrEnum):
    """What kind of mistake it is. The check reports one problem per mistake, so it uses the singular kinds."""

    RUNTIME_TYPE_MISMATCH = "RUNTIME_TYPE_MISMATCH"
    MISSING_REQUIRED_FIELD = "MISSING_REQUIRED_FIELD"
    MISSING_REQUIRED_FIELDS = "MISSING_REQUIRED_FIELDS"
    FIELD_NOT_DEFINED = "FIELD_NOT_DEFINED"
    FIELDS_NOT_DEFINED = "FIELDS_NOT_DEFINED"
    SELECTOR_FIELD_ERROR = "SELECTOR_FIELD_ERROR"


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One mistake.

    Args:
        path: The keys (list positions as text) that lead to the value it concerns: the unknown key itself, the mapping
            that lacks a field, the value of the wrong type.
        reason: Its kind.
        message: One sentence with the place, the value and the remedy.
        field: The name of the missing or unknown field.
        nearest: The known name that was probably meant.
    """

    path: tuple[str, ...]
    reason: ConfigProblem
    message: str
    field: str | None = None
    nearest: str | None = None

    def __str__(self) -> str:
        return self.message


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a check: the value with defaults filled in, which counts only if there are no problems."""

    value: Any
    problems: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems

    def unwrap(self, subject: str) -> Any:
        """The value.

        Args:
            subject: What was checked, as the error's text shall call it, for example `The run config of job "nightly"`.

        Raises:
            InvalidRunConfigError: There are problems; it carries all of them.
        """
        if self.problems:
            count = len(self.problems)
            lines = "\n".join(f"  - {problem.message}" for problem in self.problems)
            mistakes = "a mistake" if count == 1 else f"{count} mistakes"
            raise InvalidRunConfigError(f"{subject} has {mistakes}:\n{lines}", problems=self.problems)
        return self.value


def hide(message: str, text: str) -> str:
    """The message with a text hidden where it stands as a word of its own."""
    return re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", HIDDEN, message) if text else message


def place(path: Sequence[str], root: str) -> str:
    """A path as the messages name it: keys joined by dots in quotes, or the root's own name."""
    return f'"{".".join(path)}"' if path else root


def sentence(text: str) -> str:
    """The text with its first letter as a sentence begins."""
    return text[:1].upper() + text[1:]
