"""What must hold of a day's tables: each statement gives the rows that break a promise, by name."""

from collections.abc import Mapping
from datetime import date

import duckdb

# Each gives one text for every violation. $day is the UTC day, $source (bronze only) the source.
KEYS_REPEATED = """
    SELECT url_hash FROM bronze.raw_items
    WHERE collection_date = $day AND source = $source
    GROUP BY url_hash HAVING count(*) > 1
"""
OTHER_DAYS = """
    SELECT url FROM bronze.raw_items
    WHERE collection_date = $day AND source = $source AND created_at::DATE <> $day
"""
# Posts without exactly one cluster (or noise), assignments without a post, clusters whose size is
# another than they say, assignments to clusters that are none.
NOT_ASSIGNED_ONCE = """
    WITH items AS (
        SELECT url_hash, count(*) AS n FROM bronze.raw_items
        WHERE collection_date = $day GROUP BY url_hash
    ), assigned AS (
        SELECT url_hash, count(*) AS n FROM silver.cluster_assignments
        WHERE cluster_date = $day GROUP BY url_hash
    ), sizes AS (
        SELECT cluster_id, count(*) AS n FROM silver.cluster_assignments
        WHERE cluster_date = $day AND cluster_id >= 0 GROUP BY cluster_id
    ), stated AS (
        SELECT cluster_id, cluster_size AS n FROM silver.clusters WHERE cluster_date = $day
    )
    SELECT 'post ' || url_hash FROM items FULL JOIN assigned USING (url_hash)
    WHERE items.n IS DISTINCT FROM assigned.n
    UNION ALL
    SELECT 'cluster ' || cluster_id FROM sizes FULL JOIN stated USING (cluster_id)
    WHERE sizes.n IS DISTINCT FROM stated.n
"""
# Clusters without a row, or the other way round.
LABELS_MISPLACED = """
    SELECT 'cluster ' || cluster_id
    FROM (SELECT cluster_id, cluster_size FROM silver.clusters WHERE cluster_date = $day) AS there
    FULL JOIN (SELECT cluster_id, cluster_size FROM gold.issues WHERE cluster_date = $day) AS here
    USING (cluster_id) WHERE here.cluster_size IS DISTINCT FROM there.cluster_size
"""
EVIDENCE_MISPLACED = """
    WITH good AS (
        SELECT url_hash, cluster_id, count(*) AS n FROM silver.cluster_assignments
        WHERE cluster_date = $day AND cluster_id IN (
            SELECT cluster_id FROM gold.issues WHERE cluster_date = $day AND NOT label_failed
        ) GROUP BY ALL
    ), shown AS (
        SELECT url_hash, cluster_id, count(*) AS n FROM gold.issue_evidence
        WHERE cluster_date = $day GROUP BY ALL
    )
    SELECT 'post ' || url_hash || ' of cluster ' || cluster_id
    FROM good FULL JOIN shown USING (url_hash, cluster_id) WHERE good.n IS DISTINCT FROM shown.n
"""

# Problem issues that are linked to no problem or with other posts, and links of other issues.
NOT_LINKED_ONCE = """
    WITH issues AS (
        SELECT cluster_id, list(url_hash ORDER BY url_hash) AS posts FROM gold.issue_evidence
        WHERE cluster_date = $day AND cluster_id IN (
            SELECT cluster_id FROM gold.issues
            WHERE cluster_date = $day AND is_problem AND NOT label_failed
        ) GROUP BY cluster_id
    ), links AS (
        SELECT cluster_id, list(url_hash ORDER BY url_hash) AS posts
        FROM gold.problem_issues LEFT JOIN gold.problem_posts USING (issue_date, cluster_id)
        WHERE issue_date = $day GROUP BY cluster_id
    )
    SELECT 'cluster ' || cluster_id FROM issues FULL JOIN links USING (cluster_id)
    WHERE issues.posts IS DISTINCT FROM links.posts
"""
# Problems whose numbers are not those of their issues, or that have none; links to no problem;
# aliases that lead nowhere, or that are the id of a problem.
PROBLEMS_UNLIKE_ISSUES = """
    WITH made AS (
        SELECT problem_id, min(issue_date) AS first_seen, max(issue_date) AS last_seen,
            count(DISTINCT issue_date) AS days_seen, count(*) AS posts
        FROM gold.problem_issues JOIN gold.problem_posts USING (issue_date, cluster_id)
        GROUP BY problem_id
    )
    SELECT 'problem ' || problem_id FROM gold.problems AS problems FULL JOIN made USING (problem_id)
    WHERE (problems.first_seen, problems.last_seen, problems.days_seen, problems.posts)
        IS DISTINCT FROM (made.first_seen, made.last_seen, made.days_seen, made.posts)
    UNION ALL
    SELECT 'alias ' || alias FROM gold.problem_aliases
    WHERE problem_id NOT IN (SELECT problem_id FROM gold.problems)
        OR alias IN (SELECT problem_id FROM gold.problems)
"""


def violations(
    con: duckdb.DuckDBPyConnection, statement: str, parameters: Mapping[str, date | str]
) -> list[str]:
    """Name what breaks a promise, sorted; [] if nothing does."""
    return sorted(name for (name,) in con.execute(statement, dict(parameters)).fetchall())


def days_collected(con: duckdb.DuckDBPyConnection, first: date) -> dict[str, list[date]]:
    """Return the days of each source that the ledger knows, from a first one on, in order."""
    rows = con.execute(
        "SELECT source, list(collection_date ORDER BY collection_date) FROM bronze.collections"
        " WHERE collection_date >= ? GROUP BY source",
        [first],
    ).fetchall()
    return dict(rows)


def last_collected(con: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """Return the newest day of each source that the ledger knows; none for one never collected."""
    return dict(
        con.execute(
            "SELECT source, max(collection_date) FROM bronze.collections GROUP BY source"
        ).fetchall()
    )
