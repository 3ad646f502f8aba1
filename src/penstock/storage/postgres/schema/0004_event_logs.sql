-- The event log lies in months: a partition `events_<month>` for each, 202611 for November 2026 (UTC). A run's log is
-- whole in the month in which the run was created; facts that no run made are in that of their time. Ids are one sequence
-- over all. `events_0` has what was stored before.
ALTER TABLE runs ADD COLUMN log INTEGER NOT NULL DEFAULT 0;

-- The months that there are. A run whose `log` is not here has lost its raw events.
CREATE TABLE event_logs (
    log   INTEGER PRIMARY KEY,
    until DOUBLE PRECISION NOT NULL  -- when the month is over
);
INSERT INTO event_logs
SELECT 0, EXTRACT(EPOCH FROM date_trunc('month', now(), 'UTC') + INTERVAL '1 month')
WHERE EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM events);

ALTER TABLE events RENAME TO events_0;
ALTER TABLE events_0 ADD COLUMN log INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events_0 ALTER COLUMN log DROP DEFAULT;
ALTER TABLE events_0 DROP CONSTRAINT events_pkey;
ALTER TABLE events_0 ADD PRIMARY KEY (id, log);
DROP INDEX events_by_seq;
CREATE UNIQUE INDEX events_0_by_seq ON events_0 (run, attempt, seq, log) WHERE seq IS NOT NULL;
ALTER INDEX events_by_run RENAME TO events_0_by_run;
ALTER INDEX events_by_type RENAME TO events_0_by_type;
ALTER INDEX run_events_by_time RENAME TO events_0_of_runs;

CREATE TABLE events (
    id       BIGINT NOT NULL,
    run      BIGINT,  -- runs.num; NULL for facts that no run made
    attempt  BIGINT NOT NULL,
    seq      BIGINT,
    time     DOUBLE PRECISION NOT NULL,
    type     TEXT COLLATE "C" NOT NULL,
    step_key TEXT COLLATE "C",
    body     BYTEA NOT NULL,
    log      INTEGER NOT NULL,
    PRIMARY KEY (id, log)
) PARTITION BY LIST (log);
CREATE UNIQUE INDEX events_by_seq ON events (run, attempt, seq, log) WHERE seq IS NOT NULL;
CREATE INDEX events_by_run ON events (run, id);
CREATE INDEX events_by_type ON events (type, id);
-- The few events of whole runs, for who asks for a stretch of time. '`' follows '_'.
CREATE INDEX run_events_by_time ON events (type, time) WHERE type >= 'RUN_' AND type < 'RUN`';
ALTER TABLE events ATTACH PARTITION events_0 FOR VALUES IN (0);
