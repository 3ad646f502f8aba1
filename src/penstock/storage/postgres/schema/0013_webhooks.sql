-- What other systems send to webhook sensors, until a tick takes it and for some time after; and the tokens they show.
CREATE TABLE webhook_requests (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instigator TEXT COLLATE "C" NOT NULL,
    key        TEXT COLLATE "C",  -- the sender's idempotency key
    digest     TEXT COLLATE "C" NOT NULL,  -- of the body
    size       BIGINT NOT NULL,
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('PENDING', 'TAKEN', 'GIVEN_UP')),
    attempts   BIGINT NOT NULL,
    received   DOUBLE PRECISION NOT NULL,
    due        DOUBLE PRECISION NOT NULL,
    ended      DOUBLE PRECISION,
    tick       BIGINT,  -- the last one that it was given to
    body       BYTEA NOT NULL,
    CHECK ((status = 'PENDING') = (ended IS NULL))
);
CREATE UNIQUE INDEX webhook_requests_by_key ON webhook_requests (instigator, key) WHERE key IS NOT NULL;
CREATE INDEX webhook_requests_by_instigator ON webhook_requests (instigator, id);
CREATE INDEX webhook_requests_pending ON webhook_requests (instigator, id) WHERE ended IS NULL;
CREATE INDEX webhook_requests_by_end ON webhook_requests (ended) WHERE ended IS NOT NULL;

CREATE TABLE webhook_tokens (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instigator TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL UNIQUE,
    hint       TEXT COLLATE "C" NOT NULL,
    created    DOUBLE PRECISION NOT NULL
);
CREATE INDEX webhook_tokens_by_instigator ON webhook_tokens (instigator, id);
