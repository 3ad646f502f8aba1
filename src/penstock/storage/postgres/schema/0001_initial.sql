-- The first schema. Times are seconds since the Unix epoch, UTC; bodies are MessagePack of records.
-- `runs.num` is the run's short name inside this database; everything that outlives the run names it by `run_id`.
-- Texts that are compared or sorted have the collation "C": their order is that of their bytes, as everywhere else.

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
) WITH (fillfactor = 10);
-- Event ids come from here and not from a sequence: whoever takes some holds the row until they are visible, so that
-- nobody can see a later id before an earlier one.
INSERT INTO counters VALUES ('event', 0);

CREATE SEQUENCE run_numbers;
CREATE TABLE runs (
    num            BIGINT PRIMARY KEY,
    run_id         TEXT COLLATE "C" NOT NULL UNIQUE,
    location       TEXT COLLATE "C" NOT NULL,
    job            TEXT COLLATE "C" NOT NULL,
    status         TEXT COLLATE "C" NOT NULL CHECK (status IN (
        'NOT_STARTED', 'QUEUED', 'STARTING', 'STARTED', 'CANCELING', 'SUCCESS', 'FAILURE', 'CANCELED', 'MANAGED', 'SUSPENDED'
    )),
    priority       BIGINT NOT NULL DEFAULT 0,
    attempt        BIGINT NOT NULL DEFAULT 0,
    owner          TEXT COLLATE "C",
    lease_until    DOUBLE PRECISION,
    created        DOUBLE PRECISION NOT NULL,
    queued         DOUBLE PRECISION,
    launched       DOUBLE PRECISION,
    started        DOUBLE PRECISION,
    ended          DOUBLE PRECISION,
    updated        DOUBLE PRECISION NOT NULL,
    failure_reason TEXT,
    note           TEXT,
    body           BYTEA NOT NULL,
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
CREATE FUNCTION refuse_to_leave_the_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a run that has ended cannot change its status';
END
$$;
CREATE TRIGGER runs_end_is_final BEFORE UPDATE OF status ON runs FOR EACH ROW
WHEN (OLD.status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND NEW.status <> OLD.status)
EXECUTE FUNCTION refuse_to_leave_the_end();

CREATE TABLE run_tags (
    key    TEXT COLLATE "C" NOT NULL,
    value  TEXT COLLATE "C" NOT NULL,
    run_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (run_id, key)
);
-- A value may be longer than an index takes; what it begins with finds it.
CREATE INDEX run_tags_by_value ON run_tags (key, left(value, 500), run_id);

-- What a run announced to make. `partition` is '' for an asset without partitions.
CREATE TABLE planned_assets (
    run_id    TEXT COLLATE "C" NOT NULL,
    asset     TEXT COLLATE "C" NOT NULL,
    partition TEXT COLLATE "C" NOT NULL,
    planned   DOUBLE PRECISION NOT NULL,
    state     TEXT NOT NULL DEFAULT 'OPEN' CHECK (state IN ('OPEN', 'MADE', 'LEFT')),
    PRIMARY KEY (run_id, asset, partition)
);
CREATE INDEX planned_assets_by_asset ON planned_assets (asset, run_id);
CREATE INDEX planned_assets_open ON planned_assets (asset, planned) WHERE state = 'OPEN';

CREATE TABLE snapshots (
    digest TEXT COLLATE "C" PRIMARY KEY,
    body   BYTEA NOT NULL
);

CREATE TABLE events (
    id       BIGINT PRIMARY KEY,
    run      BIGINT,  -- runs.num; NULL for facts that no run made
    attempt  BIGINT NOT NULL,
    seq      BIGINT,
    time     DOUBLE PRECISION NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    step_key TEXT COLLATE "C",
    body     BYTEA NOT NULL
);
CREATE UNIQUE INDEX events_by_seq ON events (run, attempt, seq) WHERE seq IS NOT NULL;
CREATE INDEX events_by_run ON events (run, id);
CREATE INDEX events_by_type ON events (type, id);
-- The few events of whole runs, for who asks for a stretch of time. '`' follows '_'.
CREATE INDEX run_events_by_time ON events (type, time) WHERE type >= 'RUN_' AND type < 'RUN`';

CREATE TABLE steps (
    run            BIGINT NOT NULL,
    step_key       TEXT COLLATE "C" NOT NULL,
    place          BIGINT NOT NULL,  -- the event that began it: the order in which steps began
    status         TEXT,
    worker_started DOUBLE PRECISION,
    started        DOUBLE PRECISION,
    ended          DOUBLE PRECISION,
    attempts       BYTEA NOT NULL,
    PRIMARY KEY (run, step_key)
);

CREATE TABLE asset_states (
    asset              TEXT COLLATE "C" PRIMARY KEY,
    materialized_event BIGINT,
    materialized_at    DOUBLE PRECISION,
    materialized_run   TEXT,
    observed_event     BIGINT,
    observed_at        DOUBLE PRECISION,
    planned_run        TEXT COLLATE "C",
    planned_at         DOUBLE PRECISION,
    failed_run         TEXT,
    failed_at          DOUBLE PRECISION
);

CREATE TABLE partition_states (
    asset           TEXT COLLATE "C" NOT NULL,
    partition       TEXT COLLATE "C" NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('MATERIALIZED', 'MATERIALIZING', 'FAILED')),
    run_id          TEXT COLLATE "C",
    event           BIGINT,
    updated         DOUBLE PRECISION NOT NULL,
    materialized_at DOUBLE PRECISION,
    PRIMARY KEY (asset, partition)
);

