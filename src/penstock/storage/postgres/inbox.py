"""What other systems send to webhook sensors, in Postgres."""

from __future__ import annotations

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
from .transaction import Transaction

__all__ = ["PostgresInbox", "settle_webhooks"]

_PENDING = (
    "SELECT COUNT(*) FROM (SELECT 1 FROM webhook_requests WHERE instigator = %s AND ended IS NULL LIMIT %s) found"
)
_TAKE = "UPDATE webhook_requests SET status = 'TAKEN', tick = %(tick)s, ended = %(now)s "
_FAIL = (
    "UPDATE webhook_requests SET tick = %(tick)s, due = %(due)s, attempts = attempts + 1, "
    "status = CASE WHEN attempts + 1 < %(most)s THEN 'PENDING' ELSE 'GIVEN_UP' END, "
    "ended = CASE WHEN attempts + 1 >= %(most)s THEN %(now)s::float8 END "
)


class PostgresInbox:
    """`Inbox` of one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def receive(self, instigator: str, request: WebhookRequest, *, most: int, now: float) -> Receipt | None:
        """Store a request, once for its key; None when too many wait."""
        content = digest(request.body)

        def work(tx: Transaction) -> Receipt | None:
            known = None if request.key is None else _of_key(tx, instigator, request.key)
            if known is None:
                waiting = tx.row(_PENDING, (instigator, most))
                if waiting is not None and waiting[0] >= most:
                    return None
                made = tx.row(
                    "INSERT INTO webhook_requests "
                    "(instigator, key, digest, size, status, attempts, received, due, body) "
                    "VALUES (%s, %s, %s, %s, 'PENDING', 0, %s, %s, %s) "
                    "ON CONFLICT (instigator, key) WHERE key IS NOT NULL DO NOTHING RETURNING id",
                    (instigator, request.key, content, len(request.body), now, now, encode_msgpack(request)),
                )
                if made is not None:
                    return Receipt(id=made[0])
                assert request.key is not None
                known = _of_key(tx, instigator, request.key)  # the same one came at the same time
                assert known is not None
            return Receipt(id=known[0], repeated=True, same=known[1] == content)

        receipt = self._database.write("store a request to a webhook sensor", work)
        if receipt is not None and not receipt.repeated:
            self._notifier.publish({TOPIC})
        return receipt

    def waiting(self) -> dict[str, float]:
        """The sensors for which requests wait, each with when the first one is due."""
        found = self._database.read(
            "look for requests to webhook sensors",
            "SELECT instigator, due FROM webhook_requests WHERE id IN "
            "(SELECT MIN(id) FROM webhook_requests WHERE ended IS NULL GROUP BY instigator)",
        )
        return dict(found)

    def first(self, instigator: str, *, limit: int, most_bytes: int) -> list[WebhookRequest]:
        """The requests for the next tick."""
        found = self._database.read(
            "read requests to a webhook sensor",
            f"SELECT {rows.REQUEST} FROM webhook_requests WHERE instigator = %s AND ended IS NULL ORDER BY id LIMIT %s",
            (instigator, limit),
        )
        return a_batch(map(rows.request, found), most_bytes)

    def page(self, instigator: str, *, before: int | None = None, limit: int = 50) -> list[WebhookEntry]:
        """What is told of a sensor's requests, newest first."""
        found = self._database.read(
            "list requests to a webhook sensor",
            f"SELECT {rows.ENTRY} FROM webhook_requests WHERE instigator = %(instigator)s "
            "AND (%(before)s::bigint IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s",
            {"instigator": instigator, "before": before, "limit": limit},
        )
        return [rows.entry(row) for row in found]

    def pending(self, instigator: str, *, at_most: int = 10_000) -> int:
        """How many requests of a sensor wait."""
        found: int = self._database.read("count requests to a webhook sensor", _PENDING, (instigator, at_most))[0][0]
        return found

    def forget(self, before: float) -> int:
        """Remove the requests that ended before that time."""
        found = self._database.write(
            "remove old requests to webhook sensors",
            lambda tx: tx.rows("DELETE FROM webhook_requests WHERE ended < %s RETURNING 1", (before,)),
            durable=False,
            repeatable=True,
        )
        return len(found)

    def add_token(self, instigator: str, digest: str, hint: str, *, now: float) -> WebhookToken:
        """Let senders in that show this token."""

        def work(tx: Transaction) -> int:
            made = tx.row(
                "INSERT INTO webhook_tokens (instigator, digest, hint, created) VALUES (%s, %s, %s, %s) RETURNING id",
                (instigator, digest, hint, now),
            )
            assert made is not None
            number: int = made[0]
            record_acts(tx, act_of(ActKind.ADD_TOKEN, instigator, after=token_in_words(number)))
            return number

        number = self._database.write("store a token of a webhook sensor", work)
        return WebhookToken(id=number, digest=digest, hint=hint, created=now)

    def revoke_token(self, instigator: str, token: int) -> bool:
        """Let them in no more."""

        def work(tx: Transaction) -> bool:
            statement = "DELETE FROM webhook_tokens WHERE instigator = %s AND id = %s RETURNING 1"
            if tx.row(statement, (instigator, token)) is None:
                return False
            record_acts(tx, act_of(ActKind.REVOKE_TOKEN, instigator, before=token_in_words(token)))
            return True

        return self._database.write("revoke a token of a webhook sensor", work)

    def tokens(self, instigator: str) -> list[WebhookToken]:
        """A sensor's tokens, oldest first."""
        found = self._database.read(
            "read the tokens of a webhook sensor",
            f"SELECT {rows.TOKEN} FROM webhook_tokens WHERE instigator = %s ORDER BY id",
            (instigator,),
        )
        return [rows.token(row) for row in found]


def settle_webhooks(tx: Transaction, tick: Tick, now: float) -> None:
    """Store what becomes of the requests that a tick was given which has ended."""
    tx.send(
        (_FAIL if tick.status is TickStatus.FAILURE else _TAKE) + "WHERE ended IS NULL AND id = ANY(%(ids)s)",
        {"tick": tick.id, "now": now, "due": now + PAUSE, "most": MOST_ATTEMPTS, "ids": list(tick.webhooks)},
    )


def _of_key(tx: Transaction, instigator: str, key: str) -> tuple[int, str] | None:
    found = tx.row("SELECT id, digest FROM webhook_requests WHERE instigator = %s AND key = %s", (instigator, key))
    return None if found is None else (found[0], found[1])
