"""Reading and writing ``gold.issues`` and ``gold.issue_evidence``."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date

import duckdb

from issue_pipeline.errors import StoreBusyError
from issue_pipeline.records import Evidence, IssueRow
from issue_pipeline.sql.rows import columns_of, insert_rows, read_rows

_TABLES = ("gold.issues", "gold.issue_evidence")


def issues_of_day(con: duckdb.DuckDBPyConnection, day: date) -> list[IssueRow]:
    """Read the labels of a day's clusters, failed ones included, by cluster id."""
    return read_rows(
        con,
        f"SELECT {columns_of(IssueRow)} FROM gold.issues WHERE cluster_date = ?"  # noqa: S608
        " ORDER BY cluster_id",
        [day],
        IssueRow,
    )


def good_labels(con: duckdb.DuckDBPyConnection, fingerprints: Sequence[str]) -> dict[str, IssueRow]:
    """Find, for each fingerprint, the label that any day ever got from a model.

    Where several rows carry one, the earliest day wins, then the lowest cluster id, so that the
    choice does not depend on the order in which days were run again.
    """
    rows = read_rows(
        con,
        f"SELECT {columns_of(IssueRow)} FROM gold.issues"  # noqa: S608
        " WHERE NOT label_failed AND cluster_fingerprint IN (SELECT unnest(?::VARCHAR[]))"
        " QUALIFY row_number() OVER"
        " (PARTITION BY cluster_fingerprint ORDER BY cluster_date, cluster_id) = 1",
        [list(fingerprints)],
        IssueRow,
    )
    return {issue.cluster_fingerprint: issue for issue in rows}


def replace_day(
    con: duckdb.DuckDBPyConnection,
    day: date,
    issues: Iterable[IssueRow],
    evidence: Iterable[Evidence],
) -> None:
    """Replace the labels and the evidence of a day.

    Args:
        con: A connection within a transaction.
        day: UTC day.
        issues: One row for every cluster of the day.
        evidence: Every item of each cluster whose label is good.
    """
    for table in _TABLES:
        con.execute(f"DELETE FROM {table} WHERE cluster_date = ?", [day])  # noqa: S608
    _insert(con, day, issues, evidence)


def replace_clusters(
    con: duckdb.DuckDBPyConnection,
    day: date,
    issues: Sequence[IssueRow],
    evidence: Iterable[Evidence],
    *,
    known: Sequence[IssueRow],
) -> None:
    """Replace the labels and the evidence of some clusters of a day.

    Args:
        con: A connection within a transaction.
        day: UTC day.
        issues: Rows of clusters that the day has.
        evidence: Every item of those whose label is good.
        known: The rows of the same clusters that they replace, as last read or written.

    Raises:
        StoreBusyError: The day no longer has these clusters, or they have other labels: another run
            works on it.
    """
    clusters = [row.cluster_id for row in issues]
    present = con.execute(
        "SELECT cluster_id, cluster_fingerprint, canonical_title FROM gold.issues"
        " WHERE cluster_date = ? AND cluster_id IN (SELECT unnest(?::INTEGER[]))"
        " ORDER BY cluster_id",
        [day, clusters],
    ).fetchall()
    expected = sorted(known, key=lambda row: row.cluster_id)
    if present != [
        (row.cluster_id, row.cluster_fingerprint, row.canonical_title) for row in expected
    ]:
        raise StoreBusyError(
            f"The clusters of {day}, or their labels, changed while they were being labelled, so"
            " another run works on this day. Run gold/issues again when it is done; labels already"
            " stored are kept."
        )
    for table in _TABLES:
        con.execute(
            f"DELETE FROM {table} WHERE cluster_date = ?"  # noqa: S608
            " AND cluster_id IN (SELECT unnest(?::INTEGER[]))",
            [day, clusters],
        )
    _insert(con, day, issues, evidence)


def _insert(
    con: duckdb.DuckDBPyConnection,
    day: date,
    issues: Iterable[IssueRow],
    evidence: Iterable[Evidence],
) -> None:
    insert_rows(con, "gold.issues", ({"cluster_date": day, **asdict(row)} for row in issues))
    insert_rows(
        con, "gold.issue_evidence", ({"cluster_date": day, **asdict(row)} for row in evidence)
    )


def evidence_of_day(con: duckdb.DuckDBPyConnection, day: date) -> dict[int, list[Evidence]]:
    """Read the evidence of a day by cluster id, nearest to the centroid first."""
    rows = read_rows(
        con,
        f"SELECT {columns_of(Evidence)} FROM gold.issue_evidence WHERE cluster_date = ?"  # noqa: S608
        " ORDER BY cluster_id, distance, url_hash",
        [day],
        Evidence,
    )
    by_cluster: dict[int, list[Evidence]] = {}
    for row in rows:
        by_cluster.setdefault(row.cluster_id, []).append(row)
    return by_cluster
