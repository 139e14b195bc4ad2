"""Reading a day in numbers, across all layers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb


@dataclass(frozen=True, slots=True)
class DaySummary:
    """One day in numbers.

    Attributes:
        collected: (posts fetched, complete) by source; a source never collected is missing.
        items: Posts stored, of all sources.
        noise: Share of posts in no cluster, in [0, 1].
        mode: Clustering mode, ``-`` without clusters.
        labels: Number of labels by ``label_source``; those that wait for a run count as
            ``waiting`` and not as ``failed``.
        published: Live records written and standing.
        problems: Labels that say there is a problem; the others are of other themes.
    """

    day: date
    collected: Mapping[str, tuple[int, bool]]
    items: int
    clusters: int
    noise: float
    mode: str
    labels: Mapping[str, int]
    published: int
    problems: int = 0


@dataclass(frozen=True, slots=True)
class ProblemSummary:
    """A problem of some days, as the end of a run shows it.

    Attributes:
        posts: Of these days.
        days: On how many of them it was seen, at least 1.
        first_seen: UTC day, perhaps before them.
        url: Of its post that is nearest to a centroid.
    """

    posts: int
    days: int
    first_seen: date
    state: str
    title: str
    category: str
    impact: str
    would_pay: bool
    url: str


def day_summary(con: duckdb.DuckDBPyConnection, day: date) -> DaySummary:
    """Sum up a day."""
    collected = con.execute(
        "SELECT source, fetched_count, complete FROM bronze.collections WHERE collection_date = ?",
        [day],
    ).fetchall()
    items = con.execute(
        "SELECT count(*) FROM bronze.raw_items WHERE collection_date = ?", [day]
    ).fetchone() or (0,)
    clusters = con.execute(
        "SELECT count(*), coalesce(any_value(mode), '-') FROM silver.clusters"
        " WHERE cluster_date = ?",
        [day],
    ).fetchone() or (0, "-")
    noise = con.execute(
        "SELECT coalesce(avg((cluster_id < 0)::INTEGER), 0) FROM silver.cluster_assignments"
        " WHERE cluster_date = ?",
        [day],
    ).fetchone() or (0.0,)
    labels = con.execute(
        "SELECT if(label_failed AND attempts = 0, 'waiting', label_source) AS origin, count(*)"
        " FROM gold.issues WHERE cluster_date = ? GROUP BY ALL",
        [day],
    ).fetchall()
    published = con.execute(
        "SELECT count(*) FROM gold.live_issues WHERE cluster_date = ? AND state = 'published'",
        [day],
    ).fetchone() or (0,)
    problems = con.execute(
        "SELECT count(*) FROM gold.issues"
        " WHERE cluster_date = ? AND NOT label_failed AND is_problem IS NOT FALSE",
        [day],
    ).fetchone() or (0,)
    return DaySummary(
        day=day,
        collected={source: (count, complete) for source, count, complete in collected},
        items=items[0],
        clusters=clusters[0],
        noise=noise[0],
        mode=clusters[1],
        labels=dict(labels),
        published=published[0],
        problems=problems[0],
    )


def biggest_problems(
    con: duckdb.DuckDBPyConnection, days: Sequence[date], *, limit: int
) -> list[ProblemSummary]:
    """Return the problems with the most posts on these days, the largest first."""
    rows = con.execute(
        "SELECT count(*) AS posts, count(DISTINCT issue_date), first_seen, state, canonical_title,"
        " category, impact_level, would_pay_signal, arg_min(url, (distance, url_hash))"
        " FROM gold.problems JOIN gold.problem_issues AS links USING (problem_id)"
        " JOIN gold.issue_evidence AS posts"
        " ON cluster_date = issue_date AND posts.cluster_id = links.cluster_id"
        " WHERE issue_date IN (SELECT unnest(?::DATE[]))"
        " GROUP BY ALL ORDER BY posts DESC, canonical_title LIMIT ?",
        [list(days), limit],
    ).fetchall()
    return [ProblemSummary(*row) for row in rows]
