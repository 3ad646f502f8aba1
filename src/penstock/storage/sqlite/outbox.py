"""Messages that are on their way, in SQLite."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ...codec import encode_msgpack
from ...records.alert import Delivery, DeliveryStatus, NewDelivery
from .. import rows
from ..notifier import Notifier
from ..outbox import LAST_ID, TOPIC
from .connection import Database
from .listed import listed

__all__ = ["SqliteOutbox"]

_ADD = (
    "WITH held (back) AS (SELECT EXISTS (SELECT 1 FROM alert_deliveries WHERE rule = :rule AND target = :target "
    "AND subject = :subject AND status <> 'THROTTLED' AND created > :now - :throttle "
    "AND created < :now + :throttle)) "  # not for as long as the clock was set back
    "INSERT INTO alert_deliveries (rule, target, subject, occurrence, status, attempts, created, due, ended, body) "
    "SELECT :rule, :target, :subject, :occurrence, CASE WHEN back THEN 'THROTTLED' ELSE 'PENDING' END, 0, :now, :now, "
    "CASE WHEN back THEN :now END, :body FROM held WHERE true ON CONFLICT (rule, target, occurrence) DO NOTHING"
)
_DUE = (
    "SELECT id FROM alert_deliveries WHERE ended IS NULL "
    "AND (due <= :now OR due > :until + (1 << MIN(attempts, 40))) AND (rule, target) NOT IN "
    "(SELECT value ->> 0, value ->> 1 FROM json_each(:but)) ORDER BY due, id LIMIT :limit"
)


class SqliteOutbox:
    """`Outbox` of one SQLite database."""

    def __init__(self, database: Database, notifier: Notifier) -> None:
        self._database = database
        self._notifier = notifier

    def add(self, deliveries: Sequence[NewDelivery], *, now: float) -> None:
        """Store those that are new."""
        with self._database.write("store alerts") as connection:
            connection.executemany(
                _ADD,
                [
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
                ],
            )
        self._notifier.publish({TOPIC})

    def claim(self, *, now: float, until: float, limit: int, but: Collection[tuple[str, str]] = ()) -> list[Delivery]:
        """Take what is due, for a while."""
        values = {"now": now, "until": until, "limit": limit, "but": listed(but)}
        with self._database.read("look for alerts that are due") as connection:
            if connection.execute(_DUE, values).fetchone() is None:
                return []  # mostly so, and it needs no lock
        with self._database.write("claim alerts") as connection:
            found = connection.execute(
                f"UPDATE alert_deliveries SET attempts = attempts + 1, due = :until WHERE id IN ({_DUE}) "
                f"RETURNING {rows.DELIVERY}",
                values,
            ).fetchall()
        return sorted(map(rows.delivery, found), key=lambda each: each.id)

    def settle(
        self, delivery: Delivery, status: DeliveryStatus, *, now: float, due: float | None = None, error: str | None
    ) -> bool:
        """Say what became of a claimed one."""
        with self._database.write("settle an alert") as connection:
            settled = connection.execute(
                "UPDATE alert_deliveries SET status = :status, error = :error, due = COALESCE(:due, due), "
                "ended = CASE WHEN :status <> 'PENDING' THEN :now END "
                "WHERE id = :id AND ended IS NULL AND (attempts = :attempts OR :status = 'DELIVERED')",
                {
                    "id": delivery.id,
                    "attempts": delivery.attempts,
                    "status": status,
                    "error": error,
                    "due": due,
                    "now": now,
                },
            ).rowcount
        self._notifier.publish({TOPIC})
        return settled > 0

    def page(
        self, *, before: int | None = None, limit: int = 50, status: DeliveryStatus | None = None
    ) -> list[Delivery]:
        """Deliveries newest first."""
        of = "" if status is None else "status = :status AND "
        with self._database.read("read alerts") as connection:
            found = connection.execute(
                f"SELECT {rows.DELIVERY} FROM alert_deliveries WHERE {of}id < :before ORDER BY id DESC LIMIT :limit",
                {"before": LAST_ID if before is None else before, "limit": limit, "status": status},
            ).fetchall()
        return [rows.delivery(row) for row in found]

    def forget(self, before: float) -> int:
        """Remove those that ended before that time."""
        with self._database.write("remove old alerts", durable=False) as connection:
            return connection.execute("DELETE FROM alert_deliveries WHERE ended < ?", (before,)).rowcount
