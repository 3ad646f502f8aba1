-- Which backfills are of which asset, so that those of one are found among all.
CREATE TABLE backfill_assets (
    asset    TEXT COLLATE "C" NOT NULL,
    backfill TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (asset, backfill)
);
CREATE INDEX backfill_assets_by_backfill ON backfill_assets (backfill);
