"""What other systems send to webhook sensors, in SQLite."""

from __future__ import annotations

import sqlite3

from ...codec import digest, encode_msgpack
from ...records.act import ActKind
from ...records.automation import Tick, TickStatus
from ...records.webhook import Receipt, WebhookEntry, WebhookRequest, WebhookToken
from .. import webhook_rows as rows
from ..acting import act_of
from ..deeds import token_in_words
from ..inbox import MOST_ATTEMPTS, PAUSE, TOPIC, a_batch
from ..notifier import Notifier
from .acts import record_acts
from .connection import Database
from .listed import listed

__all__ = ["SqliteInbox", "settle_webhooks"]


class SqliteInbox:
    """`Inbox` of one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def receive(self, instigator: str, request: WebhookRequest, *, most: int, now: float) -> Receipt | None:
        """Store a request, once for its key; None when too many wait."""
        content = digest(request.body)
        with self._database.write("store a request to a webhook sensor") as connection:
            known = connection.execute(
                "SELECT id, digest FROM webhook_requests WHERE instigator = ? AND key = ?", (instigator, request.key)
            ).fetchone()
            if known is not None:
                return Receipt(id=known[0], repeated=True, same=known[1] == content)
            if _pending(connection, instigator, most) >= most:
                return None
            number = connection.execute(
                "INSERT INTO webhook_requests (instigator, key, digest, size, status, attempts, received, due, body) "
                "VALUES (?, ?, ?, ?, 'PENDING', 0, ?, ?, ?)",
                (instigator, request.key, content, len(request.body), now, now, encode_msgpack(request)),
            ).lastrowid
        assert number is not None
        self._notifier.publish({TOPIC})
        return Receipt(id=number)

    def waiting(self) -> dict[str, float]:
        """The sensors for which requests wait, each with when the first one is due."""
        with self._database.read("look for requests to webhook sensors") as connection:
            found = connection.execute(
                "SELECT instigator, due FROM webhook_requests WHERE id IN "
                "(SELECT MIN(id) FROM webhook_requests WHERE ended IS NULL GROUP BY instigator)"
            ).fetchall()
        return dict(found)

    def first(self, instigator: str, *, limit: int, most_bytes: int) -> list[WebhookRequest]:
        """The requests for the next tick."""
        with self._database.read("read requests to a webhook sensor") as connection:
            found = connection.execute(
                f"SELECT {rows.REQUEST} FROM webhook_requests WHERE instigator = ? AND ended IS NULL "
                "ORDER BY id LIMIT ?",
                (instigator, limit),
            )
            return a_batch(map(rows.request, found), most_bytes)

    def page(self, instigator: str, *, before: int | None = None, limit: int = 50) -> list[WebhookEntry]:
        """What is told of a sensor's requests, newest first."""
        with self._database.read("list requests to a webhook sensor") as connection:
            found = connection.execute(
                f"SELECT {rows.ENTRY} FROM webhook_requests WHERE instigator = :instigator "
                "AND (:before IS NULL OR id < :before) ORDER BY id DESC LIMIT :limit",
                {"instigator": instigator, "before": before, "limit": limit},
            ).fetchall()
        return [rows.entry(row) for row in found]

    def pending(self, instigator: str, *, at_most: int = 10_000) -> int:
        """How many requests of a sensor wait."""
        with self._database.read("count requests to a webhook sensor") as connection:
            return _pending(connection, instigator, at_most)

    def forget(self, before: float) -> int:
        """Remove the requests that ended before that time."""
        with self._database.write("remove old requests to webhook sensors", durable=False) as connection:
            return connection.execute("DELETE FROM webhook_requests WHERE ended < ?", (before,)).rowcount

    def add_token(self, instigator: str, digest: str, hint: str, *, now: float) -> WebhookToken:
        """Let senders in that show this token."""
        with self._database.write("store a token of a webhook sensor") as connection:
            number = connection.execute(
                "INSERT INTO webhook_tokens (instigator, digest, hint, created) VALUES (?, ?, ?, ?)",
                (instigator, digest, hint, now),
            ).lastrowid
            assert number is not None
            record_acts(connection, act_of(ActKind.ADD_TOKEN, instigator, after=token_in_words(number)))
        return WebhookToken(id=number, digest=digest, hint=hint, created=now)

    def revoke_token(self, instigator: str, token: int) -> bool:
        """Let them in no more."""
        with self._database.write("revoke a token of a webhook sensor") as connection:
            gone = connection.execute("DELETE FROM webhook_tokens WHERE instigator = ? AND id = ?", (instigator, token))
            if gone.rowcount:
                record_acts(connection, act_of(ActKind.REVOKE_TOKEN, instigator, before=token_in_words(token)))
            return gone.rowcount > 0

    def tokens(self, instigator: str) -> list[WebhookToken]:
        """A sensor's tokens, oldest first."""
        with self._database.read("read the tokens of a webhook sensor") as connection:
            found = connection.execute(
                f"SELECT {rows.TOKEN} FROM webhook_tokens WHERE instigator = ? ORDER BY id", (instigator,)
            ).fetchall()
        return [rows.token(row) for row in found]


_TAKE = "UPDATE webhook_requests SET status = 'TAKEN', tick = :tick, ended = :now "
_FAIL = (
    "UPDATE webhook_requests SET tick = :tick, due = :due, attempts = attempts + 1, "
    "status = CASE WHEN attempts + 1 < :most THEN 'PENDING' ELSE 'GIVEN_UP' END, "
    "ended = CASE WHEN attempts + 1 >= :most THEN :now END "
)


def settle_webhooks(connection: sqlite3.Connection, tick: Tick, now: float) -> None:
    """Store what becomes of the requests that a tick was given which has ended."""
    connection.execute(
        (_FAIL if tick.status is TickStatus.FAILURE else _TAKE)
        + "WHERE ended IS NULL AND id IN (SELECT value FROM json_each(:ids))",
        {"tick": tick.id, "now": now, "due": now + PAUSE, "most": MOST_ATTEMPTS, "ids": listed(tick.webhooks)},
    )


def _pending(connection: sqlite3.Connection, instigator: str, most: int) -> int:
    found: int = connection.execute(
        "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_requests WHERE instigator = ? AND ended IS NULL LIMIT ?)",
        (instigator, most),
    ).fetchone()[0]
    return found
