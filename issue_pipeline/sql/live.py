"""Reading and writing ``gold.live_issues`` and ``gold.live_members``: what was published."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from datetime import date

import duckdb

from issue_pipeline.records import LiveRow
from issue_pipeline.sql.rows import columns_of, insert_rows, read_groups, read_rows


def replace_day(con: duckdb.DuckDBPyConnection, day: date, rows: Iterable[LiveRow]) -> None:
    """Replace what is known of a day's live records."""
    con.execute("DELETE FROM gold.live_issues WHERE cluster_date = ?", [day])
    insert_rows(con, "gold.live_issues", ({"cluster_date": day, **asdict(row)} for row in rows))


def rows_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[LiveRow]:
    """Read what is known of a day's live records, by cluster and record id."""
    return read_rows(
        con,
        f"SELECT {columns_of(LiveRow)} FROM gold.live_issues"  # noqa: S608
        " WHERE cluster_date = ? ORDER BY cluster_id, record_id",
        [day],
        LiveRow,
    )


def replace_members(
    con: duckdb.DuckDBPyConnection, day: date, members: Mapping[str, Collection[str]]
) -> None:
    """Replace the posts (``url_hash``) of a day's live records, by record id."""
    con.execute("DELETE FROM gold.live_members WHERE cluster_date = ?", [day])
    insert_rows(
        con,
        "gold.live_members",
        (
            {"cluster_date": day, "record_id": record_id, "url_hash": url_hash}
            for record_id, hashes in members.items()
            for url_hash in sorted(hashes)
        ),
    )


def members_of_day(con: duckdb.DuckDBPyConnection, day: date) -> dict[str, set[str]]:
    """Read the posts of a day's live records, by record id."""
    return read_groups(
        con, "SELECT record_id, url_hash FROM gold.live_members WHERE cluster_date = ?", [day]
    )


def problem_of_records(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Return the problem of each live record whose posts are those of the issue that was linked.

    A record is missing while its day was clustered or labelled anew and not yet published.
    """
    rows = con.execute(
        "WITH records AS (SELECT cluster_date, record_id, list(url_hash ORDER BY url_hash) AS posts"
        " FROM gold.live_members GROUP BY cluster_date, record_id), linked AS"
        " (SELECT issue_date, problem_id, list(url_hash ORDER BY url_hash) AS posts"
        " FROM gold.problem_issues JOIN gold.problem_posts USING (issue_date, cluster_id)"
        " GROUP BY issue_date, cluster_id, problem_id)"
        " SELECT record_id, problem_id FROM records JOIN linked"
        " ON cluster_date = issue_date AND records.posts = linked.posts ORDER BY record_id"
    ).fetchall()
    return dict(rows)