-- An asset's history, which outlives the runs' logs. `id` is the event's id.
CREATE TABLE asset_events (
    id        BIGINT PRIMARY KEY,
    asset     TEXT COLLATE "C" NOT NULL,
    partition TEXT COLLATE "C",
    type      TEXT COLLATE "C" NOT NULL,
    time      DOUBLE PRECISION NOT NULL,
    run_id    TEXT,
    body      BYTEA NOT NULL
);
CREATE INDEX asset_events_by_time ON asset_events (asset, type, time);
CREATE INDEX asset_events_by_asset ON asset_events (asset, type, id);
CREATE INDEX asset_events_by_partition ON asset_events (asset, partition, type, id) WHERE partition IS NOT NULL;

CREATE TABLE check_executions (
    id                    BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    asset                 TEXT COLLATE "C" NOT NULL,
    name                  TEXT COLLATE "C" NOT NULL,
    partition             TEXT COLLATE "C" NOT NULL DEFAULT '',
    status                TEXT NOT NULL CHECK (status IN (
        'IN_PROGRESS', 'SUCCEEDED', 'FAILED', 'EXECUTION_FAILED', 'SKIPPED'
    )),
    run_id                TEXT COLLATE "C",
    event                 BIGINT NOT NULL,
    updated               DOUBLE PRECISION NOT NULL,
    asset_materialized_at DOUBLE PRECISION,
    body                  BYTEA
);
CREATE INDEX check_executions_by_check ON check_executions (asset, name, event);
CREATE INDEX check_executions_open ON check_executions (run_id) WHERE status = 'IN_PROGRESS';

CREATE TABLE check_states (
    asset     TEXT COLLATE "C" NOT NULL,
    name      TEXT COLLATE "C" NOT NULL,
    execution BIGINT NOT NULL,
    PRIMARY KEY (asset, name)
);

CREATE TABLE dynamic_partitions (
    place BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name  TEXT COLLATE "C" NOT NULL,
    key   TEXT COLLATE "C" NOT NULL,
    UNIQUE (name, key)
);
CREATE INDEX dynamic_partitions_by_name ON dynamic_partitions (name, place);

CREATE TABLE instigators (
    id           TEXT COLLATE "C" PRIMARY KEY,
    location     TEXT NOT NULL,
    kind         TEXT NOT NULL,
    name         TEXT NOT NULL,
    status       TEXT NOT NULL,
    cursor       TEXT,
    cursor_set   DOUBLE PRECISION,  -- when a person set the cursor; a tick begun before that leaves it alone
    turned_on    DOUBLE PRECISION,  -- when it was last turned on, or first seen on
    last_run_key TEXT,
    last_tick    DOUBLE PRECISION,
    next_due     DOUBLE PRECISION,
    fingerprint  TEXT,
    updated      DOUBLE PRECISION NOT NULL
);

