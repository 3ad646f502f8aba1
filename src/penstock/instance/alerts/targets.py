"""Sends a message to a target: a mail, a message for Slack, or JSON to an address."""

from __future__ import annotations

import datetime
import http.client
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import quote

from ...codec import encode_json
from ...errors import DeliveryError
from ...records.alert import Alert, Delivery
from ...version import __version__
from ..settings import AlertTarget, EmailTarget
from .deadline import Deadline

__all__ = ["LIMIT", "TIMEOUT", "send"]

TIMEOUT = 10.0
"""How many seconds a target may let us wait for each answer."""

LIMIT = 60.0
"""How many seconds it may take in all."""

_ANSWER = 200


def send(delivery: Delivery, target: AlertTarget, web_url: str | None) -> None:
    """Send it, and wait until the target has taken it.

    Args:
        delivery: The message.
        target: Where it goes.
        web_url: Where the web server's pages are, for a link.

    Raises:
        DeliveryError: The target did not take it; the text says why, without the target's address.
    """
    link = None if web_url is None else web_url.rstrip("/") + delivery.alert.path
    with Deadline(LIMIT) as deadline:
        try:
            if target.email is not None:
                _mail(delivery, target.email, link, deadline)
            elif target.slack is not None:
                _post(target.slack.url, _for_slack(delivery.alert, link), delivery, deadline)
            elif target.webhook is not None:
                _post(target.webhook.url, _as_data(delivery, link), delivery, deadline, target.webhook.headers)
        except DeliveryError as error:
            if deadline.is_over:
                raise DeliveryError(f"It has not taken it within {LIMIT:g} s.") from error
            raise


# -- HTTP -------------------------------------------------------------------------------------------------------------


def _for_slack(alert: Alert, link: str | None) -> dict[str, str]:
    text = f"*{_escaped(alert.title)}*\n{_escaped(alert.text)}"
    return {"text": text if link is None else f"{text}\n<{link}|Look at it>"}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _as_data(delivery: Delivery, link: str | None) -> dict[str, object]:
    alert = delivery.alert
    return {
        "id": delivery.key,
        "rule": delivery.rule,
        "kind": alert.kind,
        "time": _iso(alert.time),
        "title": alert.title,
        "text": alert.text,
        "link": link,
        "location": alert.location,
        "job": alert.job,
        "asset": alert.asset,
        "run_id": alert.run_id,
        "tags": alert.tags,
    }


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes an answer that leads elsewhere for a refusal: what follows it would ask for a page and lose the message."""

    def redirect_request(self, *_given: object) -> None:
        return None


class _Http(urllib.request.HTTPHandler):
    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self._kind = deadline.watched(http.client.HTTPConnection)

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, request)


class _Https(urllib.request.HTTPSHandler):
    def __init__(self, deadline: Deadline) -> None:
        self._trusted = ssl.create_default_context()
        super().__init__(context=self._trusted)
        self._kind = deadline.watched(http.client.HTTPSConnection)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._kind, request, context=self._trusted)


def _post(
    url: str, content: object, delivery: Delivery, deadline: Deadline, headers: Mapping[str, str] | None = None
) -> None:
    opener = urllib.request.build_opener(_NoRedirect, _Http(deadline), _Https(deadline))
    try:
        request = urllib.request.Request(  # noqa: S310 - the settings allow http and https alone
            url,
            data=encode_json(content),
            headers={
                "Content-Type": "application/json",
                "User-Agent": f"penstock/{__version__}",
                "Idempotency-Key": quote(delivery.key),
                **(headers or {}),
            },
        )
        with opener.open(request, timeout=TIMEOUT):
            pass
    except urllib.error.HTTPError as error:
        raise DeliveryError(f"It answered {error.code} {error.reason}{_said(error)}") from error
    except (ValueError, http.client.InvalidURL):
        # What Python says of these names the value, which may be a secret.
        raise DeliveryError("Its address or one of its headers is not valid; correct it in penstock.yaml.") from None
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DeliveryError(f"It does not answer: {str(reason) or type(reason).__name__}.") from error


def _said(error: urllib.error.HTTPError) -> str:
    with error:
        try:
            said = error.read(_ANSWER).decode("utf-8", "replace").strip()
        except (OSError, http.client.HTTPException):
            return ", and no more."
    return f": {said}" if said else "."


# -- mail -------------------------------------------------------------------------------------------------------------


def _mail(delivery: Delivery, target: EmailTarget, link: str | None, deadline: Deadline) -> None:
    alert = delivery.alert
    try:
        message = EmailMessage()
        message["Subject"] = " ".join(alert.title.split())
        message["From"] = target.sender
        message["To"] = ", ".join(target.recipients)
        message["Date"] = formatdate(alert.time)
        # The same whenever it is sent, so that a reader's program shows it once.
        message["Message-ID"] = f"<{quote(delivery.key, safe='')}@penstock.invalid>"
        message.set_content("\n\n".join(part for part in (alert.text, link, f"Rule: {delivery.rule}") if part) + "\n")
        _hand_over(message, target, deadline)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(f"The mail server did not take it: {str(error) or type(error).__name__}.") from error


def _hand_over(message: EmailMessage, target: EmailTarget, deadline: Deadline) -> None:
    trusted = ssl.create_default_context()
    connection = (
        deadline.watched(smtplib.SMTP_SSL)(target.host, target.port, timeout=TIMEOUT, context=trusted)
        if target.security == "tls"
        else deadline.watched(smtplib.SMTP)(target.host, target.port, timeout=TIMEOUT)
    )
    with connection:
        if target.security == "starttls":
            connection.starttls(context=trusted)
        if target.username is not None and target.password is not None:
            connection.login(target.username, target.password)
        connection.send_message(message)


def _iso(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat(timespec="milliseconds")
