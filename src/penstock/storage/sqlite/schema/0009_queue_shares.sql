-- Whose share a run belongs to, as a number; 0 for what was written before. The queue is read share by share.
ALTER TABLE runs ADD COLUMN share INTEGER NOT NULL DEFAULT 0;
CREATE INDEX runs_in_queue_by_share ON runs (share, priority DESC, run_id) WHERE status = 'QUEUED';
