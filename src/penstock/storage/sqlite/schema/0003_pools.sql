-- Concurrency pools. A pool without a row here has the default limit of the settings.
CREATE TABLE pool_limits (
    pool  TEXT PRIMARY KEY,
    slots INTEGER NOT NULL CHECK (slots BETWEEN 0 AND 1000)
) WITHOUT ROWID;

-- One slot that a step ('': the whole run) waits for, or, from `taken` on, holds. It counts while `attempt` is the run's
-- current one and its lease is not over. `retry` tells the step's attempts apart.
CREATE TABLE pool_claims (
    run_id   TEXT NOT NULL,
    step_key TEXT NOT NULL,
    pool     TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    retry    INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    since    REAL NOT NULL,
    taken    REAL,
    PRIMARY KEY (run_id, step_key, pool)
) WITHOUT ROWID;
