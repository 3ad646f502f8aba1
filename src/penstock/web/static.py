"""The built UI: hashed files that never change, and the page that loads them, filled with what it needs at once."""

from __future__ import annotations

import secrets
from functools import cache
from pathlib import Path
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from ..codec import encode_json
from ..version import __version__
from .headers import FILE_POLICY, page_policy

__all__ = ["BuiltUi"]

BUILT = Path(__file__).with_name("static")

_BOOTSTRAP = '<script type="application/json" id="bootstrap">{}</script>'
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".woff2": "font/woff2",
}
_NOT_BUILT = """<!doctype html>
<html lang="en">
<title>Penstock</title>
<h1>The pages are not built</h1>
<p>This copy of Penstock was started from its sources, without the built user interface.</p>
<p>Run <code>make ui</code> in the project's folder, then load this page again. The API answers at
<code>/graphql</code> meanwhile.</p>
</html>
"""


class _Built(NamedTuple):
    """The UI as it was built at one time: the page, and the files that it may ask for, by their path in the URL."""

    page: str
    files: dict[str, Path]


class BuiltUi:
    """Serves the UI from a folder.

    Args:
        mode: What kind of server this is, for the page to know.
        folder: Where the build is.
    """

    def __init__(self, *, mode: str, folder: Path = BUILT) -> None:
        self._mode = mode
        self._folder = folder

    async def file(self, request: Request) -> Response:
        """A hashed file. Only what the build put into its folder has a name here, so no path leads anywhere else."""
        built = self._built()
        path = None if built is None else built.files.get(request.path_params["name"])
        if built is None or path is None:
            return PlainTextResponse("There is no such file.\n", 404)
        accepted = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
        headers = {
            "cache-control": "public, max-age=31536000, immutable",
            "content-security-policy": FILE_POLICY,
            "vary": "accept-encoding",
        }
        for encoding, suffix in _ENCODINGS:
            compressed = path.with_name(path.name + suffix)
            if encoding in accepted and compressed.is_file():
                headers["content-encoding"] = encoding
                return Response(compressed.read_bytes(), headers=headers, media_type=_TYPES.get(path.suffix))
        return Response(path.read_bytes(), headers=headers, media_type=_TYPES.get(path.suffix))

    async def page(self, request: Request) -> Response:
        """The page; what it shows depends on its address, which its scripts read."""
        built = self._built()
        if built is None:
            return HTMLResponse(_NOT_BUILT, 503)
        nonce = secrets.token_urlsafe(18)
        facts = encode_json({"version": __version__, "mode": self._mode, "nonce": nonce}).decode()
        filled = f'<script type="application/json" id="bootstrap" nonce="{nonce}">{_in_html(facts)}</script>'
        headers = {"content-security-policy": page_policy(nonce), "cache-control": "no-cache"}
        return HTMLResponse(built.page.replace(_BOOTSTRAP, filled, 1), headers=headers)

    def _built(self) -> _Built | None:
        try:
            changed = (self._folder / "index.html").stat().st_mtime_ns
        except FileNotFoundError:
            return None
        return _read(self._folder, changed)


@cache
def _read(folder: Path, _changed: int) -> _Built:
    assets = folder / "assets-static"
    compressed = {suffix for _, suffix in _ENCODINGS}
    files = {
        path.relative_to(assets).as_posix(): path
        for path in assets.rglob("*")
        if path.is_file() and path.suffix not in compressed
    }
    return _Built((folder / "index.html").read_text(encoding="utf-8"), files)


def _in_html(json: str) -> str:
    """JSON text that cannot end the element it stands in."""
    return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
