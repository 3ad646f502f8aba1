-- Messages about alerts, one for each target of each rule. `body` is the alert; `ended` is NULL while it is to be sent.
CREATE TABLE alert_deliveries (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    rule       TEXT COLLATE "C" NOT NULL,
    target     TEXT COLLATE "C" NOT NULL,
    subject    TEXT COLLATE "C" NOT NULL,
    occurrence TEXT COLLATE "C" NOT NULL,
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('PENDING', 'DELIVERED', 'THROTTLED', 'GIVEN_UP')),
    attempts   BIGINT NOT NULL,
    created    DOUBLE PRECISION NOT NULL,
    due        DOUBLE PRECISION NOT NULL,
    ended      DOUBLE PRECISION,
    error      TEXT COLLATE "C",
    body       BYTEA NOT NULL,
    CHECK ((status = 'PENDING') = (ended IS NULL))
);
CREATE UNIQUE INDEX alert_deliveries_by_occurrence ON alert_deliveries (rule, target, occurrence);
CREATE INDEX alert_deliveries_by_subject ON alert_deliveries (rule, target, subject, created) WHERE status <> 'THROTTLED';
CREATE INDEX alert_deliveries_due ON alert_deliveries (due) WHERE ended IS NULL;
CREATE INDEX alert_deliveries_by_end ON alert_deliveries (ended) WHERE ended IS NOT NULL;
