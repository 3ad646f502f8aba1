-- Which content an asset ('' as the partition: in its latest event) or one of its partitions holds, and what it was
-- made of. `inputs` is JSON: the data version of each asset that it was made of.
CREATE TABLE data_versions (
    asset        TEXT NOT NULL,
    partition    TEXT NOT NULL,
    event        INTEGER NOT NULL,
    time         REAL NOT NULL,
    run_id       TEXT,
    version      TEXT NOT NULL,
    observed     INTEGER NOT NULL CHECK (observed IN (0, 1)),
    code_version TEXT,
    inputs       TEXT NOT NULL,
    PRIMARY KEY (asset, partition)
) WITHOUT ROWID;
INSERT INTO data_versions
SELECT asset, '', materialized_event, materialized_at, materialized_run, CAST(materialized_event AS TEXT), 0, NULL, '{}'
FROM asset_states WHERE materialized_event IS NOT NULL AND materialized_at IS NOT NULL;
INSERT INTO data_versions
SELECT asset, partition, event, materialized_at, run_id, CAST(event AS TEXT), 0, NULL, '{}'
FROM partition_states WHERE event IS NOT NULL AND materialized_at IS NOT NULL;
