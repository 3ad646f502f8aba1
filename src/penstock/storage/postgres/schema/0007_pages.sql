-- How often a tag's key and value occur together: the planner would multiply how often each does, and take a common tag
-- for a rare one.
CREATE STATISTICS run_tags_together (mcv, ndistinct, dependencies) ON key, (left(value, 500)) FROM run_tags;

-- Failures alone, so that what ended a run is found among however many events it has.
CREATE INDEX events_failures ON events (run, type DESC, id) WHERE type IN ('STEP_FAILURE', 'RUN_FAILURE');
