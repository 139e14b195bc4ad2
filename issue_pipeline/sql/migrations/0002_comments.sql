-- Words about the columns, kept in the file itself: DESCRIBE's like, and the catalogue of the UI.

COMMENT ON COLUMN bronze.raw_items.url_hash IS 'SHA-256 hex of the normalised permalink';
COMMENT ON COLUMN bronze.raw_items.source IS 'github, stackoverflow, reddit or hackernews';
COMMENT ON COLUMN bronze.raw_items.collection_date IS 'UTC day of the post''s creation';
COMMENT ON COLUMN bronze.raw_items.url IS 'the post''s own permalink, as the source writes it';
COMMENT ON COLUMN bronze.raw_items.title IS 'as it came, HTML entities included';
COMMENT ON COLUMN bronze.raw_items.body IS 'as it came, in the source''s markup; empty where there is none';
COMMENT ON COLUMN bronze.raw_items.created_at IS 'UTC';
COMMENT ON COLUMN bronze.raw_items.comment_count IS 'comments or answers when it was collected';
COMMENT ON COLUMN bronze.raw_items.vote_count IS 'reactions, score or points; may be negative';
COMMENT ON COLUMN bronze.raw_items.collected_at IS 'UTC';

COMMENT ON COLUMN silver.clusters.cluster_date IS 'UTC day';
COMMENT ON COLUMN silver.clusters.cluster_id IS '0 is the largest of the day';
COMMENT ON COLUMN silver.clusters.cluster_size IS 'posts';
COMMENT ON COLUMN silver.clusters.outlier_ratio IS 'the day''s noise over the day''s posts; the same on each row of a day';
COMMENT ON COLUMN silver.clusters.mean_distance IS 'of the members'' embeddings to their mean, Euclidean, 0 to 2; small is tight';
COMMENT ON COLUMN silver.clusters.mode IS 'raw or smoothed';
COMMENT ON COLUMN silver.clusters.min_cluster_size IS 'fewest posts of a cluster, as the day was clustered';

COMMENT ON COLUMN gold.issues.cluster_date IS 'UTC day';
COMMENT ON COLUMN gold.issues.cluster_id IS 'of silver.clusters';
COMMENT ON COLUMN gold.issues.cluster_fingerprint IS 'SHA-256 hex of the representatives'' titles; a label is reused by it';
COMMENT ON COLUMN gold.issues.cluster_size IS 'posts';
COMMENT ON COLUMN gold.issues.canonical_title IS 'the problem, at most 120 characters; NULL without a label';
COMMENT ON COLUMN gold.issues.category IS 'ai, finance, compliance, logistics, healthtech, devtools, ecommerce or other';
COMMENT ON COLUMN gold.issues.description IS 'the root problem in one or two sentences';
COMMENT ON COLUMN gold.issues.would_pay_signal IS 'whether somebody would pay for a fix, or does';
COMMENT ON COLUMN gold.issues.impact_level IS 'low, medium or high';
COMMENT ON COLUMN gold.issues.label_failed IS 'there is no label: models failed, or none was asked yet';
COMMENT ON COLUMN gold.issues.label_source IS 'local, remote, reused or failed';
COMMENT ON COLUMN gold.issues.model IS 'who wrote the label; empty without one';
COMMENT ON COLUMN gold.issues.prompt_tokens IS 'of all calls for this label, in vain or not; 0 when reused';
COMMENT ON COLUMN gold.issues.completion_tokens IS 'likewise';
COMMENT ON COLUMN gold.issues.cost_usd IS 'likewise; 0 for a local model';
COMMENT ON COLUMN gold.issues.labeled_at IS 'UTC';
COMMENT ON COLUMN gold.issues.attempts IS 'calls for this label; failed with 0: it waits for a run';
COMMENT ON COLUMN gold.issues.seconds IS 'these calls took';
COMMENT ON COLUMN gold.issues.failure IS 'why there is no label';

COMMENT ON COLUMN gold.live_issues.cluster_date IS 'UTC day';
COMMENT ON COLUMN gold.live_issues.cluster_id IS 'of gold.issues: the one it stands for, or last stood for';
COMMENT ON COLUMN gold.live_issues.record_id IS 'in PocketBase, collection issues';
COMMENT ON COLUMN gold.live_issues.content_hash IS 'SHA-256 hex of what the record says, evidence included';
COMMENT ON COLUMN gold.live_issues.state IS 'pending, published, failed or withdrawing';
COMMENT ON COLUMN gold.live_issues.error IS 'what was refused, or why it is still to be done';
COMMENT ON COLUMN gold.live_issues.synced_at IS 'UTC';
