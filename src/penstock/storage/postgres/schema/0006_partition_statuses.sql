-- The status of all partitions of an asset in a few short texts. Each partition that is announced or made gets the next
-- place of its asset, which no other partition ever has. `letters` are those of 512 places, one letter each: M materialized,
-- F failed, I in progress, in capitals where it was ever materialized; a dot where nothing is known any more. The triggers
-- below change them along with `partition_states`, whoever changes that.
CREATE TABLE partition_letters (
    asset   TEXT COLLATE "C" NOT NULL,
    segment BIGINT NOT NULL,
    letters TEXT COLLATE "C" NOT NULL CHECK (length(letters) BETWEEN 1 AND 512),
    PRIMARY KEY (asset, segment)
);

ALTER TABLE partition_states ADD COLUMN place BIGINT;
UPDATE partition_states s SET place = numbered.place FROM (
    SELECT asset, partition, ROW_NUMBER() OVER (PARTITION BY asset ORDER BY partition) - 1 AS place FROM partition_states
) AS numbered WHERE numbered.asset = s.asset AND numbered.partition = s.partition;
CREATE INDEX partition_states_by_place ON partition_states (asset, place);

CREATE FUNCTION partition_letter(status TEXT, event BIGINT) RETURNS TEXT IMMUTABLE LANGUAGE sql AS $$
    SELECT CASE
        WHEN status = 'MATERIALIZED' THEN 'M'
        WHEN event IS NULL THEN CASE status WHEN 'FAILED' THEN 'f' ELSE 'i' END
        ELSE CASE status WHEN 'FAILED' THEN 'F' ELSE 'I' END
    END
$$;

INSERT INTO partition_letters (asset, segment, letters)
SELECT asset, place / 512, string_agg(partition_letter(status, event), '' ORDER BY place)
FROM partition_states GROUP BY asset, place / 512;

CREATE FUNCTION place_partition() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    free BIGINT := coalesce((
        SELECT segment * 512 + length(letters) FROM partition_letters
        WHERE asset = NEW.asset ORDER BY segment DESC LIMIT 1
    ), 0);
BEGIN
    UPDATE partition_states SET place = free WHERE asset = NEW.asset AND partition = NEW.partition;
    INSERT INTO partition_letters AS l (asset, segment, letters)
    VALUES (NEW.asset, free / 512, partition_letter(NEW.status, NEW.event))
    ON CONFLICT (asset, segment) DO UPDATE SET letters = l.letters || EXCLUDED.letters;
    RETURN NULL;
END
$$;
CREATE TRIGGER partition_states_added AFTER INSERT ON partition_states FOR EACH ROW
    EXECUTE FUNCTION place_partition();

CREATE FUNCTION change_partition_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE partition_letters
    SET letters = overlay(letters PLACING partition_letter(NEW.status, NEW.event) FROM mod(NEW.place, 512)::int + 1 FOR 1)
    WHERE asset = NEW.asset AND segment = NEW.place / 512;
    RETURN NULL;
END
$$;
CREATE TRIGGER partition_states_changed AFTER UPDATE OF status, event ON partition_states FOR EACH ROW
    WHEN (NEW.status <> OLD.status OR (NEW.event IS NULL) <> (OLD.event IS NULL))
    EXECUTE FUNCTION change_partition_letter();

CREATE FUNCTION remove_partition_letter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE partition_letters SET letters = overlay(letters PLACING '.' FROM mod(OLD.place, 512)::int + 1 FOR 1)
    WHERE asset = OLD.asset AND segment = OLD.place / 512;
    RETURN NULL;
END
$$;
CREATE TRIGGER partition_states_removed AFTER DELETE ON partition_states FOR EACH ROW
    EXECUTE FUNCTION remove_partition_letter();
