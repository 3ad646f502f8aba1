-- Backfills: what was asked for (`plan`), where it stands (`body`), and its own log.
CREATE TABLE backfills (
    id      TEXT COLLATE "C" PRIMARY KEY,
    status  TEXT COLLATE "C" NOT NULL CHECK (status IN (
        'REQUESTED', 'CANCELING', 'CANCELED', 'FAILING', 'FAILED', 'COMPLETED_SUCCESS', 'COMPLETED_FAILED'
    )),
    created DOUBLE PRECISION NOT NULL,
    ended   DOUBLE PRECISION,
    body    BYTEA NOT NULL,
    plan    BYTEA NOT NULL,
    log     BYTEA NOT NULL
);
CREATE INDEX backfills_open ON backfills (id) WHERE ended IS NULL;
CREATE INDEX backfills_by_status ON backfills (status, id);
CREATE INDEX backfills_by_end ON backfills (ended) WHERE ended IS NOT NULL;

-- Partitions of a group of a backfill with the run that makes them, or without one where they were given up. `news` is 1
-- where the run has ended since the daemon has last looked; `made` names what of a part that is not DONE was made.
CREATE TABLE backfill_parts (
    backfill TEXT COLLATE "C" NOT NULL,
    grp      BIGINT NOT NULL,
    first    BIGINT NOT NULL,
    last     BIGINT NOT NULL,
    size     BIGINT NOT NULL CHECK (size > 0),
    status   TEXT COLLATE "C" NOT NULL CHECK (status IN ('OPEN', 'ENDED', 'DONE', 'FAILED', 'CANCELED', 'SKIPPED')),
    run_id   TEXT COLLATE "C",
    news     BIGINT NOT NULL DEFAULT 0,
    made     BYTEA,
    PRIMARY KEY (backfill, grp, first),
    CHECK (run_id IS NOT NULL OR status IN ('CANCELED', 'SKIPPED'))
);
CREATE INDEX backfill_parts_by_run ON backfill_parts (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX backfill_parts_news ON backfill_parts (backfill) WHERE news = 1;
CREATE INDEX backfill_parts_open ON backfill_parts (backfill) WHERE status IN ('OPEN', 'ENDED');
CREATE INDEX backfill_parts_made ON backfill_parts (backfill, grp) WHERE made IS NOT NULL;

-- How many partitions of each group stand where, kept by the triggers below along with the parts, whoever changes those.
CREATE TABLE backfill_counts (
    backfill TEXT COLLATE "C" NOT NULL,
    grp      BIGINT NOT NULL,
    runs     BIGINT NOT NULL DEFAULT 0,
    open     BIGINT NOT NULL DEFAULT 0,
    done     BIGINT NOT NULL DEFAULT 0,
    failed   BIGINT NOT NULL DEFAULT 0,
    canceled BIGINT NOT NULL DEFAULT 0,
    skipped  BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (backfill, grp)
);

-- A statement adds many parts at once: their counts are added once.
CREATE FUNCTION count_backfill_parts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO backfill_counts AS c (backfill, grp, runs, open, done, failed, canceled, skipped)
    SELECT backfill, grp, count(run_id),
        coalesce(sum(size) FILTER (WHERE status IN ('OPEN', 'ENDED')), 0),
        coalesce(sum(size) FILTER (WHERE status = 'DONE'), 0),
        coalesce(sum(size) FILTER (WHERE status = 'FAILED'), 0),
        coalesce(sum(size) FILTER (WHERE status = 'CANCELED'), 0),
        coalesce(sum(size) FILTER (WHERE status = 'SKIPPED'), 0)
    FROM added GROUP BY backfill, grp ORDER BY backfill, grp
    ON CONFLICT (backfill, grp) DO UPDATE SET
        runs = c.runs + EXCLUDED.runs, open = c.open + EXCLUDED.open, done = c.done + EXCLUDED.done,
        failed = c.failed + EXCLUDED.failed, canceled = c.canceled + EXCLUDED.canceled,
        skipped = c.skipped + EXCLUDED.skipped;
    RETURN NULL;
END
$$;
CREATE TRIGGER backfill_parts_added AFTER INSERT ON backfill_parts REFERENCING NEW TABLE AS added FOR EACH STATEMENT
    EXECUTE FUNCTION count_backfill_parts();

CREATE FUNCTION count_backfill_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE backfill_counts SET
        open = open + NEW.size * ((NEW.status IN ('OPEN', 'ENDED'))::int - (OLD.status IN ('OPEN', 'ENDED'))::int),
        done = done + NEW.size * ((NEW.status = 'DONE')::int - (OLD.status = 'DONE')::int),
        failed = failed + NEW.size * ((NEW.status = 'FAILED')::int - (OLD.status = 'FAILED')::int),
        canceled = canceled + NEW.size * ((NEW.status = 'CANCELED')::int - (OLD.status = 'CANCELED')::int),
        skipped = skipped + NEW.size * ((NEW.status = 'SKIPPED')::int - (OLD.status = 'SKIPPED')::int)
    WHERE backfill = NEW.backfill AND grp = NEW.grp;
    RETURN NULL;
END
$$;
CREATE TRIGGER backfill_parts_moved AFTER UPDATE OF status ON backfill_parts FOR EACH ROW
    WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION count_backfill_part();

-- A part is DONE with the end of its run, in the same transaction, if that has made all that it announced: at its commit,
-- when the run's last events are stored, and when nothing else has to be waited for while the counts are locked.
CREATE FUNCTION end_backfill_part() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE backfill_parts SET news = 1, status = CASE
        WHEN NEW.status = 'SUCCESS' AND NOT EXISTS (
            SELECT 1 FROM planned_assets p WHERE p.run_id = NEW.run_id AND p.state <> 'MADE'
        ) THEN 'DONE' ELSE 'ENDED' END
    WHERE run_id = NEW.run_id AND status = 'OPEN';
    RETURN NULL;
END
$$;
CREATE CONSTRAINT TRIGGER runs_end_for_backfill AFTER UPDATE OF status ON runs DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.status IN ('SUCCESS', 'FAILURE', 'CANCELED') AND NEW.status <> OLD.status)
    EXECUTE FUNCTION end_backfill_part();
