"""Reading and writing ``silver.clusters`` and ``silver.cluster_assignments``."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date

import duckdb

from issue_pipeline.records import ClusterRow
from issue_pipeline.sql.rows import insert_rows, read_groups


def replace_day(
    con: duckdb.DuckDBPyConnection,
    day: date,
    clusters: Sequence[ClusterRow],
    assignments: Iterable[tuple[str, int]],
) -> None:
    """Replace the clustering of a day.

    Args:
        con: A connection within a transaction.
        day: UTC day.
        clusters: One row per cluster, noise not among them.
        assignments: (url_hash, cluster_id) for every item of the day, noise as -1.
    """
    for table in ("silver.clusters", "silver.cluster_assignments"):
        con.execute(f"DELETE FROM {table} WHERE cluster_date = ?", [day])  # noqa: S608
    insert_rows(con, "silver.clusters", ({"cluster_date": day, **asdict(row)} for row in clusters))
    insert_rows(
        con,
        "silver.cluster_assignments",
        (
            {"cluster_date": day, "url_hash": url_hash, "cluster_id": cluster_id}
            for url_hash, cluster_id in assignments
        ),
    )


def is_clustered(con: duckdb.DuckDBPyConnection, day: date) -> bool:
    """Return whether the day's items have been clustered (an empty day counts as not)."""
    row = con.execute(
        "SELECT count(*) FROM silver.cluster_assignments WHERE cluster_date = ?", [day]
    ).fetchone()
    return bool(row and row[0])


def members_of_day(con: duckdb.DuckDBPyConnection, day: date) -> dict[int, set[str]]:
    """Read the items (``url_hash``) of each cluster of a day, without noise, by cluster id."""
    return read_groups(
        con,
        "SELECT cluster_id, url_hash FROM silver.cluster_assignments"
        " WHERE cluster_date = ? AND cluster_id >= 0",
        [day],
    )


def assignments_digest(con: duckdb.DuckDBPyConnection, day: date) -> tuple[int, int]:
    """Return what tells one clustering of a day from another, whatever the order of its rows.

    Returns:
        How many assignments there are, and the sum of their hashes.
    """
    row = con.execute(
        "SELECT count(*), coalesce(sum(hash(cluster_id, url_hash)), 0)"
        " FROM silver.cluster_assignments WHERE cluster_date = ?",
        [day],
    ).fetchone()
    assert row is not None
    return int(row[0]), int(row[1])
