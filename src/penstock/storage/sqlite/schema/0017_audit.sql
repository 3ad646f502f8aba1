-- Acts upon all that people change, found by who did them, by what was done, and by their age. Those of before have
-- neither actor nor kind beside their body.
ALTER TABLE acts ADD COLUMN actor TEXT;
ALTER TABLE acts ADD COLUMN kind TEXT;
CREATE INDEX acts_by_actor ON acts (actor, id);
CREATE INDEX acts_by_kind ON acts (kind, id);
CREATE INDEX acts_by_time ON acts (time, id);
