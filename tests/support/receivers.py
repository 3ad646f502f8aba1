"""Those who are sent alerts: an HTTP server and a mail server that keep what they were sent."""

from __future__ import annotations

import json
import queue
import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["MailServer", "Received", "WebhookServer", "mail_server", "webhook_server"]

_SECONDS = 40.0


class Received:
    """A request as it came, and how it was answered."""

    def __init__(self, path: str, headers: Mapping[str, str], body: bytes, status: int) -> None:
        self.path = path
        self.headers = headers
        self.data: Any = json.loads(body)
        self.status = status


class WebhookServer:
    """Answers with 200 unless it was told otherwise."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.statuses: list[int] = []
        """What it answers next, one after the other."""
        self._received: queue.Queue[Received] = queue.Queue()

    def next(self) -> Received:
        """The next request, when it has come."""
        return self._received.get(timeout=_SECONDS)

    def no_more(self) -> bool:
        """Whether every request has been looked at."""
        return self._received.empty()

    def take(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        status = self.statuses.pop(0) if self.statuses else 200
        self._received.put(Received(path, headers, body, status))
        return status


@contextmanager
def webhook_server() -> Iterator[WebhookServer]:
    """One that listens on this host."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = made.take(self.path, dict(self.headers), body)
            self.send_response(status)
            self.end_headers()
            if status != 200:
                self.wfile.write(b"not now")

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = WebhookServer(f"http://127.0.0.1:{server.server_port}")
    with _served(server):
        yield made


class MailServer:
    """Takes every mail, or refuses so many first."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.refusals = 0
        self._mails: queue.Queue[EmailMessage] = queue.Queue()

    def next(self) -> EmailMessage:
        """The next mail, when it has come."""
        return self._mails.get(timeout=_SECONDS)

    def take(self, data: bytes) -> bytes:
        if self.refusals:
            self.refusals -= 1
            return b"451 try again later"
        mail = message_from_bytes(data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self._mails.put(mail)
        return b"250 taken"


@contextmanager
def mail_server() -> Iterator[MailServer]:
    """One that listens on this host, without TLS."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            self.say(b"220 here")
            while line := self.rfile.readline().strip():
                match line[:4].upper():
                    case b"DATA":
                        self.say(b"354 go on")
                        lines = []
                        while (text := self.rfile.readline()) != b".\r\n":
                            lines.append(text)
                        self.say(made.take(b"".join(lines)))
                    case b"QUIT":
                        self.say(b"221 bye")
                        return
                    case _:
                        self.say(b"250 well")

        def say(self, text: bytes) -> None:
            self.wfile.write(text + b"\r\n")

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    made = MailServer(server.server_address[1])
    with _served(server):
        yield made


@contextmanager
def _served(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
