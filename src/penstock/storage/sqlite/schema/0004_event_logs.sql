-- The event log lies in months: a table `events_<month>` for each, 202611 for November 2026 (UTC). A run's log is whole in
-- the month in which the run was created; facts that no run made are in that of their time. Ids are one sequence over all.
-- `events_0` has what was stored before, and is the pattern of all the others.
ALTER TABLE runs ADD COLUMN log INTEGER NOT NULL DEFAULT 0;

-- The months that there are. A run whose `log` is not here has lost its raw events.
CREATE TABLE event_logs (
    log   INTEGER PRIMARY KEY,
    until REAL NOT NULL  -- when the month is over
);
INSERT INTO event_logs
SELECT 0, CAST(strftime('%s', 'now', 'start of month', '+1 month') AS REAL)
WHERE EXISTS (SELECT 1 FROM runs) OR EXISTS (SELECT 1 FROM events);

ALTER TABLE events RENAME TO events_0;
-- SQLite cannot rename an index.
DROP INDEX events_by_seq;
DROP INDEX events_by_run;
DROP INDEX events_by_type;
DROP INDEX run_events_by_time;
CREATE UNIQUE INDEX events_0_by_seq ON events_0 (run, attempt, seq) WHERE seq IS NOT NULL;
CREATE INDEX events_0_by_run ON events_0 (run, id);
CREATE INDEX events_0_by_type ON events_0 (type, id);
-- The few events of whole runs, for who asks for a stretch of time. '`' follows '_'.
CREATE INDEX events_0_of_runs ON events_0 (type, time) WHERE type >= 'RUN_' AND type < 'RUN`';
