-- The first schema. Times are seconds since the Unix epoch, UTC; bodies are MessagePack of records.
-- `runs.num` is the run's short name inside this database; everything that outlives the run names it by `run_id`.

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
-- Event ids come from here and not from the table's end, so that an id is never given twice, also after deletions.
INSERT INTO counters VALUES ('event', 0);

CREATE TABLE runs (
    num            INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id         TEXT NOT NULL UNIQUE,
    location       TEXT NOT NULL,
    job            TEXT NOT NULL,
    status         TEXT NOT NULL CHECK (status IN (
        'NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING', 'SUCCESS', 'FAILURE', 'CANCELED', 'MANAGED', 'SUSPENDED'
    )),
    priority       INTEGER NOT NULL DEFAULT 0,
    attempt        INTEGER NOT NULL DEFAULT 0,
    owner          TEXT,
    lease_until    REAL,
    created        REAL NOT NULL,
    queued         REAL,
    launched       REAL,
    started        REAL,
    ended          REAL,
    updated        REAL NOT NULL,
    failure_reason TEXT,
    note           TEXT,
    body           BLOB NOT NULL,
    -- A run that has ended says when, and is held by nobody.
    CHECK (status NOT IN ('SUCCESS', 'FAILURE', 'CANCELED') OR (ended IS NOT NULL AND lease_until IS NULL))
);
CREATE INDEX runs_by_job ON runs (job, run_id);
CREATE INDEX runs_by_job_status ON runs (job, status, run_id);
CREATE INDEX runs_by_location ON runs (location, run_id);
CREATE INDEX runs_by_status ON runs (status, run_id);
CREATE INDEX runs_by_created ON runs (created);
CREATE INDEX runs_by_updated ON runs (updated);
CREATE INDEX runs_by_ended ON runs (ended);
CREATE INDEX runs_in_queue ON runs (priority DESC, run_id) WHERE status = 'QUEUED';
CREATE INDEX runs_by_lease ON runs (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX runs_by_owner ON runs (owner) WHERE lease_until IS NOT NULL;

-- Nothing moves a run out of its end, whatever program tries.
CREATE TRIGGER runs_end_is_final BEFORE UPDATE OF status ON runs
WHEN OLD.status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND NEW.status <> OLD.status
BEGIN
    SELECT RAISE(ABORT, 'a run that has ended cannot change its status');
END;

CREATE TABLE run_tags (
    key    TEXT NOT NULL,
    value  TEXT NOT NULL,
    run_id TEXT NOT NULL,
    PRIMARY KEY (run_id, key)
) WITHOUT ROWID;
CREATE INDEX run_tags_by_value ON run_tags (key, value, run_id);

-- What a run announced to make. `partition` is '' for an asset without partitions.
CREATE TABLE planned_assets (
    run_id    TEXT NOT NULL,
    asset     TEXT NOT NULL,
    partition TEXT NOT NULL,
    planned   REAL NOT NULL,
    state     TEXT NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'MADE', 'LEFT')),
    PRIMARY KEY (run_id, asset, partition)
) WITHOUT ROWID;
CREATE INDEX planned_assets_by_asset ON planned_assets (asset, run_id);
CREATE INDEX planned_assets_open ON planned_assets (asset, planned) WHERE state = 'OPEN';

CREATE TABLE snapshots (
    digest TEXT PRIMARY KEY,
    body   BLOB NOT NULL
);

CREATE TABLE events (
    id       INTEGER PRIMARY KEY,
    run      INTEGER,  -- runs.num; NULL for facts that no run made
    attempt  INTEGER NOT NULL,
    seq      INTEGER,
    time     REAL NOT NULL,
    type     TEXT NOT NULL,
    step_key TEXT,
    body     BLOB NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (run, attempt, seq) WHERE seq IS NOT NULL;
CREATE INDEX events_by_run ON events (run, id);
CREATE INDEX events_by_type ON events (type, id);
-- The few events of whole runs, for who asks for a stretch of time. '`' follows '_'.
CREATE INDEX run_events_by_time ON events (type, time) WHERE type >= 'RUN_' AND type < 'RUN`';

CREATE TABLE steps (
    run            INTEGER NOT NULL,
    step_key       TEXT NOT NULL,
    place          INTEGER NOT NULL,  -- the event that began it: the order in which steps began
    status         TEXT,
    worker_started REAL,
    started        REAL,
    ended          REAL,
    attempts       BLOB NOT NULL,
    PRIMARY KEY (run, step_key)
) WITHOUT ROWID;

CREATE TABLE asset_states (
    asset              TEXT PRIMARY KEY,
    materialized_event INTEGER,
    materialized_at    REAL,
    materialized_run   TEXT,
    observed_event     INTEGER,
    observed_at        REAL,
    planned_run        TEXT,
    planned_at         REAL,
    failed_run         TEXT,
    failed_at          REAL
) WITHOUT ROWID;

CREATE TABLE partition_states (
    asset           TEXT NOT NULL,
    partition       TEXT NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('MATERIALIZED', 'MATERIALIZING', 'FAILED')),
    run_id          TEXT,
    event           INTEGER,
    updated         REAL NOT NULL,
    materialized_at REAL,
    PRIMARY KEY (asset, partition)
) WITHOUT ROWID;

