-- What operators do: overrides (`override` is one as MessagePack), removals, one-off runs, and the record of all acts.
ALTER TABLE instigators ADD COLUMN override BLOB;
ALTER TABLE instigators ADD COLUMN retired REAL;

-- Each act upon a schedule, sensor or one-off run. `body` is the act.
CREATE TABLE acts (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    subject TEXT NOT NULL,
    time    REAL NOT NULL,
    body    BLOB NOT NULL
);
CREATE INDEX acts_by_subject ON acts (subject, id);

-- Runs that are to be made once at an instant. `body` is what was asked for.
CREATE TABLE one_offs (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    due    REAL NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('WAITING', 'LAUNCHED', 'CANCELED', 'MISSED', 'FAILED')),
    ended  REAL,
    run_id TEXT UNIQUE,
    note   TEXT,
    body   BLOB NOT NULL,
    CHECK ((status = 'WAITING') = (ended IS NULL)),
    CHECK ((status = 'LAUNCHED') = (run_id IS NOT NULL))
);
CREATE INDEX one_offs_by_due ON one_offs (status, due, id);
CREATE INDEX one_offs_by_status ON one_offs (status, id);

-- Nothing moves a one-off run out of its end, so that it never has a second run.
CREATE TRIGGER one_offs_end_is_final BEFORE UPDATE OF status ON one_offs
WHEN OLD.status <> 'WAITING' AND NEW.status <> OLD.status
BEGIN
    SELECT RAISE(ABORT, 'a one-off run that has ended cannot change its status');
END;
