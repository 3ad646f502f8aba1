"""Connections over which a code server is called."""

from __future__ import annotations

import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection

__all__ = ["HTTPConnection", "HTTPException", "HTTPSConnection", "UnixConnection"]


class UnixConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)
