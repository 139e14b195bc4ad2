-- Issues followed over the days, and who wrote each post.

-- NULL where the source does not say, and in rows from before it was kept.
ALTER TABLE bronze.raw_items ADD COLUMN IF NOT EXISTS author VARCHAR;

-- What one pass over the days in date order gives, whatever the order in which they were run.
CREATE TABLE gold.problems (
    problem_id       VARCHAR NOT NULL PRIMARY KEY,
    canonical_title  VARCHAR NOT NULL,
    category         VARCHAR NOT NULL,
    description      VARCHAR NOT NULL,
    impact_level     VARCHAR NOT NULL,
    would_pay_signal BOOLEAN NOT NULL,
    first_seen       DATE    NOT NULL,
    last_seen        DATE    NOT NULL,
    days_seen        INTEGER NOT NULL,
    posts            BIGINT  NOT NULL,
    reach            BIGINT  NOT NULL,
    state            VARCHAR NOT NULL,
    state_since      DATE    NOT NULL
);
CREATE TABLE gold.problem_issues (
    issue_date DATE      NOT NULL,
    cluster_id INTEGER   NOT NULL,
    problem_id VARCHAR   NOT NULL,
    similarity DOUBLE    NOT NULL,
    PRIMARY KEY (issue_date, cluster_id)
);
CREATE TABLE gold.problem_posts (
    issue_date DATE    NOT NULL,
    cluster_id INTEGER NOT NULL,
    url_hash   VARCHAR NOT NULL
);
CREATE TABLE gold.problem_aliases (
    alias      VARCHAR NOT NULL PRIMARY KEY,
    problem_id VARCHAR NOT NULL,
    reason     VARCHAR NOT NULL,
    since      DATE    NOT NULL
);
CREATE TABLE gold.linked_days (
    issue_date   DATE    NOT NULL PRIMARY KEY,
    input_digest VARCHAR NOT NULL,
    chain_digest VARCHAR NOT NULL
);

COMMENT ON COLUMN bronze.raw_items.author IS 'name of the writer at the source; NULL where it does not say';

COMMENT ON TABLE gold.problems IS 'one row for every problem: issues of one meaning, followed over the days';
COMMENT ON COLUMN gold.problems.problem_id IS 'derives from its first issue; see gold.problem_aliases for ids that were replaced';
COMMENT ON COLUMN gold.problems.canonical_title IS 'like the other columns of a label that of its largest issue; of equally large ones the earliest';
COMMENT ON COLUMN gold.problems.category IS 'ai, finance, compliance, logistics, healthtech, devtools, ecommerce or other';
COMMENT ON COLUMN gold.problems.description IS 'the root problem in one or two sentences';
COMMENT ON COLUMN gold.problems.impact_level IS 'low, medium or high';
COMMENT ON COLUMN gold.problems.would_pay_signal IS 'whether somebody would pay for a fix, or does';
COMMENT ON COLUMN gold.problems.first_seen IS 'UTC day of its first issue';
COMMENT ON COLUMN gold.problems.last_seen IS 'UTC day of its latest issue';
COMMENT ON COLUMN gold.problems.days_seen IS 'days on which it has an issue, at least 1';
COMMENT ON COLUMN gold.problems.posts IS 'posts in the evidence of its issues';
COMMENT ON COLUMN gold.problems.reach IS 'different people who wrote them; a post whose writer is unknown counts as one';
COMMENT ON COLUMN gold.problems.state IS 'new | growing | steady | fading | quiet | returned, as of the latest linked day';
COMMENT ON COLUMN gold.problems.state_since IS 'first day on which it was in that state without a break';

COMMENT ON TABLE gold.problem_issues IS 'which problem each problem issue of a day belongs to';
COMMENT ON COLUMN gold.problem_issues.issue_date IS 'UTC day';
COMMENT ON COLUMN gold.problem_issues.cluster_id IS 'of gold.issues';
COMMENT ON COLUMN gold.problem_issues.problem_id IS 'of gold.problems';
COMMENT ON COLUMN gold.problem_issues.similarity IS 'to its problem as it was when the issue joined; 1 for an issue that began it';

COMMENT ON TABLE gold.problem_posts IS 'the posts of each issue when it was linked: by them a problem is known again when its id changes';

COMMENT ON TABLE gold.problem_aliases IS 'ids that problems had before a backfill, so that old links still lead to them';
COMMENT ON COLUMN gold.problem_aliases.alias IS 'the former id';
COMMENT ON COLUMN gold.problem_aliases.problem_id IS 'what holds most of its posts now';
COMMENT ON COLUMN gold.problem_aliases.reason IS 'renamed (the problem has another first issue) | joined (it became part of one that was there)';
COMMENT ON COLUMN gold.problem_aliases.since IS 'UTC day on which the id was replaced';

COMMENT ON COLUMN gold.problem_posts.issue_date IS 'UTC day';
COMMENT ON COLUMN gold.problem_posts.cluster_id IS 'of gold.problem_issues';
COMMENT ON COLUMN gold.problem_posts.url_hash IS 'of bronze.raw_items';

COMMENT ON TABLE gold.linked_days IS 'the days that gold.problem_issues covers, and what it was made of';
COMMENT ON COLUMN gold.linked_days.issue_date IS 'UTC day';
COMMENT ON COLUMN gold.linked_days.input_digest IS 'of the problem issues of the day and their evidence';
COMMENT ON COLUMN gold.linked_days.chain_digest IS 'of the chain digest of the linked day before and this input: equal chains, equal links';
