"""Messages that are on their way, in Postgres."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...codec import encode_msgpack
from ...records.alert import Delivery, DeliveryStatus, NewDelivery
from .. import rows
from ..notifier import Notifier
from ..outbox import LAST_ID, TOPIC
from .connection import Database
from .transaction import Row, Transaction

__all__ = ["PostgresOutbox"]

_ADD = (
    "WITH given AS (SELECT %(rule)s::text AS rule, %(target)s::text AS target, %(subject)s::text AS subject, "
    "%(now)s::float8 AS now), held AS (SELECT g.*, EXISTS (SELECT 1 FROM alert_deliveries d WHERE d.rule = g.rule "
    "AND d.target = g.target AND d.subject = g.subject AND d.status <> 'THROTTLED' "
    "AND d.created > g.now - %(throttle)s::float8 "
    "AND d.created < g.now + %(throttle)s::float8) AS back FROM given g) "  # not for as long as the clock was set back
    "INSERT INTO alert_deliveries (rule, target, subject, occurrence, status, attempts, created, due, ended, body) "
    "SELECT rule, target, subject, %(occurrence)s, CASE WHEN back THEN 'THROTTLED' ELSE 'PENDING' END, 0, now, now, "
    "CASE WHEN back THEN now END, %(body)s FROM held ON CONFLICT (rule, target, occurrence) DO NOTHING"
)
_CLAIM = (
    "UPDATE alert_deliveries SET attempts = attempts + 1, due = %(until)s WHERE id IN (SELECT id FROM alert_deliveries "
    "WHERE ended IS NULL AND (due <= %(now)s OR due > %(until)s::float8 + power(2, LEAST(attempts, 40))) "
    "AND (rule, target) NOT IN "
    "(SELECT * FROM unnest(%(rules)s::text[], %(targets)s::text[])) ORDER BY due, id LIMIT %(limit)s "
    "FOR UPDATE SKIP LOCKED) "
    f"RETURNING {rows.DELIVERY}"
)


class PostgresOutbox:
    """`Outbox` of one Postgres database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def add(self, deliveries: Sequence[NewDelivery], *, now: float) -> None:
        """Store those that are new."""
        values = [
            {
                "rule": each.rule,
                "target": each.target,
                "subject": each.alert.subject,
                "occurrence": each.alert.occurrence,
                "throttle": each.throttle,
                "now": now,
                "body": encode_msgpack(each.alert),
            }
            for each in deliveries
        ]
        self._database.write("store alerts", lambda tx: tx.send_each(_ADD, values), repeatable=True)
        self._notifier.publish({TOPIC})

    def claim(self, *, now: float, until: float, limit: int, but: Collection[tuple[str, str]] = ()) -> list[Delivery]:
        """Take what is due, for a while."""
        rules, targets = [rule for rule, _ in but], [target for _, target in but]
        values = {"now": now, "until": until, "limit": limit, "rules": rules, "targets": targets}
        found = self._database.write("claim alerts", lambda tx: tx.rows(_CLAIM, values))
        return sorted(map(rows.delivery, found), key=lambda each: each.id)

    def settle(
        self, delivery: Delivery, status: DeliveryStatus, *, now: float, due: float | None = None, error: str | None
    ) -> bool:
        """Say what became of a claimed one."""

        def work(tx: Transaction) -> list[Row]:
            return tx.rows(
                "UPDATE alert_deliveries SET status = %(status)s::text, error = %(error)s, "
                "due = COALESCE(%(due)s::float8, due), "
                "ended = CASE WHEN %(status)s::text <> 'PENDING' THEN %(now)s::float8 END WHERE id = %(id)s "
                "AND ended IS NULL AND (attempts = %(attempts)s OR %(status)s::text = 'DELIVERED') RETURNING id",
                {
                    "id": delivery.id,
                    "attempts": delivery.attempts,
                    "status": status.value,
                    "error": error,
                    "due": due,
                    "now": now,
                },
            )

        settled = self._database.write("settle an alert", work)
        self._notifier.publish({TOPIC})
        return bool(settled)

    def page(
        self, *, before: int | None = None, limit: int = 50, status: DeliveryStatus | None = None
    ) -> list[Delivery]:
        """Deliveries newest first."""
        of = "" if status is None else "status = %(status)s AND "
        found = self._database.read(
            "read alerts",
            f"SELECT {rows.DELIVERY} FROM alert_deliveries WHERE {of}id < %(before)s ORDER BY id DESC LIMIT %(limit)s",
            {"before": LAST_ID if before is None else before, "limit": limit, "status": status},
        )
        return [rows.delivery(row) for row in found]

    def forget(self, before: float) -> int:
        """Remove those that ended before that time."""
        found = self._database.write(
            "remove old alerts",
            lambda tx: tx.rows("DELETE FROM alert_deliveries WHERE ended < %s RETURNING 1", (before,)),
            durable=False,
            repeatable=True,
        )
        return len(found)
