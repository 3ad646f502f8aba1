-- Which backfills are of which asset, so that those of one are found among all.
CREATE TABLE backfill_assets (
    asset    TEXT NOT NULL,
    backfill TEXT NOT NULL,
    PRIMARY KEY (asset, backfill)
) WITHOUT ROWID;
CREATE INDEX backfill_assets_by_backfill ON backfill_assets (backfill);