CREATE TABLE ticks (
    id         BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    instigator TEXT COLLATE "C" NOT NULL,
    due        DOUBLE PRECISION NOT NULL,
    status     TEXT COLLATE "C" NOT NULL CHECK (status IN ('STARTED', 'SUCCESS', 'SKIPPED', 'FAILURE')),
    started    DOUBLE PRECISION NOT NULL,
    attempt    BIGINT NOT NULL,
    body       BYTEA NOT NULL,
    UNIQUE (instigator, due)
);
CREATE INDEX ticks_by_instigator ON ticks (instigator, id);
CREATE INDEX ticks_by_time ON ticks (instigator, started, id);
CREATE INDEX ticks_by_status ON ticks (instigator, status, id);

-- What automation conditions came to, each evaluation of an asset, check or job.
CREATE TABLE automation_evaluations (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    entity TEXT COLLATE "C" NOT NULL,
    tick   BIGINT NOT NULL,
    time   DOUBLE PRECISION NOT NULL,
    body   BYTEA NOT NULL
);
CREATE INDEX automation_evaluations_by_entity ON automation_evaluations (entity, id);
CREATE INDEX automation_evaluations_by_time ON automation_evaluations (time);

-- A run key is used once, also when its run is deleted later.
CREATE TABLE run_keys (
    instigator TEXT COLLATE "C" NOT NULL,
    run_key    TEXT COLLATE "C" NOT NULL,
    run_id     TEXT NOT NULL,
    PRIMARY KEY (instigator, run_key)
);

CREATE TABLE leases (
    name   TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT NOT NULL,
    epoch  BIGINT NOT NULL,
    until  DOUBLE PRECISION NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE processes (
    id   TEXT COLLATE "C" PRIMARY KEY,
    seen DOUBLE PRECISION NOT NULL,
    body BYTEA NOT NULL
);
CREATE INDEX processes_by_seen ON processes (seen);

CREATE TABLE locations (
    name        TEXT COLLATE "C" PRIMARY KEY,
    status      TEXT NOT NULL,
    digest      TEXT,
    updated     DOUBLE PRECISION NOT NULL,
    body        BYTEA NOT NULL,
    description BYTEA
);

CREATE TABLE named_values (
    key   TEXT COLLATE "C" PRIMARY KEY,
    value TEXT NOT NULL
);

-- Concurrency pools. A pool without a row here has the default limit of the settings.
CREATE TABLE pool_limits (
    pool  TEXT COLLATE "C" PRIMARY KEY,
    slots BIGINT NOT NULL CHECK (slots BETWEEN 0 AND 1000)
);

-- One slot that a step ('': the whole run) waits for, or, from `taken` on, holds. It counts while `attempt` is the run's
-- current one and its lease is not over. `retry` tells the step's attempts apart.
CREATE TABLE pool_claims (
    run_id   TEXT COLLATE "C" NOT NULL,
    step_key TEXT COLLATE "C" NOT NULL,
    pool     TEXT COLLATE "C" NOT NULL,
    attempt  BIGINT NOT NULL,
    retry    BIGINT NOT NULL,
    priority BIGINT NOT NULL,
    since    DOUBLE PRECISION NOT NULL,
    taken    DOUBLE PRECISION,
    PRIMARY KEY (run_id, step_key, pool)
);

-- Which content an asset ('' as the partition: in its latest event) or one of its partitions holds, and what it was
-- made of. `inputs` is JSON: the data version of each asset that it was made of.
CREATE TABLE data_versions (
    asset        TEXT COLLATE "C" NOT NULL,
    partition    TEXT COLLATE "C" NOT NULL,
    event        BIGINT NOT NULL,
    time         DOUBLE PRECISION NOT NULL,
    run_id       TEXT,
    version      TEXT NOT NULL,
    observed     BOOLEAN NOT NULL,
    code_version TEXT,
    inputs       TEXT NOT NULL,
    PRIMARY KEY (asset, partition)
);
