"""A sensor that sends an e-mail for each failed run."""

from __future__ import annotations

import html
import smtplib
import ssl
from collections.abc import Callable, Iterable, Sequence
from email.message import EmailMessage

from ..definitions.automation.run_status_sensor import RunStatusSensorDefinition, run_failure_sensor
from ..definitions.automation.selectors import MonitoredJob
from ..definitions.automation.target import DefaultSensorStatus
from ..errors import DefinitionError
from .run_status_context import RunFailureSensorContext

__all__ = ["make_email_on_run_failure_sensor"]

_PORTS = {"SSL": 465, "STARTTLS": 587, "PLAIN": 25}
_TIMEOUT = 30.0


def _body(context: RunFailureSensorContext) -> str:
    steps = "".join(f"<li>{html.escape(event.message)}</li>" for event in context.get_step_failure_events())
    return (
        f"<p>The run {context.run.run_id} of the job <b>{html.escape(context.run.job_name)}</b> failed.</p>"
        f"<p>{html.escape(context.failure_event.message)}</p>" + (f"<ul>{steps}</ul>" if steps else "")
    )


def _subject(context: RunFailureSensorContext) -> str:
    return f"Failed: a run of {context.run.job_name}"


def make_email_on_run_failure_sensor(
    email_from: str,
    email_password: str,
    email_to: Sequence[str],
    email_body_fn: Callable[[RunFailureSensorContext], str] = _body,
    email_subject_fn: Callable[[RunFailureSensorContext], str] = _subject,
    smtp_host: str = "smtp.gmail.com",
    smtp_type: str = "SSL",
    smtp_port: int | None = None,
    smtp_user: str | None = None,
    name: str | None = None,
    webserver_base_url: str | None = None,
    monitored_jobs: Iterable[MonitoredJob] | None = None,
    monitor_all_code_locations: bool = False,
    default_status: DefaultSensorStatus = DefaultSensorStatus.STOPPED,
) -> RunStatusSensorDefinition:
    """A sensor that sends an e-mail for each failed run.

    Args:
        email_from: The sender's address.
        email_password: The password to log in with; with an empty one it does not log in.
        email_to: The addresses of those who get it.
        email_body_fn: Makes the body, which is HTML, of the `RunFailureSensorContext`.
        email_subject_fn: Makes the subject.
        smtp_host: The server.
        smtp_type: How the connection is kept from others: "SSL", "STARTTLS", or "PLAIN" for not at all.
        smtp_port: The server's port; if not given, 465, 587 or 25, as is usual for the type.
        smtp_user: The name to log in with; the sender's address if not given.
        name: The sensor's name; `email_on_run_failure` if not given.
        webserver_base_url: The address of the web server; the body then ends with a link to the run.
        monitored_jobs: The jobs whose runs it watches; all jobs of its own code location if not given.
        monitor_all_code_locations: Watch the runs of all jobs of all code locations.
        default_status: Whether it is on until somebody turns it.

    Raises:
        DefinitionError: The type is none of these, or nobody gets the e-mail.
    """
    if smtp_type not in _PORTS:
        raise DefinitionError(f"There is no smtp_type {smtp_type!r}; give one of {', '.join(_PORTS)}.")
    receivers = [email_to] if isinstance(email_to, str) else list(email_to)
    if not receivers:
        raise DefinitionError("An e-mail on failed runs goes to nobody; give email_to at least one address.")

    def send(message: EmailMessage) -> None:
        port = smtp_port or _PORTS[smtp_type]
        secure = ssl.create_default_context()
        if smtp_type == "SSL":
            server: smtplib.SMTP = smtplib.SMTP_SSL(smtp_host, port, timeout=_TIMEOUT, context=secure)
        else:
            server = smtplib.SMTP(smtp_host, port, timeout=_TIMEOUT)
        with server:
            if smtp_type == "STARTTLS":
                server.starttls(context=secure)
            if email_password:
                server.login(smtp_user or email_from, email_password)
            server.send_message(message)

    @run_failure_sensor(
        name=name or "email_on_run_failure",
        monitored_jobs=monitored_jobs,
        monitor_all_code_locations=monitor_all_code_locations,
        default_status=default_status,
    )
    def email_on_run_failure(context: RunFailureSensorContext) -> None:
        body = email_body_fn(context)
        if webserver_base_url is not None:
            link = html.escape(f"{webserver_base_url.rstrip('/')}/runs/{context.run.run_id}")
            body += f'<p><a href="{link}">See the run</a></p>'
        message = EmailMessage()
        message["From"] = email_from
        message["To"] = ", ".join(receivers)
        message["Subject"] = email_subject_fn(context)
        message.set_content(body, subtype="html")
        send(message)

    return email_on_run_failure
