"""An exception as a record: what was raised, where, and why, without the objects themselves."""

from __future__ import annotations

import linecache
import traceback

import msgspec

__all__ = ["ErrorInfo", "Frame", "describe_exception"]

_PENSTOCK_ROOT = __file__.rsplit("/records/", 1)[0] + "/"


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a traceback. `user` is false for Penstock's own frames, which readers fold away."""

    file: str
    line: int
    function: str
    code: str = ""
    user: bool = True


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An exception: its class, its text, its frames from the outermost to the innermost, and the cause behind it."""

    cls: str
    message: str
    frames: tuple[Frame, ...] = ()
    cause: ErrorInfo | None = None
    context: ErrorInfo | None = None

    def root(self) -> ErrorInfo:
        """The first cause of the chain: what a reader wants to see first."""
        error = self
        while error.cause is not None:
            error = error.cause
        return error

    def render(self) -> str:
        """The error as text in Python's usual traceback form, causes first."""
        lines: list[str] = []
        for link, words in ((self.cause, "The above error was the cause of:"), (self.context, "While handling it:")):
            if link is not None:
                lines += [link.render(), "", words, ""]
        for frame in self.frames:
            lines.append(f'  File "{frame.file}", line {frame.line}, in {frame.function}')
            if frame.code:
                lines.append(f"    {frame.code}")
        lines.append(f"{self.cls}: {self.message}" if self.message else self.cls)
        return "\n".join(lines)


def describe_exception(error: BaseException, *, depth: int = 8) -> ErrorInfo:
    """The record of an exception with its causes, at most `depth` of them."""
    frames = [
        Frame(
            file=summary.filename,
            line=summary.lineno or 0,
            function=summary.name,
            code=_storable(summary.line or linecache.getline(summary.filename, summary.lineno or 0)).strip(),
            user=not summary.filename.startswith(_PENSTOCK_ROOT) and not summary.filename.startswith("<frozen "),
        )
        for summary in traceback.extract_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        frames.append(
            Frame(file=error.filename, line=error.lineno or 0, function="<module>", code=(error.text or "").strip())
        )
    cause = error.__cause__
    context = error.__context__ if cause is None and not error.__suppress_context__ else None
    return ErrorInfo(
        cls=type(error).__qualname__,
        message=_text_of(error),
        frames=tuple(frames),
        cause=describe_exception(cause, depth=depth - 1) if cause is not None and depth else None,
        context=describe_exception(context, depth=depth - 1) if context is not None and depth else None,
    )


def _text_of(error: BaseException) -> str:
    try:
        return _storable("\n".join([str(error), *getattr(error, "__notes__", ())]))
    except Exception as broken:  # noqa: BLE001 - user code says how its errors are told
        return f"(its text cannot be had: {type(broken).__name__})"


def _storable(text: str) -> str:
    """A text with what is not valid Unicode in it (names of files may have that) written out."""
    return text.encode("utf-8", "backslashreplace").decode()
