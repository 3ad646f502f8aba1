"""Output as text: carriage returns folded as a terminal shows them in the end, odd bytes harmless. Pure."""

from __future__ import annotations

import codecs
import re

__all__ = ["fold", "plain", "readable"]

# What a terminal takes for itself: colours and cursor moves, titles and links, and the two-character codes.
_CODES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")


def fold(text: str) -> str:
    r"""The text without what carriage returns overwrote; `\r\n` is a line's end.

    Texts that follow one another may be folded one by one, joined, and folded again: it comes to the same as folding
    them as one. For that, a carriage return that overwrites the beginning of the text stays as its first character, and
    one at its end stays there, since what follows decides what it is.
    """
    if "\r" not in text:
        return text
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if "\r" in line:
            lines[index] = _folded(line, is_first=index == 0, is_last=index == len(lines) - 1)
    return "\n".join(lines)


def _folded(line: str, *, is_first: bool, is_last: bool) -> str:
    content = line.rstrip("\r")
    open_end = "\r" if is_last and len(content) < len(line) else ""
    _, returned, shown = content.rpartition("\r")
    return ("\r" if is_first and returned else "") + shown + open_end


def readable(data: bytes, *, last: bool) -> tuple[str, int]:
    """Bytes as text, and how many of them: a character that may still be cut off at the end waits, unless it is `last`.

    Bytes that are no UTF-8 become U+FFFD, and NUL becomes the sign that stands for it.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    text = decoder.decode(data, final=last)
    held, _ = decoder.getstate()
    return text.replace("\0", "\u2400"), len(data) - len(held)


def plain(text: str) -> str:
    """The text without colours and other codes for terminals."""
    return _CODES.sub("", text)
