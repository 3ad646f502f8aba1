-- What other systems send to webhook sensors, until a tick takes it and for some time after; and the tokens they show.
CREATE TABLE webhook_requests (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    instigator TEXT NOT NULL,
    key        TEXT,  -- the sender's idempotency key
    digest     TEXT NOT NULL,  -- of the body
    size       INTEGER NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('PENDING', 'TAKEN', 'GIVEN_UP')),
    attempts   INTEGER NOT NULL,
    received   REAL NOT NULL,
    due        REAL NOT NULL,
    ended      REAL,
    tick       INTEGER,  -- the last one that it was given to
    body       BLOB NOT NULL,
    CHECK ((status = 'PENDING') = (ended IS NULL))
);
CREATE UNIQUE INDEX webhook_requests_by_key ON webhook_requests (instigator, key) WHERE key IS NOT NULL;
CREATE INDEX webhook_requests_by_instigator ON webhook_requests (instigator, id);
CREATE INDEX webhook_requests_pending ON webhook_requests (instigator, id) WHERE ended IS NULL;
CREATE INDEX webhook_requests_by_end ON webhook_requests (ended) WHERE ended IS NOT NULL;

CREATE TABLE webhook_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    instigator TEXT NOT NULL,
    digest     TEXT NOT NULL UNIQUE,
    hint       TEXT NOT NULL,
    created    REAL NOT NULL
);
CREATE INDEX webhook_tokens_by_instigator ON webhook_tokens (instigator, id);
