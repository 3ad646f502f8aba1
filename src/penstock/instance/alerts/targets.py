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

__all__ = ["TIMEOUT", "send"]

TIMEOUT = 10.0
"""How many seconds a target may let us wait for each answer."""

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
    if target.email is not None:
        _mail(delivery, target.email, link)
    elif target.slack is not None:
        _post(target.slack.url, _for_slack(delivery.alert, link), delivery)
    elif target.webhook is not None:
        _post(target.webhook.url, _as_data(delivery, link), delivery, target.webhook.headers)


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


def _post(url: str, content: object, delivery: Delivery, headers: Mapping[str, str] | None = None) -> None:
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
        with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - as above
            pass
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(_ANSWER).decode("utf-8", "replace").strip()
        raise DeliveryError(f"It answered {error.code} {error.reason}{f': {said}' if said else '.'}") from error
    except (ValueError, http.client.InvalidURL):
        # What Python says of these names the value, which may be a secret.
        raise DeliveryError("Its address or one of its headers is not valid; correct it in penstock.yaml.") from None
    except (OSError, http.client.HTTPException) as error:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise DeliveryError(f"It does not answer: {str(reason) or type(reason).__name__}.") from error


# -- mail -------------------------------------------------------------------------------------------------------------


def _mail(delivery: Delivery, target: EmailTarget, link: str | None) -> None:
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
        _hand_over(message, target)
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise DeliveryError(f"The mail server did not take it: {str(error) or type(error).__name__}.") from error


def _hand_over(message: EmailMessage, target: EmailTarget) -> None:
    trusted = ssl.create_default_context()
    connection = (
        smtplib.SMTP_SSL(target.host, target.port, timeout=TIMEOUT, context=trusted)
        if target.security == "tls"
        else smtplib.SMTP(target.host, target.port, timeout=TIMEOUT)
    )
    with connection:
        if target.security == "starttls":
            connection.starttls(context=trusted)
        if target.username is not None and target.password is not None:
            connection.login(target.username, target.password)
        connection.send_message(message)


def _iso(time: float) -> str:
    return datetime.datetime.fromtimestamp(time, datetime.UTC).isoformat(timespec="milliseconds")
