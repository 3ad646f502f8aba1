-- Backfills: what was asked for (`plan`), where it stands (`body`), and its own log.
CREATE TABLE backfills (
    id      TEXT PRIMARY KEY,
    status  TEXT NOT NULL CHECK (status IN (
        'REQUESTED', 'CANCELING', 'CANCELED', 'FAILING', 'FAILED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED'
    )),
    created REAL NOT NULL,
    ended   REAL,
    body    BLOB NOT NULL,
    plan    BLOB NOT NULL,
    log     BLOB NOT NULL
);
CREATE INDEX backfills_open ON backfills (id) WHERE ended IS NULL;
CREATE INDEX backfills_by_status ON backfills (status, id);
CREATE INDEX backfills_by_end ON backfills (ended) WHERE ended IS NOT NULL;

-- Partitions of a group of a backfill with the run that makes them, or without one where they were given up. `news` is 1
-- where the run has ended since the daemon has last looked; `made` names what of a part that is not DONE was made.
CREATE TABLE backfill_parts (
    backfill TEXT NOT NULL,
    grp      INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    last     INTEGER NOT NULL,
    size     INTEGER NOT NULL CHECK (size > 0),
    status   TEXT NOT NULL CHECK (status IN ('OPEN', 'ENDED', 'DONE', 'FAILED', 'CANCELED', 'SKIPPED')),
    run_id   TEXT,
    news     INTEGER NOT NULL DEFAULT 0,
    made     BLOB,
    PRIMARY KEY (backfill, grp, first),
    CHECK (run_id IS NOT NULL OR status IN ('CANCELED', 'SKIPPED'))
) WITHOUT ROWID;
CREATE INDEX backfill_parts_by_run ON backfill_parts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX backfill_parts_news ON backfill_parts (backfill) WHERE news = 1;
CREATE INDEX backfill_parts_open ON backfill_parts (backfill) WHERE status IN ('OPEN', 'ENDED');
CREATE INDEX backfill_parts_made ON backfill_parts (backfill, grp) WHERE made IS NOT NULL;

-- How many partitions of each group stand where, kept by the triggers below along with the parts, whoever changes those.
CREATE TABLE backfill_counts (
    backfill TEXT NOT NULL,
    grp      INTEGER NOT NULL,
    runs     INTEGER NOT NULL DEFAULT 0,
    open     INTEGER NOT NULL DEFAULT 0,
    done     INTEGER NOT NULL DEFAULT 0,
    failed   INTEGER NOT NULL DEFAULT 0,
    canceled INTEGER NOT NULL DEFAULT 0,
    skipped  INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill, grp)
) WITHOUT ROWID;

CREATE TRIGGER backfill_parts_added AFTER INSERT ON backfill_parts BEGIN
    INSERT INTO backfill_counts (backfill, grp, runs, open, done, failed, canceled, skipped) VALUES (
        NEW.backfill, NEW.grp, NEW.run_id IS NOT NULL,
        iif(NEW.status IN ('OPEN', 'ENDED'), NEW.size, 0), iif(NEW.status = 'DONE', NEW.size, 0),
        iif(NEW.status = 'FAILED', NEW.size, 0), iif(NEW.status = 'CANCELED', NEW.size, 0),
        iif(NEW.status = 'SKIPPED', NEW.size, 0)
    ) ON CONFLICT (backfill, grp) DO UPDATE SET
        runs = runs + excluded.runs, open = open + excluded.open, done = done + excluded.done,
        failed = failed + excluded.failed, canceled = canceled + excluded.canceled, skipped = skipped + excluded.skipped;
END;

CREATE TRIGGER backfill_parts_moved AFTER UPDATE OF status ON backfill_parts WHEN NEW.status <> OLD.status BEGIN
    UPDATE backfill_counts SET
        open = open + NEW.size * ((NEW.status IN ('OPEN', 'ENDED')) - (OLD.status IN ('OPEN', 'ENDED'))),
        done = done + NEW.size * ((NEW.status = 'DONE') - (OLD.status = 'DONE')),
        failed = failed + NEW.size * ((NEW.status = 'FAILED') - (OLD.status = 'FAILED')),
        canceled = canceled + NEW.size * ((NEW.status = 'CANCELED') - (OLD.status = 'CANCELED')),
        skipped = skipped + NEW.size * ((NEW.status = 'SKIPPED') - (OLD.status = 'SKIPPED'))
    WHERE backfill = NEW.backfill AND grp = NEW.grp;
END;

-- A part is DONE with the end of its run, in the same transaction, if that has made all that it announced.
CREATE TRIGGER runs_end_for_backfill AFTER UPDATE OF status ON runs
WHEN NEW.status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND NEW.status <> OLD.status BEGIN
    UPDATE backfill_parts SET news = 1, status = CASE
        WHEN NEW.status = 'SUCCESS' AND NOT EXISTS (
            SELECT 1 FROM planned_assets p WHERE p.run_id = NEW.run_id AND p.state <> 'MADE'
        ) THEN 'DONE' ELSE 'ENDED' END
    WHERE run_id = NEW.run_id AND status = 'OPEN';
END;
