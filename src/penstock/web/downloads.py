"""Captured stdout and stderr as files to download."""

from __future__ import annotations

from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from ..errors import NotFoundError
from ..logs.store import LogKey, LogStore, Stream, check_log_key

__all__ = ["LogDownloads"]

_PIECE_BYTES = 256 * 1024


class LogDownloads:
    """Answers `/logs/<run id>/<file key>/<stdout or stderr>`."""

    def __init__(self, logs: LogStore) -> None:
        self._logs = logs

    async def download(self, request: Request) -> Response:
        """The whole stream as it is now. The ids are checked before they reach the log store."""
        run_id, file_key = request.path_params["run_id"], request.path_params["file_key"]
        key: LogKey = (run_id, "compute_logs", file_key)
        stream = request.path_params["stream"]
        try:
            check_log_key(key)
        except NotFoundError as error:
            return PlainTextResponse(f"{error}\n", 404)
        if stream not in ("stdout", "stderr"):
            return PlainTextResponse("A log is stdout or stderr.\n", 404)
        if not self._logs.exists(key):
            return PlainTextResponse("Nothing was captured under this key.\n", 404)
        headers = {"content-disposition": f'attachment; filename="{run_id}-{file_key}.{stream}.txt"'}
        return StreamingResponse(self._pieces(key, stream), headers=headers, media_type="text/plain; charset=utf-8")

    def _pieces(self, key: LogKey, stream: Stream) -> Iterator[bytes]:
        offset, end = 0, self._logs.size(key, stream)
        while offset < end:
            piece, offset = self._logs.read(key, stream, offset=offset, limit=min(_PIECE_BYTES, end - offset))
            if not piece:
                return
            yield piece
