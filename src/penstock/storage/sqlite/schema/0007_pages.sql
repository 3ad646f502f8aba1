-- Failures alone, so that what ended a run is found among however many events it has.
CREATE INDEX events_0_failures ON events_0 (run, type DESC, id) WHERE type IN ('STEP_FAILURE', 'RUN_FAILURE');
