"""Tags by which a run says how the daemon is to treat it: what they may say."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ..errors import ConfigurationError
from ..records.run import Tag

__all__ = ["check_tags", "runtime_allowed"]


def check_tags(tags: Mapping[str, str]) -> None:
    """Refuse a value that means nothing, before there is a run which would be treated otherwise than was asked.

    Raises:
        ConfigurationError: There is one.
    """
    resumes = tags.get(Tag.MAX_RESUMES, "0")
    if not (resumes.isascii() and resumes.isdigit()):
        raise ConfigurationError(
            f"The tag {Tag.MAX_RESUMES} has the value {resumes!r}; give a whole number from 0 on, or leave it out for "
            "what the settings say."
        )
    if runtime_allowed(tags, -1.0) is None:
        raise ConfigurationError(
            f"The tag {Tag.MAX_RUNTIME} has the value {tags[Tag.MAX_RUNTIME]!r}; give seconds, 0 for no limit, or "
            "leave it out for what the settings say."
        )


def runtime_allowed(tags: Mapping[str, str], default: float) -> float | None:
    """For how many seconds a run with these tags may go on; None if they say what means nothing."""
    given = tags.get(Tag.MAX_RUNTIME)
    if given is None:
        return default
    try:
        seconds = float(given)
    except ValueError:
        return None
    return seconds if 0 <= seconds < math.inf else None
