-- Stored posts that a complete collection lacked, too many to believe it: they go when a complete
-- collection of another run lacks them, too.
CREATE TABLE IF NOT EXISTS bronze.pending_removals (
    collection_date DATE      NOT NULL,
    source          VARCHAR   NOT NULL,
    url_hash        VARCHAR   NOT NULL,
    run_id          VARCHAR   NOT NULL,  -- of the collection that lacked it first
    since           TIMESTAMP NOT NULL
);
ALTER TABLE bronze.collections ADD COLUMN IF NOT EXISTS pending_removal_count BIGINT DEFAULT 0;

COMMENT ON COLUMN bronze.pending_removals.collection_date IS 'UTC day';
COMMENT ON COLUMN bronze.pending_removals.source IS 'github, stackoverflow, reddit or hackernews';
COMMENT ON COLUMN bronze.pending_removals.url_hash IS 'of a row of bronze.raw_items that stays for now';
COMMENT ON COLUMN bronze.pending_removals.run_id IS 'Dagster run whose complete collection lacked the post first';
COMMENT ON COLUMN bronze.pending_removals.since IS 'UTC';
COMMENT ON COLUMN bronze.collections.pending_removal_count IS 'stored posts that the latest complete collection lacked; they stay until one of another run agrees';
