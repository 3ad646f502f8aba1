-- How fresh each asset with a policy is, as it was last told, and since when; `event` is the change in the log.
CREATE TABLE freshness_states (
    asset TEXT COLLATE "C" PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('PASS', 'WARN', 'FAIL', 'UNKNOWN')),
    since DOUBLE PRECISION NOT NULL,
    event BIGINT NOT NULL
);
CREATE INDEX freshness_states_failed ON freshness_states (asset) WHERE state = 'FAIL';

-- How many partitions an evaluation requested; NULL for what was written before. One without any makes way for the next.
ALTER TABLE automation_evaluations ADD COLUMN requested BIGINT;
CREATE INDEX automation_evaluations_idle ON automation_evaluations (entity) WHERE requested = 0;
