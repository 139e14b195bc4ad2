-- Every table of the pipeline. Timestamps are UTC. Embeddings and representatives are never stored.
-- Large tables carry no index: they are read and replaced a day at a time.

CREATE SCHEMA IF NOT EXISTS bronze;
CREATE SCHEMA IF NOT EXISTS silver;
CREATE SCHEMA IF NOT EXISTS gold;

-- One row per post; unique per (collection_date, source, url_hash).
CREATE TABLE IF NOT EXISTS bronze.raw_items (
    url_hash        VARCHAR   NOT NULL,  -- SHA-256 hex of the normalised permalink
    source          VARCHAR   NOT NULL,
    collection_date DATE      NOT NULL,  -- UTC day of the post's creation
    url             VARCHAR   NOT NULL,
    title           VARCHAR   NOT NULL,
    body            VARCHAR   NOT NULL,
    created_at      TIMESTAMP NOT NULL,
    comment_count   BIGINT    NOT NULL,
    vote_count      BIGINT    NOT NULL,
    collected_at    TIMESTAMP NOT NULL
);

-- The completeness ledger: one row per source and day.
CREATE TABLE IF NOT EXISTS bronze.collections (
    collection_date DATE      NOT NULL,
    source          VARCHAR   NOT NULL,
    expected_count  BIGINT,              -- what the source said it had; NULL where it does not say
    fetched_count   BIGINT    NOT NULL,
    stored_count    BIGINT    NOT NULL,  -- rows of the source-day after the collection
    dropped_count   BIGINT    NOT NULL,
    complete        BOOLEAN   NOT NULL,
    reason          VARCHAR   NOT NULL,  -- why it is incomplete, or what was dropped
    requests        BIGINT    NOT NULL,
    waited_s        DOUBLE    NOT NULL,  -- slept before requests: own pace, limits, retries
    started_at      TIMESTAMP NOT NULL,
    finished_at     TIMESTAMP NOT NULL,
    PRIMARY KEY (collection_date, source)
);

CREATE TABLE IF NOT EXISTS silver.clusters (
    cluster_date     DATE    NOT NULL,
    cluster_id       INTEGER NOT NULL,  -- 0 is the largest of the day
    cluster_size     INTEGER NOT NULL,
    outlier_ratio    DOUBLE  NOT NULL,  -- the day's noise over the day's items
    mean_distance    DOUBLE  NOT NULL,  -- of the members to their centroid, Euclidean
    mode             VARCHAR NOT NULL,  -- raw | smoothed
    min_cluster_size INTEGER NOT NULL,
    PRIMARY KEY (cluster_date, cluster_id)
);

-- Every item of the day exactly once, noise (-1) included.
CREATE TABLE IF NOT EXISTS silver.cluster_assignments (
    cluster_date DATE    NOT NULL,
    url_hash     VARCHAR NOT NULL,
    cluster_id   INTEGER NOT NULL
);

-- One row for every cluster of the day.
CREATE TABLE IF NOT EXISTS gold.issues (
    cluster_date        DATE      NOT NULL,
    cluster_id          INTEGER   NOT NULL,
    cluster_fingerprint VARCHAR   NOT NULL,
    cluster_size        INTEGER   NOT NULL,
    canonical_title     VARCHAR,
    category            VARCHAR,
    description         VARCHAR,
    would_pay_signal    BOOLEAN,
    impact_level        VARCHAR,
    label_failed        BOOLEAN   NOT NULL,
    label_source        VARCHAR   NOT NULL,  -- local | remote | reused | failed
    model               VARCHAR   NOT NULL,
    prompt_tokens       BIGINT    NOT NULL,  -- of all calls of the run that made this row, in vain or not
    completion_tokens   BIGINT    NOT NULL,
    cost_usd            DOUBLE    NOT NULL,
    labeled_at          TIMESTAMP NOT NULL,
    attempts            BIGINT  DEFAULT 0,   -- calls of that run for this row; failed with 0: it waits
    seconds             DOUBLE  DEFAULT 0,   -- these calls took
    failure             VARCHAR DEFAULT '',  -- why there is no label
    PRIMARY KEY (cluster_date, cluster_id)
);
-- For files that are older than these columns.
ALTER TABLE gold.issues ADD COLUMN IF NOT EXISTS attempts BIGINT  DEFAULT 0;
ALTER TABLE gold.issues ADD COLUMN IF NOT EXISTS seconds  DOUBLE  DEFAULT 0;
ALTER TABLE gold.issues ADD COLUMN IF NOT EXISTS failure  VARCHAR DEFAULT '';

-- Every item of each cluster whose label is good.
CREATE TABLE IF NOT EXISTS gold.issue_evidence (
    cluster_date  DATE      NOT NULL,
    cluster_id    INTEGER   NOT NULL,
    url_hash      VARCHAR   NOT NULL,
    source        VARCHAR   NOT NULL,
    url           VARCHAR   NOT NULL,
    title         VARCHAR   NOT NULL,
    snippet       VARCHAR   NOT NULL,
    created_at    TIMESTAMP NOT NULL,
    comment_count BIGINT    NOT NULL,
    vote_count    BIGINT    NOT NULL,
    distance      DOUBLE    NOT NULL      -- to the cluster's centroid, Euclidean
);

-- What the live store was last told about each record. Written before it is told, too: a record
-- that a killed run was about to write or to remove stays known.
CREATE TABLE IF NOT EXISTS gold.live_issues (
    cluster_date DATE      NOT NULL,
    cluster_id   INTEGER   NOT NULL,      -- the one it stands for, or last stood for
    record_id    VARCHAR   NOT NULL,
    content_hash VARCHAR   NOT NULL,
    state        VARCHAR   NOT NULL,      -- pending | published | failed | withdrawing
    error        VARCHAR   NOT NULL,      -- what was refused, or why it is still to be done
    synced_at    TIMESTAMP NOT NULL
);
-- Older files have a primary key that leaves no room for records that are being withdrawn.
CREATE TABLE gold.live_issues_by_record (
    cluster_date DATE      NOT NULL,
    cluster_id   INTEGER   NOT NULL,
    record_id    VARCHAR   NOT NULL,
    content_hash VARCHAR   NOT NULL,
    state        VARCHAR   NOT NULL,
    error        VARCHAR   NOT NULL,
    synced_at    TIMESTAMP NOT NULL,
    PRIMARY KEY (cluster_date, record_id)
);
INSERT INTO gold.live_issues_by_record FROM gold.live_issues;
DROP TABLE gold.live_issues;
ALTER TABLE gold.live_issues_by_record RENAME TO live_issues;

-- The posts of each record that is published, is being withdrawn, or will come back when its issue
-- has a label again: by them an issue is known again after a re-clustering.
CREATE TABLE IF NOT EXISTS gold.live_members (
    cluster_date DATE    NOT NULL,
    record_id    VARCHAR NOT NULL,
    url_hash     VARCHAR NOT NULL
);
