-- Whether the posts of a cluster report a common problem. NULL in rows from before: the next run of
-- their day computes both without asking a model.

ALTER TABLE gold.issues ADD COLUMN IF NOT EXISTS is_problem BOOLEAN;
ALTER TABLE gold.issues ADD COLUMN IF NOT EXISTS problem_score DOUBLE;

COMMENT ON COLUMN gold.issues.is_problem IS 'whether the posts report a common problem; NULL without a label, and in rows from before it was told';
COMMENT ON COLUMN gold.issues.problem_score IS 'how much the posts report a problem by their vectors and words: higher, the more';