-- An asset's history, which outlives the runs' logs. `id` is the event's id.
CREATE TABLE asset_events (
    id        INTEGER PRIMARY KEY,
    asset     TEXT NOT NULL,
    partition TEXT,
    type      TEXT NOT NULL,
    time      REAL NOT NULL,
    run_id    TEXT,
    body      BLOB NOT NULL
);
CREATE INDEX asset_events_by_time ON asset_events (asset, type, time);
CREATE INDEX asset_events_by_asset ON asset_events (asset, type, id);
CREATE INDEX asset_events_by_partition ON asset_events (asset, partition, type, id) WHERE partition IS NOT NULL;

CREATE TABLE check_executions (
    id                    INTEGER PRIMARY KEY,
    asset                 TEXT NOT NULL,
    name                  TEXT NOT NULL,
    partition             TEXT NOT NULL DEFAULT '',
    status                TEXT NOT NULL CHECK (status IN (
        'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'EXECUTION_FAILED', 'SKIPPED'
    )),
    run_id                TEXT,
    event                 INTEGER NOT NULL,
    updated               REAL NOT NULL,
    asset_materialized_at REAL,
    body                  BLOB
);
CREATE INDEX check_executions_by_check ON check_executions (asset, name, event);
CREATE INDEX check_executions_open ON check_executions (run_id) WHERE status = 'IN_PROGRESS';

CREATE TABLE check_states (
    asset     TEXT NOT NULL,
    name      TEXT NOT NULL,
    execution INTEGER NOT NULL,
    PRIMARY KEY (asset, name)
) WITHOUT ROWID;

CREATE TABLE dynamic_partitions (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT NOT NULL,
    key   TEXT NOT NULL,
    UNIQUE (name, key)
);
CREATE INDEX dynamic_partitions_by_name ON dynamic_partitions (name, place);

CREATE TABLE instigators (
    id           TEXT PRIMARY KEY,
    location     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    cursor       TEXT,
    cursor_set   REAL,  -- when a person set the cursor; a tick begun before that leaves it alone
    turned_on    REAL,  -- when it was last turned on, or first seen on
    last_run_key TEXT,
    last_tick    REAL,
    next_due     REAL,
    fingerprint  TEXT,
    updated      REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE ticks (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    instigator TEXT NOT NULL,
    due        REAL NOT NULL,
    status     TEXT NOT NULL CHECK (status IN ('STARTED', 'SUCCESS', 'SKIPPED', 'FAILURE')),
    started    REAL NOT NULL,
    attempt    INTEGER NOT NULL,
    body       BLOB NOT NULL,
    UNIQUE (instigator, due)
);
CREATE INDEX ticks_by_instigator ON ticks (instigator, id);
CREATE INDEX ticks_by_time ON ticks (instigator, started, id);
CREATE INDEX ticks_by_status ON ticks (instigator, status, id);

-- What automation conditions came to, each evaluation of an asset, check or job.
CREATE TABLE automation_evaluations (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    entity TEXT NOT NULL,
    tick   INTEGER NOT NULL,
    time   REAL NOT NULL,
    body   BLOB NOT NULL
);
CREATE INDEX automation_evaluations_by_entity ON automation_evaluations (entity, id);
CREATE INDEX automation_evaluations_by_time ON automation_evaluations (time);

-- A run key is used once, also when its run is deleted later.
CREATE TABLE run_keys (
    instigator TEXT NOT NULL,
    run_key    TEXT NOT NULL,
    run_id     TEXT NOT NULL,
    PRIMARY KEY (instigator, run_key)
) WITHOUT ROWID;

CREATE TABLE leases (
    name   TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch  INTEGER NOT NULL,
    until  REAL NOT NULL
) WITHOUT ROWID;

CREATE TABLE processes (
    id   TEXT PRIMARY KEY,
    seen REAL NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX processes_by_seen ON processes (seen);

CREATE TABLE locations (
    name        TEXT PRIMARY KEY,
    status      TEXT NOT NULL,
    digest      TEXT,
    updated     REAL NOT NULL,
    body        BLOB NOT NULL,
    description BLOB
);

CREATE TABLE named_values (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;
