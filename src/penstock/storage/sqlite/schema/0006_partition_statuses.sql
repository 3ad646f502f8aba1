-- The status of all partitions of an asset in a few short texts. Each partition that is announced or made gets the next
-- place of its asset, which no other partition ever has. `letters` are those of 512 places, one letter each: M materialized,
-- F failed, I in progress, in capitals where it was ever materialized; a dot where nothing is known any more. The triggers
-- below change them along with `partition_states`, whoever changes that.
CREATE TABLE partition_letters (
    asset   TEXT NOT NULL,
    segment INTEGER NOT NULL,
    letters TEXT NOT NULL CHECK (length(letters) BETWEEN 1 AND 512),
    PRIMARY KEY (asset, segment)
) WITHOUT ROWID;

ALTER TABLE partition_states ADD COLUMN place INTEGER;
UPDATE partition_states SET place = numbered.place FROM (
    SELECT asset, partition, ROW_NUMBER() OVER (PARTITION BY asset ORDER BY partition) - 1 AS place FROM partition_states
) AS numbered WHERE numbered.asset = partition_states.asset AND numbered.partition = partition_states.partition;
CREATE INDEX partition_states_by_place ON partition_states (asset, place);
INSERT INTO partition_letters (asset, segment, letters)
SELECT asset, place / 512, group_concat(letter, '') FROM (
    SELECT asset, place, CASE
        WHEN status = 'MATERIALIZED' THEN 'M'
        WHEN event IS NULL THEN iif(status = 'FAILED', 'f', 'i')
        ELSE iif(status = 'FAILED', 'F', 'I') END AS letter
    FROM partition_states ORDER BY asset, place
) GROUP BY asset, place / 512;

CREATE TRIGGER partition_states_added AFTER INSERT ON partition_states BEGIN
    UPDATE partition_states SET place = coalesce((
        SELECT segment * 512 + length(letters) FROM partition_letters
        WHERE asset = NEW.asset ORDER BY segment DESC LIMIT 1
    ), 0) WHERE asset = NEW.asset AND partition = NEW.partition;
    INSERT INTO partition_letters (asset, segment, letters)
    SELECT asset, place / 512, CASE
        WHEN status = 'MATERIALIZED' THEN 'M'
        WHEN event IS NULL THEN iif(status = 'FAILED', 'f', 'i')
        ELSE iif(status = 'FAILED', 'F', 'I') END
    FROM partition_states WHERE asset = NEW.asset AND partition = NEW.partition
    ON CONFLICT (asset, segment) DO UPDATE SET letters = letters || excluded.letters;
END;

CREATE TRIGGER partition_states_changed AFTER UPDATE OF status, event ON partition_states
WHEN NEW.status <> OLD.status OR (NEW.event IS NULL) <> (OLD.event IS NULL) BEGIN
    UPDATE partition_letters SET letters = substr(letters, 1, NEW.place % 512) || CASE
        WHEN NEW.status = 'MATERIALIZED' THEN 'M'
        WHEN NEW.event IS NULL THEN iif(NEW.status = 'FAILED', 'f', 'i')
        ELSE iif(NEW.status = 'FAILED', 'F', 'I') END || substr(letters, NEW.place % 512 + 2)
    WHERE asset = NEW.asset AND segment = NEW.place / 512;
END;

CREATE TRIGGER partition_states_removed AFTER DELETE ON partition_states BEGIN
    UPDATE partition_letters SET letters = substr(letters, 1, OLD.place % 512) || '.' || substr(letters, OLD.place % 512 + 2)
    WHERE asset = OLD.asset AND segment = OLD.place / 512;
END;
