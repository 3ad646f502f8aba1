-- Messages about alerts, one for each target of each rule. `body` is the alert; `ended` is NULL while it is to be sent.
CREATE TABLE alert_deliveries (
    id         INTEGER PRIMARY KEY,
    rule       TEXT NOT NULL,
    target     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    occurrence TEXT NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'THROTTLED', 'GIVEN_UP')),
    attempts   INTEGER NOT NULL,
    created    REAL NOT NULL,
    due        REAL NOT NULL,
    ended      REAL,
    error      TEXT,
    body       BLOB NOT NULL,
    CHECK ((status = 'PENDING') = (ended IS NULL))
);
CREATE UNIQUE INDEX alert_deliveries_by_occurrence ON alert_deliveries (rule, target, occurrence);
CREATE INDEX alert_deliveries_by_subject ON alert_deliveries (rule, target, subject, created) WHERE status <> 'THROTTLED';
CREATE INDEX alert_deliveries_due ON alert_deliveries (due) WHERE ended IS NULL;
CREATE INDEX alert_deliveries_by_end ON alert_deliveries (ended) WHERE ended IS NOT NULL;
