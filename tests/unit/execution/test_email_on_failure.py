"""E-mails on failed runs, as a mail server gets them."""

from __future__ import annotations

import base64
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from email import message_from_string, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Instance,
    RunFailureSensorContext,
    RunStatus,
    build_sensor_context,
    make_email_on_run_failure_sensor,
)
from penstock.errors import DefinitionError
from penstock.records.errors import ErrorInfo
from penstock.records.event import Event, StepFailure
from penstock.testing import add_run


class MailServer(threading.Thread):
    """Takes mails by SMTP on a free port of this machine, one connection after the other.

    Args:
        mode: SSL, STARTTLS or PLAIN.
        secure: The server's certificate, where the mode needs one.
    """

    def __init__(self, mode: str, secure: ssl.SSLContext | None) -> None:
        super().__init__(daemon=True)
        self.mode = mode
        self.secure = secure
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.mails: list[str] = []
        self.logins: list[str] = []

    def run(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            with connection:
                if self.mode == "SSL" and self.secure is not None:
                    connection = self.secure.wrap_socket(connection, server_side=True)
                with connection:
                    self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(b"220 here\r\n")
        if self._answer(connection) and self.secure is not None:
            with self.secure.wrap_socket(connection, server_side=True) as secured:
                self._answer(secured)

    def _answer(self, connection: socket.socket) -> bool:
        """Answer until the client quits, or (true) until it asks for a secure connection."""
        with connection.makefile("rb") as reader:
            while line := reader.readline():
                words = line.decode().split()
                match words[0].upper():
                    case "EHLO":
                        offers = ["hello", "AUTH PLAIN", *(["STARTTLS"] if self.mode == "STARTTLS" else [])]
                        connection.sendall("".join(f"250-{offer}\r\n" for offer in offers).encode())
                        answer = "250 SIZE 1000000"
                    case "STARTTLS":
                        connection.sendall(b"220 go ahead\r\n")
                        return True
                    case "AUTH":
                        self.logins.append(base64.b64decode(words[2]).decode().replace("\0", " ").strip())
                        answer = "235 welcome"
                    case "DATA":
                        connection.sendall(b"354 go ahead\r\n")
                        mail = []
                        while (text := reader.readline().decode().rstrip("\r\n")) != ".":
                            mail.append(text)
                        self.mails.append("\n".join(mail))
                        answer = "250 taken"
                    case "QUIT":
                        connection.sendall(b"221 bye\r\n")
                        return False
                    case _:
                        answer = "250 well"
                connection.sendall(f"{answer}\r\n".encode())
        return False

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.join(timeout=5)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl to make a certificate with")
    folder = tmp_path_factory.mktemp("certificate")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", str(key), "-out", str(cert)]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-days", "2"]
    subprocess.run([*command, *names], check=True, capture_output=True)
    return cert, key


@pytest.fixture(params=["PLAIN", "SSL", "STARTTLS"])
def server(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    secure = None
    if request.param != "PLAIN":
        cert, key = request.getfixturevalue("certificate")
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(cert, key)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
    running = MailServer(request.param, secure)
    running.start()
    yield running
    running.close()


@pytest.fixture
def instance() -> Iterator[Instance]:
    with Instance.ephemeral() as opened:
        yield opened


def read(text: str) -> EmailMessage:
    message = message_from_string(text, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_each_failed_run_is_told_by_mail(server: MailServer, instance: Instance) -> None:
    sensor = make_email_on_run_failure_sensor(
        "penstock@example.com",
        "secret",
        ["a@example.com", "b@example.com"],
        smtp_host="localhost",
        smtp_type=server.mode,
        smtp_port=server.port,
        webserver_base_url="https://penstock.example.com/",
    )
    failure = StepFailure(error=ErrorInfo(cls="ValueError", message="1 < 2"))
    facts = [Event(time=1, fact=failure, step_key="load")]
    runs = [add_run(instance, f"job_{number}", RunStatus.FAILURE, facts=facts) for number in range(2)]
    add_run(instance, "fine")
    requested = sensor.evaluate_tick(build_sensor_context(instance=instance, cursor="0"))
    assert requested.error is None
    mails = [read(text) for text in server.mails]
    assert [mail["Subject"] for mail in mails] == ["Failed: a run of job_0", "Failed: a run of job_1"]
    assert (mails[0]["From"], mails[0]["To"]) == ("penstock@example.com", "a@example.com, b@example.com")
    body = mails[0].get_content()
    assert "load failed with ValueError: 1 &lt; 2." in body
    assert f'<a href="https://penstock.example.com/runs/{runs[0].run_id}">' in body
    assert server.logins == ["penstock@example.com secret"] * 2


@pytest.mark.parametrize("server", ["PLAIN"], indirect=True)
def test_texts_and_login_are_the_user_s(server: MailServer, instance: Instance) -> None:
    def told(context: RunFailureSensorContext) -> str:
        return f"{context.run.job_name}: {context.failure_event.message}"

    sensor = make_email_on_run_failure_sensor(
        "penstock@example.com",
        "",
        ["a@example.com"],
        email_body_fn=told,
        email_subject_fn=lambda context: context.run.run_id,
        smtp_host="127.0.0.1",
        smtp_type="PLAIN",
        smtp_port=server.port,
        name="mail",
    )
    run = add_run(instance, "nightly", RunStatus.FAILURE)
    requested = sensor.evaluate_tick(build_sensor_context(instance=instance, cursor="0"))
    assert requested.error is None
    (mail,) = map(read, server.mails)
    assert (sensor.name, mail["Subject"], server.logins) == ("mail", run.run_id, [])
    assert mail.get_content().strip() == "nightly: The run failed. It was made for a test."


def test_a_server_that_is_away_fails_the_tick_with_its_error(instance: Instance) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    sensor = make_email_on_run_failure_sensor(
        "penstock@example.com", "", ["a@example.com"], smtp_host="127.0.0.1", smtp_type="PLAIN", smtp_port=port
    )
    add_run(instance, "nightly", RunStatus.FAILURE)
    requested = sensor.evaluate_tick(build_sensor_context(instance=instance, cursor="0"))
    assert isinstance(requested.error, ConnectionRefusedError)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"smtp_type": "TLS"}, "no smtp_type 'TLS'; give one of SSL, STARTTLS, PLAIN"),
        ({"email_to": []}, "goes to nobody"),
    ],
)
def test_what_cannot_be_sent_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DefinitionError, match=words):
        make_email_on_run_failure_sensor(
            **{"email_from": "a@b.c", "email_password": "x", "email_to": ["d@e.f"], **options}
        )
