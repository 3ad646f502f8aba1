-- How fresh each asset with a policy is, as it was last told, and since when; `event` is the change in the log.
CREATE TABLE freshness_states (
    asset TEXT PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('PASS', 'WARN', 'FAIL', 'UNKNOWN')),
    since REAL NOT NULL,
    event INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX freshness_states_failed ON freshness_states (asset) WHERE state = 'FAIL';

-- How many partitions an evaluation requested; NULL for what was written before. One without any makes way for the next.
ALTER TABLE automation_evaluations ADD COLUMN requested INTEGER;
CREATE INDEX automation_evaluations_idle ON automation_evaluations (entity) WHERE requested = 0;
