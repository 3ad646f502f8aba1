-- What operators do: overrides (`override` is one as MessagePack), removals, one-off runs, and the record of all acts.
ALTER TABLE instigators ADD COLUMN override BYTEA;
ALTER TABLE instigators ADD COLUMN retired DOUBLE PRECISION;

-- Each act upon a schedule, sensor or one-off run. `body` is the act.
CREATE TABLE acts (
    id      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subject TEXT COLLATE "C" NOT NULL,
    time    DOUBLE PRECISION NOT NULL,
    body    BYTEA NOT NULL
);
CREATE INDEX acts_by_subject ON acts (subject, id);

-- Runs that are to be made once at an instant. `body` is what was asked for.
CREATE TABLE one_offs (
    id     BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    due    DOUBLE PRECISION NOT NULL,
    status TEXT COLLATE "C" NOT NULL CHECK (status IN ('WAITING', 'LAUNCHED', 'CANCELED', 'MISSED', 'FAILED')),
    ended  DOUBLE PRECISION,
    run_id TEXT COLLATE "C" UNIQUE,
    note   TEXT COLLATE "C",
    body   BYTEA NOT NULL,
    CHECK ((status = 'WAITING') = (ended IS NULL)),
    CHECK ((status = 'LAUNCHED') = (run_id IS NOT NULL))
);
CREATE INDEX one_offs_by_due ON one_offs (status, due, id);
CREATE INDEX one_offs_by_status ON one_offs (status, id);

-- Nothing moves a one-off run out of its end, so that it never has a second run.
CREATE FUNCTION refuse_a_second_end() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a one-off run that has ended cannot change its status';
END
$$;
CREATE TRIGGER one_offs_end_is_final BEFORE UPDATE OF status ON one_offs FOR EACH ROW
WHEN (OLD.status <> 'WAITING' AND NEW.status <> OLD.status)
EXECUTE FUNCTION refuse_a_second_end();
