"""What steps printed, alone and among the events of the run, in increments: each answer says where the next goes on."""

from __future__ import annotations

from ...logs.fold import fold, readable
from ...logs.merged import OutputLine, merged_page
from ...logs.store import LogKey, Stream, check_log_key
from ...records.event import StoredEvent
from ...records.phrases import phrase
from .context import Context
from .failures import Result
from .fields import Fields
from .find import run_of_id
from .pages import page_size

__all__ = ["TABLES"]

_MOST_BYTES = 1 << 20

_QUERY = Fields("Query", source=type(None))

TABLES = (_QUERY,)


class CapturedLogs(Result, frozen=True, kw_only=True):
    """What is new in both streams; None where nothing is. `cursor` holds the two offsets in bytes."""

    log_key: tuple[str, ...]
    stdout: str | None
    stderr: str | None
    cursor: str


@_QUERY.field
def captured_logs(
    _source: None, context: Context, log_key: list[str], cursor: str | None = None, limit: int | None = None
) -> CapturedLogs:
    check_log_key(log_key)
    key = tuple(log_key)
    size = _MOST_BYTES if limit is None else max(4, min(limit, _MOST_BYTES))
    first, _, second = (cursor or "").partition(":")
    offsets = [int(each) if each.isdecimal() else 0 for each in (first, second)]
    stdout, out_end = _read(context, key, "stdout", offsets[0], size)
    stderr, err_end = _read(context, key, "stderr", offsets[1], size)
    return CapturedLogs(log_key=key, stdout=stdout or None, stderr=stderr or None, cursor=f"{out_end}:{err_end}")


class MergedLogEntry(Result, frozen=True, kw_only=True):
    """An event, or a line of output."""

    event: StoredEvent | None = None
    file_key: str | None = None
    stream: str | None = None
    text: str
    timestamp: str | None


class MergedLogs(Result, frozen=True, kw_only=True):
    """A part of the stream."""

    entries: tuple[MergedLogEntry, ...]
    cursor: str
    has_more: bool


@_QUERY.field
def merged_logs(
    _source: None,
    context: Context,
    run_id: str,
    cursor: str | None = None,
    limit: int | None = None,
    step_keys: list[str] | None = None,
    text: str | None = None,
) -> MergedLogs:
    run = run_of_id(context, run_id)
    page = merged_page(
        context.storage.events,
        context.instance.logs,
        run_id,
        cursor=cursor,
        limit=page_size(limit, 1000),
        step_keys=step_keys or None,
        is_over=run.is_finished,
    )
    entries = map(_entry, page.entries)
    wanted = text.casefold() if text else None
    found = tuple(entries) if wanted is None else tuple(each for each in entries if wanted in each.text.casefold())
    return MergedLogs(entries=found, cursor=page.cursor, has_more=page.has_more)


def _entry(entry: StoredEvent | OutputLine) -> MergedLogEntry:
    match entry:
        case OutputLine(file_key=file_key, stream=stream, text=text, time=time):
            stamp = None if time is None else str(int(time * 1000))
            return MergedLogEntry(file_key=file_key, stream=stream, text=text, timestamp=stamp)
        case StoredEvent(event=event):
            return MergedLogEntry(event=entry, text=phrase(event), timestamp=str(int(event.time * 1000)))


def _read(context: Context, key: LogKey, stream: Stream, offset: int, size: int) -> tuple[str, int]:
    logs = context.instance.logs
    data, end = logs.read(key, stream, offset=offset, limit=size)
    # A character of several bytes may be cut at the end, by the limit or because it is being written now.
    text, used = readable(data, last=False)
    if data and not text and logs.size(key, stream) > end:
        text, used = readable(data, last=True)  # nothing more of it comes: what follows is left out
    return fold(text), end - (len(data) - used)
