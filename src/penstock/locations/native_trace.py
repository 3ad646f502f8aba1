"""Where user code was when its process died in native code or hung: what `faulthandler` wrote, as frames."""

from __future__ import annotations

import linecache
import re
from itertools import dropwhile

from ..records.errors import Frame

__all__ = ["frames_of"]

_LINE = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<function>.+)')
_HEAD = "(most recent call first):"
_PENSTOCK = __file__.rsplit("/locations/", 1)[0] + "/"


def frames_of(text: str) -> tuple[Frame, ...]:
    """The frames of the last thread that the text tells of, outermost first, from the user's first line on."""
    _, _, calls = text.rpartition(_HEAD)
    found = [match for match in map(_LINE.fullmatch, calls.splitlines()) if match is not None]
    frames = [_frame(match["file"], int(match["line"]), match["function"]) for match in reversed(found)]
    return tuple(dropwhile(lambda frame: not frame.user, frames)) or tuple(frames)


def _frame(file: str, line: int, function: str) -> Frame:
    ours = file.startswith((_PENSTOCK, "<frozen ")) or file.endswith("/importlib/__init__.py")
    code = linecache.getline(file, line).strip()
    return Frame(file=file, line=line, function=function, code=code, user=not ours)
